"""Agents log in and out: who gets a session, how long it is good, and from which pages its cookie counts."""

from __future__ import annotations

import asyncio
import io
import logging
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio
import structlog

from engine.api import open_sessions, passwords
from engine.api.endpoints import PREFIX
from engine.config import AgentSettings, HttpSettings, LogSettings
from engine.core.changes import ConfigurationKept
from engine.log import set_up
from engine.store.journal import Journal
from engine.store.queries import Queries
from engine.store.records import AgentSession, KeyRole, PasswordKept, SessionEnded, SessionKept
from tests.component.api_harness import refused
from tests.component.desk_harness import BEN, answered
from tests.component.session_harness import (
    FOREIGN,
    OURS,
    PASSWORD,
    Office,
    bearer,
    cookie,
    login_document,
    running_office,
)
from tests.component.store_samples import url_of

SESSIONS = f"{PREFIX}/sessions"


@pytest_asyncio.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with running_office(tmp_path) as running:
        yield running


# ---- logging in --------------------------------------------------------------------------------------------------


async def test_an_agent_logs_in_and_their_session_does_what_their_key_does(office: Office) -> None:
    response = await office.log_in()
    made = await answered(response, 201)
    assert set(made) == {"token", "expires_at", "agent"}
    assert (made["agent"], made["expires_at"]) == ("amy", "2027-01-14T03:00:00.000Z")
    set_cookie = response.headers["Set-Cookie"].split("; ")
    assert set_cookie[0] == f"ringback_session={made['token']}"
    assert {"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"} <= set(set_cookie)
    assert "Secure" not in set_cookie
    desk = await answered(await office.get_desk(bearer(made["token"])))
    assert desk == await answered(await office.get_desk(cookie(made["token"]))) == await office.desk()
    state = f"{PREFIX}/agent/state"
    ready = await office.api.ask("PUT", state, role=None, json={"state": "ready"}, headers=bearer(made["token"]))
    assert (await answered(ready))["agent"]["state"] == "ready"


async def test_the_cookie_is_for_https_only_where_the_engine_is_reached_by_it(tmp_path: Path) -> None:
    async with running_office(tmp_path, http=HttpSettings(public_url="https://desk.example.com")) as office:
        assert "Secure" in (await office.log_in()).headers["Set-Cookie"].split("; ")


async def test_a_username_counts_in_any_writing_and_a_password_in_one(office: Office) -> None:
    assert (await office.log_in(" Amy-Desk ")).status == 201
    await refused(await office.log_in(password=PASSWORD.upper()), 401, "wrong-login")
    await refused(await office.log_in(password=PASSWORD + " "), 401, "wrong-login")


