"""Checks an installation from outside: what is wrong, and how to mend it. It changes nothing.

Checks run side by side and each is bounded in time, so one system that does not answer costs seconds, not the report.
"""

from engine.doctor.examination import examine
from engine.doctor.finding import Finding

__all__ = ["Finding", "examine"]
