"""Which service and subject a request means, from what it names and from the page it came from."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.api.problems import ProblemError
from engine.api.targets import matches, offered_language, target_of
from engine.document import ServiceEntry


def entry(service: str, subjects: str, *pages: tuple[str, str]) -> ServiceEntry:
    return ServiceEntry.model_validate(
        {
            "id": service,
            "name": service,
            "company": "Example Ltd",
            "skill_expression": "a",
            "subjects": [{"id": each, "name": each} for each in subjects.split()],
            "pages": [{"match": match, "subject": subject} for match, subject in pages],
        }
    )


SERVICES = {
    each.id: each
    for each in (
        entry("billing", "invoice other", ("/checkout/*", "invoice"), ("/check*", "other")),
        entry("sales", "offer other", ("/shop/*/buy", "offer"), ("/shop/*", "other")),
        entry("support", "crash"),
        entry("home", "start", ("/", "start"), ("/caf\u00e9", "start")),
    )
}


@pytest.mark.parametrize(
    ("service", "subject", "path", "expected"),
    [
        ("support", None, None, ("support", None)),
        ("support", "crash", None, ("support", "crash")),
        ("billing", None, "/checkout/pay", ("billing", "invoice")),
        ("billing", None, "/shop/x", ("billing", None)),
        ("billing", "other", "/checkout/pay", ("billing", "other")),
        (None, "crash", None, ("support", "crash")),
        (None, "crash", "/checkout/pay", ("support", "crash")),
        (None, "other", "/shop/x", ("sales", "other")),
        (None, "other", "/checkout/pay", ("billing", "other")),
        (None, None, "/checkout/pay", ("billing", "invoice")),
        (None, None, "/checkin", ("billing", "other")),
        (None, None, "/shop/a/b/buy?from=/checkout/", ("sales", "offer")),
        (None, None, "/shop/", ("sales", "other")),
        (None, None, "", ("home", "start")),
        (None, None, "/caf%C3%A9#top", ("home", "start")),
    ],
)
def test_given_a_request_then_what_it_names_goes_before_the_first_page_that_matches(
    service: str | None, subject: str | None, path: str | None, expected: tuple[str, str | None]
) -> None:
    page_url = None if path is None else f"https://shop.example{path}"
    target = target_of(SERVICES, service=service, subject=subject, page_url=page_url)
    assert (target.service.id, target.subject) == expected


@pytest.mark.parametrize(
    ("service", "subject", "path", "code"),
    [
        ("nope", None, "/checkout/pay", "unknown-service"),
        ("billing", "crash", None, "unknown-subject"),
        (None, None, None, "unknown-service"),
        (None, None, "/nowhere", "unknown-service"),
        (None, None, "/chec", "unknown-service"),
        (None, "other", None, "unknown-service"),
        (None, "other", "/nowhere", "unknown-service"),
        (None, "nope", "/checkout/pay", "unknown-service"),
    ],
)
def test_given_a_request_that_decides_nothing_then_it_is_refused(
    service: str | None, subject: str | None, path: str | None, code: str
) -> None:
    page_url = None if path is None else f"https://shop.example{path}"
    with pytest.raises(ProblemError) as refused:
        target_of(SERVICES, service=service, subject=subject, page_url=page_url)
    assert refused.value.code == code


@given(st.text("ab/*", max_size=8), st.text("ab/", max_size=12))
def test_given_any_pattern_then_a_star_stands_for_any_characters_and_nothing_else_is_special(
    pattern: str, path: str
) -> None:
    expected = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), path) is not None
    assert matches(pattern, path) == expected


def test_given_signs_that_mean_something_elsewhere_then_they_mean_themselves_here() -> None:
    assert matches("/a?[b].c", "/a?[b].c")
    assert not matches("/a?[b].c", "/aab.c")


def test_given_a_pattern_of_many_stars_then_it_is_answered_at_once() -> None:
    began = time.process_time()
    assert not matches("*a" * 100 + "b", "a" * 2000)
    # Whoever tries all ways to share the characters among the stars is still at it tomorrow.
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("asked", "expected"), [(None, "en"), ("es-MX", "es"), ("PT-br", "pt-BR"), ("pt", "en"), ("fr", "en")]
)
def test_given_a_language_then_it_or_its_main_one_is_taken_if_offered_else_the_first(
    asked: str | None, expected: str
) -> None:
    assert offered_language(asked, ["en", "es", "pt-BR"]) == expected
