"""What stands in the log, and what must not."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from aiohttp.http_exceptions import BadHttpMessage
from aiohttp.web import RequestPayloadError
from pydantic import SecretStr

from engine.config import LogSettings
from engine.log import set_up

PHONE = "+12025550113"


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def lines_of(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object() -> None:
    stream = io.StringIO()
    set_up(LogSettings(format="json"), stream)
    structlog.get_logger().info("attempt.ended", outcome="busy", n=2)
    (line,) = lines_of(stream)
    assert (line["event"], line["level"], line["outcome"], line["n"]) == ("attempt.ended", "info", "busy", 2)
    assert line["timestamp"].endswith("Z")


def test_personal_values_are_left_out_unless_asked_for() -> None:
    for personal in (False, True):
        stream = io.StringIO()
        set_up(LogSettings(format="json", personal=personal), stream)
        structlog.get_logger().info("x", phone=PHONE, first_name="Ada", **{"pii.address": "127.0.0.1"})
        (line,) = lines_of(stream)
        kept = {key: value for key, value in line.items() if key.startswith("pii.")}
        expected = {"pii.phone": PHONE, "pii.first_name": "Ada", "pii.address": "127.0.0.1"}
        assert kept == (expected if personal else {})
        assert {"phone", "first_name"}.isdisjoint(line)


def test_a_number_or_a_key_inside_a_text_is_hidden() -> None:
    stream = io.StringIO()
    set_up(LogSettings(format="json"), stream)
    structlog.get_logger().info(
        f"calling {PHONE}", why=f"{PHONE} refused", key="rbk_admin_abcDEF-1", deep={"a": [PHONE]}
    )
    text = stream.getvalue()
    assert PHONE not in text
    assert "rbk_admin" not in text


def test_secrets_are_never_written() -> None:
    stream = io.StringIO()
    set_up(LogSettings(format="json", personal=True), stream)
    structlog.get_logger().info("x", ari_password="hush", token="hush", value=SecretStr("hush"), Authorization="hush")
    assert "hush" not in stream.getvalue()


def test_lines_and_exceptions_of_libraries_obey_the_same_rules() -> None:
    stream = io.StringIO()
    set_up(LogSettings(format="json"), stream)
    try:
        int(f"cannot dial {PHONE}")
    except ValueError:
        logging.getLogger("aiohttp.server").exception("failed for %s", PHONE)
    (line,) = lines_of(stream)
    assert line["level"] == "error"
    assert "'cannot dial [phone]'" in line["exception"]
    assert PHONE not in stream.getvalue()


def test_a_level_hides_what_is_below_it() -> None:
    stream = io.StringIO()
    set_up(LogSettings(format="json", level="warning"), stream)
    structlog.get_logger().info("quiet")
    logging.getLogger("x").info("quiet")
    structlog.get_logger().warning("heard")
    assert [line["event"] for line in lines_of(stream)] == ["heard"]


def test_people_read_lines_without_colour_codes_in_a_file() -> None:
    stream = io.StringIO()
    set_up(LogSettings(format="console"), stream)
    structlog.get_logger().info("engine.starting", store="ringback.db")
    assert "engine.starting" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


def test_nothing_of_a_request_that_cannot_be_read_is_written() -> None:
    stream = io.StringIO()
    set_up(LogSettings(format="json"), stream)
    server = logging.getLogger("aiohttp.server")
    said = "b'GET /api/v1/callbacks?phone=%2B12025550113'"
    for error in (BadHttpMessage(said), RequestPayloadError(said)):
        server.error("Error handling request from %s", "192.0.2.7", exc_info=error)
    server.error("Error handling request from %s", "192.0.2.7", exc_info=KeyError("x"))
    unreadable, _, defect = lines_of(stream)
    assert (unreadable["event"], unreadable["level"]) == ("http.unreadable", "info")
    assert "KeyError" in defect["exception"]
    assert "12025550113" not in stream.getvalue()
    assert "192.0.2.7" not in stream.getvalue()


def test_requests_that_cannot_be_read_obey_the_level() -> None:
    stream = io.StringIO()
    set_up(LogSettings(format="json", level="warning"), stream)
    logging.getLogger("aiohttp.server").error("Error handling request from %s", "x", exc_info=BadHttpMessage("x"))
    assert stream.getvalue() == ""
