"""The command line's HTTP client against servers that misbehave. They answer raw bytes on loopback."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from click import UsageError

from cli.client import EngineClient, EngineNotReachableError, RequestRefusedError, client_of, segment
from cli.main import main


@contextmanager
def answering(answer: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A server that sends `answer` to its one client; what the client sent is collected."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                heard.append(connection.recv(65536))
                connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", heard
        thread.join(5)


def response(status: str, body: str = "", headers: str = "") -> bytes:
    length = f"Content-Length: {len(body.encode())}\r\n"
    return f"HTTP/1.1 {status}\r\n{length}{headers}Connection: close\r\n\r\n{body}".encode()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"", "no engine at"),
        (b"SSH-2.0-OpenSSH\r\n", "no engine at"),
        (response("200 OK", "<html>"), "it is no Ringback engine"),
        (response("302 Found", headers="Location: https://elsewhere.example/\r\n"), "redirects to https://elsewhere"),
        (response("502 Bad Gateway", "<html>"), "cannot reach the engine"),
    ],
)
def test_what_is_no_engine_is_not_reachable(answer: bytes, says: str) -> None:
    with answering(answer) as (url, _), pytest.raises(EngineNotReachableError, match=says):
        EngineClient(url, None).get("/callbacks")


def test_a_problem_becomes_one_line_with_its_fields() -> None:
    problem = (
        '{"type":"t","title":"A field cannot be used","status":422,"detail":"phone: is missing","code":"invalid-field",'
        '"errors":[{"field":"phone","message":"is missing"},{"field":"when","message":"must be a time"}]}'
    )
    with (
        answering(response("422 Unprocessable", problem)) as (url, _),
        pytest.raises(RequestRefusedError) as refused,
    ):
        EngineClient(url, None).post("/callbacks", {})
    assert str(refused.value) == "A field cannot be used: phone: is missing (when: must be a time)"
    assert (refused.value.code, refused.value.status, len(refused.value.problems)) == ("invalid-field", 422, 2)


def test_an_error_that_is_no_problem_is_refused() -> None:
    with (
        answering(response("404 Not Found", "nginx")) as (url, _),
        pytest.raises(RequestRefusedError, match="is it a Ringback engine"),
    ):
        EngineClient(url, None).get("/callbacks")


def test_silence_ends_after_the_timeout_and_says_what_is_unknown() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with pytest.raises(EngineNotReachableError, match="look whether it was done"):
            EngineClient(url, None, timeout_seconds=0.05).post("/callbacks", {})


def test_the_key_goes_into_the_header_and_a_path_of_the_address_is_kept() -> None:
    with answering(response("204 No Content")) as (url, heard):
        EngineClient(f"{url}/ringback", "rbk_admin_x").delete("/keys/a")
    assert heard[0].startswith(b"DELETE /ringback/api/v1/keys/a HTTP/1.1\r\n")
    assert b"Authorization: Bearer rbk_admin_x\r\n" in heard[0]


def test_no_proxy_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with answering(response("200 OK", "[]")) as (url, _):
        assert EngineClient(url, None).get("/x") == []


def test_an_id_cannot_reach_another_resource() -> None:
    assert segment("a/../b?c#d") == "a%2F..%2Fb%3Fc%23d"


def test_a_key_with_a_line_break_inside_never_becomes_a_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGBACK_KEY", "a\r\nX-Other: b")
    with pytest.raises(Exception, match="characters that no key has"):
        client_of("http://127.0.0.1:8080", None)


@pytest.mark.parametrize(
    "url", ["http://\u00f6..example", "http://127.0.0.1:8080/p\u00e4", "http://127.0.0.1:8080/a b", "http://:8080"]
)
def test_an_address_that_cannot_be_sent_is_wrong_usage(url: str) -> None:
    with pytest.raises(UsageError, match="--url must look like"):
        client_of(url, None)


def test_an_international_name_of_a_host_is_taken() -> None:
    assert client_of("http://b\u00fccher.example/ringback", None).url == "http://b\u00fccher.example/ringback"


@pytest.mark.parametrize(
    "arguments", [("show", "\udcff"), ("list", "--phone", "\udcff"), ("requeue", "x", "--when", "\udcff")]
)
def test_an_argument_that_is_no_text_is_wrong_usage(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["callback", *arguments, "--url", "http://127.0.0.1:9"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("an argument is not UTF-8 text; write it in UTF-8; see: ")
