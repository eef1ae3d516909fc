"""What a request means: its service, subject and language, named or decided by the subject or the page it came from.

The page of a request is matched by its path against the pages of the services document, in the document's order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from engine.api.codes import Code
from engine.api.problems import ProblemError
from engine.document import ServiceEntry


@dataclass(frozen=True, slots=True)
class Target:
    """A service, and one of its subjects if one was named or the page has one."""

    service: ServiceEntry
    subject: str | None


def target_of(
    services: Mapping[str, ServiceEntry], *, service: str | None, subject: str | None, page_url: str | None
) -> Target:
    """What a request means, of the services its sender may use.

    A named service or subject goes before what the page decides. Raises ProblemError `unknown-service` or
    `unknown-subject`.
    """
    if service is not None:
        return _in_service(services, service, subject, page_url)
    if subject is not None:
        having = [each for each in services.values() if subject in _subjects_of(each)]
        by_page = _of_page(having, page_url) if len(having) > 1 else None
        if len(having) == 1 or by_page is not None:
            return Target(by_page.service if by_page else having[0], subject)
        raise _undecided("the subject does not decide it")
    target = _of_page(services.values(), page_url)
    if target is None:
        raise _undecided("neither a subject nor the page decides it")
    return target


def offered_language(asked: str | None, offered: Sequence[str]) -> str:
    """The asked language if it is offered, else its main language, else the service's first."""
    if asked is not None:
        by_name = {each.lower(): each for each in offered}
        for name in (asked.lower(), asked.lower().partition("-")[0]):
            if name in by_name:
                return by_name[name]
    return offered[0]


def matches(pattern: str, path: str) -> bool:
    """Whether a path is like a pattern in which each `*` stands for any characters, a slash too, or for none."""
    first, *rest = pattern.split("*")
    if not rest:
        return path == pattern
    *between, last = rest
    if not path.startswith(first):
        return False
    at = len(first)
    for each in between:
        at = path.find(each, at)
        if at < 0:
            return False
        at += len(each)
    return len(path) - len(last) >= at and path.endswith(last)


def _in_service(
    services: Mapping[str, ServiceEntry], service: str, subject: str | None, page_url: str | None
) -> Target:
    if service not in services:
        raise ProblemError.of_field("service", "there is no such service", Code.UNKNOWN_SERVICE)
    entry = services[service]
    if subject is None:
        return _of_page([entry], page_url) or Target(entry, None)
    if subject not in _subjects_of(entry):
        raise ProblemError.of_field("subject", f"service {service} has no such subject", Code.UNKNOWN_SUBJECT)
    return Target(entry, subject)


def _of_page(services: Iterable[ServiceEntry], page_url: str | None) -> Target | None:
    """The first service and page that the address is like; None if there is none."""
    if page_url is None:
        return None
    path = unquote(urlsplit(page_url).path) or "/"
    for service in services:
        for page in service.pages:
            if matches(unquote(page.match), path):
                return Target(service, page.subject)
    return None


def _subjects_of(service: ServiceEntry) -> Collection[str]:
    return {each.id for each in service.subjects}


def _undecided(why: str) -> ProblemError:
    return ProblemError.of_field("service", f"name the service; {why}", Code.UNKNOWN_SERVICE)