async def test_unknown_names_wrong_passwords_and_missing_ones_get_one_answer_after_the_same_work(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []
    real = passwords._is

    def counted(password: str, kept: str) -> bool:
        checked.append(kept.rpartition("$")[0].rpartition("$")[0])
        return real(password, kept)

    monkeypatch.setattr(passwords, "_is", counted)
    attempts = [("nobody", PASSWORD), ("amy-desk", "not this one"), ("ben-desk", PASSWORD), ("amy", PASSWORD)]
    answers = [await refused(await office.log_in(*each), 401, "wrong-login") for each in attempts]
    assert answers.count(answers[0]) == len(attempts) == len(checked)
    assert set(checked) == {"$argon2id$v=19$m=19456,t=2,p=1"}


async def test_a_session_is_new_whatever_a_client_brings(office: Office) -> None:
    planted = "rbs_chosen-by-somebody-else"
    for headers in (cookie(planted), bearer(planted), cookie(await office.token())):
        made = await answered(await office.log_in(headers=headers), 201)
        assert made["token"] not in headers.get("Cookie", "") + headers.get("Authorization", "")
    await refused(await office.get_desk(cookie(planted)), 401, "invalid-token")
    await refused(await office.get_desk(bearer(planted)), 401, "invalid-token")


async def test_the_address_of_logins_takes_json_only_so_that_no_form_can_log_anybody_in(office: Office) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    response = await office.api.ask("POST", SESSIONS, role=None, data="username=amy-desk", headers=form)
    await refused(response, 415, "unsupported-media-type")


# ---- limits ------------------------------------------------------------------------------------------------------


async def test_whoever_guesses_is_held_up_by_username_and_the_owner_with_them(tmp_path: Path) -> None:
    limits = AgentSettings(failed_logins_per_minute_per_username=3)
    async with running_office(tmp_path, agents=limits) as office:
        assert (await office.set_password(PASSWORD, BEN)).status == 204
        for n in range(3):
            await refused(await office.log_in(password=f"guess {n}"), 401, "wrong-login")
        response = await office.log_in()
        await refused(response, 429, "too-many-requests")
        assert 1 <= int(response.headers["Retry-After"]) <= 20
        assert (await office.log_in("ben-desk")).status == 201


async def test_whoever_tries_many_names_is_held_up_by_address_and_names_that_do_not_exist_count(tmp_path: Path) -> None:
    async with running_office(tmp_path, agents=AgentSettings(failed_logins_per_minute_per_address=3)) as office:
        for n in range(3):
            await refused(await office.log_in(f"name{n}"), 401, "wrong-login")
        await refused(await office.log_in(), 429, "too-many-requests")


async def test_guesses_that_come_at_once_count_like_those_one_after_another(tmp_path: Path) -> None:
    async with running_office(tmp_path, agents=AgentSettings(failed_logins_per_minute_per_username=3)) as office:
        responses = await asyncio.gather(*(office.log_in(password=f"guess {n}") for n in range(20)))
        tried = sum(each.status == 401 for each in responses)
        assert 3 <= tried <= 3 + passwords.AT_ONCE - 1
        assert {each.status for each in responses} == {401, 429}


async def test_good_logins_are_never_held_up_and_are_checked_few_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, now, most = threading.Lock(), 0, 0
    real = passwords._is

    def counted(password: str, kept: str) -> bool:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        good = real(password, kept)
        with lock:
            now -= 1
        return good

    monkeypatch.setattr(passwords, "_is", counted)
    async with running_office(tmp_path, agents=AgentSettings(failed_logins_per_minute_per_address=1)) as office:
        responses = await asyncio.gather(*(office.log_in() for _ in range(30)))
        assert [each.status for each in responses] == [201] * 30
        assert most <= passwords.AT_ONCE
        tokens = [(await each.json())["token"] for each in responses]
        statuses = [(await office.get_desk(bearer(token))).status for token in tokens]
        assert statuses.count(200) == open_sessions.MOST_OF_AN_AGENT


# ---- the end of a session ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["bearer", "cookie"])
async def test_a_session_ends_when_the_agent_logs_out_and_no_other_does(office: Office, by: str) -> None:
    token, other = await office.token(), await office.token()
    headers = bearer(token) if by == "bearer" else cookie(token, OURS)
    response = await office.api.ask("DELETE", SESSIONS, role=None, headers=headers)
    assert response.status == 204
    assert 'ringback_session=""; ' in response.headers["Set-Cookie"]
    for gone in (bearer(token), cookie(token)):
        await refused(await office.get_desk(gone), 401, "invalid-token")
    await refused(await office.api.ask("DELETE", SESSIONS, role=None, headers=headers), 401, "invalid-token")
    assert (await office.get_desk(bearer(other))).status == 200


async def test_a_key_is_no_session_that_could_be_ended(office: Office) -> None:
    await refused(await office.api.ask("DELETE", SESSIONS, role=KeyRole.AGENT), 404, "not-found")
    assert (await office.get_desk(bearer(office.keys["amy"]))).status == 200


async def test_a_session_expires_whatever_is_done_with_it(tmp_path: Path) -> None:
    async with running_office(tmp_path, agents=AgentSettings(session_seconds=3600)) as office:
        token = await office.token()
        office.clock.at += 3599
        assert (await office.get_desk(bearer(token))).status == 200
        office.clock.at += 1
        await refused(await office.get_desk(bearer(token)), 401, "invalid-token")
        await refused(await office.get_desk(cookie(token)), 401, "invalid-token")


async def test_another_password_ends_the_sessions_of_its_agent_only(office: Office) -> None:
    assert (await office.set_password(PASSWORD, BEN)).status == 204
    amy, ben = await office.token(), await office.token("ben-desk")
    assert (await office.set_password("another long one")).status == 204
    await refused(await office.get_desk(bearer(amy)), 401, "invalid-token")
    assert (await office.get_desk(bearer(ben))).status == 200
    await refused(await office.log_in(), 401, "wrong-login")
    assert (await office.log_in(password="another long one")).status == 201


async def test_no_session_begins_by_a_password_that_is_replaced_meanwhile(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    checking, go_on = threading.Event(), threading.Event()
    real = passwords._is

    def slow(password: str, kept: str) -> bool:
        checking.set()
        assert go_on.wait(10)
        return real(password, kept)

    new_hash = await asyncio.to_thread(passwords._hash, "another long one")
    monkeypatch.setattr(passwords, "_is", slow)
    logging_in = asyncio.create_task(office.log_in())
    await asyncio.to_thread(checking.wait, 10)
    await office.api.engine.write(PasswordKept("amy", new_hash, 1.0))
    go_on.set()
    await refused(await logging_in, 401, "wrong-login")


async def test_whoever_is_removed_is_logged_out_for_good(office: Office) -> None:
    token = await office.token()
    document = login_document()
    without = document | {"agents": document["agents"][1:]}
    await office.apply(without)
    await refused(await office.get_desk(bearer(token)), 401, "invalid-token")
    await refused(await office.log_in(), 401, "wrong-login")
    await refused(await office.set_password("another long one"), 404, "not-found")
    await office.apply(document)
    await refused(await office.get_desk(bearer(token)), 401, "invalid-token")
    assert (await office.log_in()).status == 201


async def test_sessions_and_passwords_outlast_a_restart_and_ended_sessions_stay_ended(tmp_path: Path) -> None:
    async with running_office(tmp_path) as office:
        kept, ended = await office.token(), await office.token()
        await office.api.ask("DELETE", SESSIONS, role=None, headers=bearer(ended))
    async with running_office(tmp_path) as office:
        assert (await office.get_desk(cookie(kept))).status == 200
        await refused(await office.get_desk(bearer(ended)), 401, "invalid-token")
        assert (await office.log_in()).status == 201


async def test_what_a_failed_commit_has_left_is_read_anew(office: Office) -> None:
    token = await office.token()
    sessions = await office.api.queries.sessions()
    database = sqlite3.connect(Path(office.api.queries._readers._path))
    with closing(database), database:
        database.execute("DELETE FROM agent_sessions")
    assert sessions
    assert (await office.get_desk(bearer(token))).status == 200
    office.api.engine.written.tell_restored()
    await refused(await office.get_desk(bearer(token)), 401, "invalid-token")


# ---- from which pages ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", [None, FOREIGN, "null", OURS + "/", OURS.replace("8080", "8081"), OURS + ".example"])
async def test_a_cookie_changes_nothing_from_a_page_that_is_not_ours(office: Office, origin: str | None) -> None:
    token = await office.token()
    for method, path in (("PUT", "/agent/state"), ("POST", "/agent/work/x/accept"), ("DELETE", "/sessions")):
        headers = cookie(token, origin)
        json = {"state": "ready"} if method == "PUT" else None
        response = await office.api.ask(method, f"{PREFIX}{path}", role=None, json=json, headers=headers)
        await refused(response, 403, "forbidden")
    assert (await office.desk())["agent"]["state"] == "logged_out"
    assert (await office.get_desk(cookie(token, origin))).status == 200


async def test_a_cookie_counts_from_our_own_pages_and_a_bearer_from_anywhere(tmp_path: Path) -> None:
    http = HttpSettings(public_url="https://Calls.example.com:443/ringback", allowed_origins=("https://desk.example",))
    async with running_office(tmp_path, http=http) as office:
        token = await office.token()
        sent = [cookie(token, "https://calls.example.com"), cookie(token, "https://desk.example")]
        sent += [bearer(token), bearer(token) | {"Origin": FOREIGN}, bearer(token) | cookie("nonsense", FOREIGN)]
        for headers in sent:
            wanted = {"state": "not_ready", "reason": "lunch"}
            response = await office.api.ask("PUT", f"{PREFIX}/agent/state", role=None, json=wanted, headers=headers)
            assert response.status == 200, await response.text()


async def test_a_session_is_an_agents_and_nothing_more(office: Office) -> None:
    token = await office.token()
    for path in ("/agents", "/config", "/keys", "/callbacks"):
        response = await office.api.ask("GET", f"{PREFIX}{path}", role=None, headers=bearer(token))
        problem = await refused(response, 403, "forbidden")
        assert problem["detail"].startswith("an agent's session may not do this")
        await refused(
            await office.api.ask("GET", f"{PREFIX}{path}", role=None, headers=cookie(token)), 403, "forbidden"
        )


async def test_a_customers_token_counts_beside_a_cookie(office: Office) -> None:
    made = await office.api.accepted()
    headers = cookie(await office.token()) | {"X-Callback-Token": made["token"]}
    response = await office.api.ask("GET", f"{PREFIX}/callbacks/{made['id']}", role=None, headers=headers)
    assert response.status == 200


# ---- passwords -----------------------------------------------------------------------------------------------------


async def test_a_password_that_is_too_short_or_set_by_others_is_refused(office: Office) -> None:
    problem = await refused(await office.set_password("hush-hu"), 422, "invalid-field")
    assert "hush" not in str(problem)
    for role in set(KeyRole) - {KeyRole.ADMIN}:
        path = f"{PREFIX}/agents/amy/password"
        await refused(await office.api.ask("PUT", path, role=role, json={"password": PASSWORD}), 403, "forbidden")


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """All that is logged, also by libraries."""
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    text = io.StringIO()
    served = logging.getLogger("aiohttp.access")
    served.disabled = True  # the engine serves without it
    set_up(LogSettings(level="debug", personal=True), text)
    yield text
    root.handlers[:], root.level = before
    served.disabled = False
    structlog.reset_defaults()


def all_of(folder: Path) -> bytes:
    return b"".join(each.read_bytes() for each in folder.iterdir() if each.is_file())


async def test_no_password_and_no_token_stands_in_log_document_answer_or_database(
    tmp_path: Path, logged: io.StringIO
) -> None:
    secrets = [PASSWORD, "wrong-but-secret", "short-1", "field-of-another-name", "the second one"]
    async with running_office(tmp_path) as office:
        said = []
        tokens = [await office.token()]
        said.append(await (await office.log_in(password=secrets[1])).text())
        said.append(await (await office.set_password(secrets[2])).text())
        ask = office.api.ask
        said.append(await (await ask("POST", SESSIONS, role=None, json={"pasword": secrets[3]})).text())
        said.append(await (await ask("POST", SESSIONS, role=None, data=f'{{"password": "{secrets[3]}" x')).text())
        said.append(await (await ask("GET", f"{SESSIONS}?password={secrets[3]}", role=None)).text())
        said.append(await (await office.set_password(secrets[4])).text())
        tokens.append(await office.token(password=secrets[4]))
        said.append(await (await office.get_desk(bearer(tokens[1]))).text())
        said.append(await (await ask("GET", f"{PREFIX}/config")).text())
        said.append(await (await ask("GET", f"{PREFIX}/agents")).text())
        assert "argon2" not in "".join(said)
        stored = all_of(tmp_path)
    assert "http.request" in logged.getvalue()
    for secret in secrets + tokens:
        assert secret not in logged.getvalue()
        assert not any(secret in each for each in said)
        assert secret.encode() not in stored
    assert b"$argon2id$" in stored
    assert "$argon2id$" not in repr(PasswordKept("amy", "$argon2id$", 1.0))


async def test_a_login_does_not_keep_the_loop_waiting(office: Office) -> None:
    logging_in = asyncio.create_task(office.log_in())
    turns = 0
    while not logging_in.done():
        await asyncio.sleep(0)
        turns += 1
    assert (await logging_in).status == 201
    assert turns > 300  # thousands, while some 25 ms are spent on the check; some dozens if it blocked the loop


# ---- in the store --------------------------------------------------------------------------------------------------


async def test_one_group_of_changes_leaves_what_its_order_says(tmp_path: Path) -> None:
    def session(name: str, agent: str = "amy") -> AgentSession:
        return AgentSession(name, agent, 1.0, 2e9)

    url = url_of(tmp_path / "ringback.db")
    async with await Journal.open(url) as journal, Queries(url) as queries:
        await journal.commit([SessionKept(session("a")), SessionKept(session("b", "ben"))])
        await journal.commit(
            [
                SessionKept(session("c")),
                PasswordKept("amy", "hash", 5.0),
                SessionKept(session("d")),
                SessionEnded("nothing"),
            ]
        )
        assert {each.token_hash for each in await queries.sessions()} == {"b", "d"}
        assert await queries.passwords() == [PasswordKept("amy", "hash", 5.0)]
        removed = ConfigurationKept(1, "document", 6.0, removed=("amy", "carl"))  # type: ignore[arg-type]
        await journal.commit([SessionKept(session("e")), removed])
        assert {each.token_hash for each in await queries.sessions()} == {"b"}
        await journal.commit([SessionEnded("b")])
        assert await queries.sessions() == []


async def test_expired_sessions_are_forgotten_with_what_is_written_next(tmp_path: Path) -> None:
    now = 1000.0
    url = url_of(tmp_path / "ringback.db")
    async with await Journal.open(url, clock=lambda: now) as journal, Queries(url) as queries:
        await journal.commit([SessionKept(AgentSession(str(n), "amy", 1.0, 2000.0 + n)) for n in range(2)])
        now = 2000.5
        await journal.commit([SessionEnded("nothing")])
        assert [each.token_hash for each in await queries.sessions()] == ["1"]
