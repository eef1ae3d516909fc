"""The services document: services, agents, calendars and limits as an administrator writes them.

Here it is checked as a whole and turned into the core's Configuration. What this version keeps but does not act on is
named in warnings, so that nothing pretends to work. The document itself is kept as it was written and given back
unchanged.
"""

from engine.document.models import AgentEntry, LimitsEntry, ServiceEntry, ServicesDocument, SubjectEntry
from engine.document.parsing import Parsed, export, parse

__all__ = [
    "AgentEntry",
    "LimitsEntry",
    "Parsed",
    "ServiceEntry",
    "ServicesDocument",
    "SubjectEntry",
    "export",
    "parse",
]
