import re

import pytest

from frontdesk.channels.desk import account_pages
from frontdesk.channels.desk.passwords import Passwords
from frontdesk.channels.desk.settings import DeskSettings
from frontdesk.channels.desk.throttle import Throttle

from .conftest import PASSWORD, World

COOKIE = "frontdesk_desk"


async def test_a_wrong_password_and_an_unknown_name_look_the_same(world: World) -> None:
    await world.member("ana", "Ana")
    answers = []
    for name, password in (("ana", "wrong-password-1"), ("nobody", PASSWORD)):
        browser = world.browser()
        answer = await browser.log_in(name, password)
        assert COOKIE not in answer.cookies
        answers.append((answer.status, re.sub(r'value="[^"]*"', "", await answer.text())))
    assert answers[0] == answers[1]
    assert answers[0][0] == 401


async def test_an_unknown_name_costs_a_verification_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.member("ana", "Ana")
    seen: list[str] = []
    verify = Passwords._verify
    monkeypatch.setattr(Passwords, "_verify", lambda self, known, word: seen.append(known) or verify(self, known, word))
    for name in ("ana", "nobody"):
        await world.desk.accounts.verify(name, "wrong-password-1")
    assert len(seen) == 2


async def test_guessing_is_slowed_down_per_account(world: World) -> None:
    await world.member("ana", "Ana")
    statuses = [(await world.browser().log_in("ANA" if number % 2 else "ana", "wrong-password-1")).status for number in range(11)]
    assert statuses == [401] * 10 + [429]
    assert (await world.browser().log_in("ana")).status == 429


async def test_guessing_is_slowed_down_per_address(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.member("ana", "Ana")
    for number in range(50):
        assert (await world.browser().log_in(f"user{number}", "wrong-password-1")).status == 401
    assert (await world.browser().log_in("ana")).status == 429


async def test_logging_in_rightly_blocks_no_colleague(world: World) -> None:
    await world.member("ana", "Ana")
    statuses = {(await world.browser().log_in("ana")).status for _ in range(55)}
    assert statuses == {303}


def test_the_throttle_forgets_with_time_and_stays_small() -> None:
    now = 0.0
    throttle = Throttle(2, 60, keys=3, clock=lambda: now)
    assert [throttle.attempt("a") for _ in range(3)] == [0, 0, 60]
    now = 61
    assert throttle.attempt("a") == 0
    for key in "bcdefg":
        throttle.attempt(key)
    assert len(throttle._attempts) == 3


async def test_the_cookie_is_safe_and_new_at_each_log_in(world: World) -> None:
    await world.member("ana", "Ana")
    browser = world.browser()
    planted = "x" * 43
    browser.client.session.cookie_jar.update_cookies({COOKIE: planted})
    cookie = (await browser.log_in("ana")).cookies[COOKIE]
    assert cookie.value != planted
    assert len(cookie.value) >= 43
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["secure"]) == (True, "Lax", "/desk", "")
    second = (await world.browser().log_in("ana")).cookies[COOKIE]
    assert second.value != cookie.value
    rows = await world.desk.database.run(lambda db: db.execute("SELECT key FROM sessions").fetchall())
    assert cookie.value not in [row["key"] for row in rows]


async def test_logging_in_again_ends_the_session_before(world: World) -> None:
    ana = await world.agent()
    (before,) = await world.desk.database.run(lambda db: db.execute("SELECT key FROM sessions").fetchall())
    token = next(morsel.value for morsel in ana.client.session.cookie_jar if morsel.key == "frontdesk_desk_form")
    answer = await ana.client.post(
        "/desk/login", data={"csrf": token, "name": "ana", "password": PASSWORD}, allow_redirects=False
    )
    assert answer.status == 303
    assert COOKIE in answer.cookies
    (after,) = await world.desk.database.run(lambda db: db.execute("SELECT key FROM sessions").fetchall())
    assert after["key"] != before["key"]


@pytest.mark.parametrize(("column", "seconds"), [("seen", 3 * 3600), ("created", 13 * 3600)])
async def test_sessions_end(world: World, column: str, seconds: float) -> None:
    ana = await world.agent()
    await world.desk.database.run(lambda db: db.execute(f"UPDATE sessions SET {column} = {column} - ?", (seconds,)))

    page = await ana.get("/desk/c/web%3A1?tab=mine")
    assert page.status == 303
    assert page.headers["Location"] == "/desk/login?next=/desk/c/web:1?tab%3Dmine"
    part = await ana.part("/desk/inbox", page="/desk/c/web%3A1")
    assert part.status == 401
    assert part.headers["HX-Redirect"] == "/desk/login?next=/desk/c/web%253A1"
    assert (await ana.get("/desk/events")).status == 401


async def test_background_requests_do_not_keep_a_session_alive(world: World) -> None:
    ana = await world.agent()
    await world.desk.database.run(lambda db: db.execute("UPDATE sessions SET seen = seen - 1000"))

    async def seen() -> float:
        return float(await world.desk.database.run(lambda db: db.execute("SELECT seen FROM sessions").fetchone()["seen"]))

    before = await seen()
    assert (await ana.part("/desk/inbox")).status == 200
    assert await seen() == before
    assert (await ana.get("/desk")).status == 200
    assert await seen() > before


async def test_logging_out_ends_the_session_on_the_server(world: World) -> None:
    ana = await world.agent()
    cookie = next(morsel.value for morsel in ana.client.session.cookie_jar if morsel.key == COOKIE)
    answer = await ana.client.post("/desk/logout", data={"csrf": ana.csrf}, allow_redirects=False)
    assert answer.headers["Location"] == "/desk/login?out=1"
    ana.client.session.cookie_jar.update_cookies({COOKIE: cookie})
    assert (await ana.get("/desk", cookies={COOKIE: cookie})).status == 303


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/desk//evil.example",
        "/desk/\\evil",
        "/deskevil",
        "/desk@evil.example",
        "/desk/x\r\nSet-Cookie: a=b",
        "javascript:alert(1)",
        "/elsewhere",
        "/desk/logout",
    ],
)
async def test_log_in_leads_to_the_desk_only(world: World, target: str) -> None:
    await world.member("ana", "Ana")
    answer = await world.browser().log_in("ana", next=target)
    assert (answer.status, answer.headers["Location"]) == (303, "/desk")


async def test_log_in_leads_back_to_the_page(world: World) -> None:
    await world.member("ana", "Ana")
    answer = await world.browser().log_in("ana", next="/desk/c/web%3A1?tab=mine")
    assert answer.headers["Location"] == "/desk/c/web%3A1?tab=mine"


async def test_a_disabled_account_gets_the_same_answer_as_a_wrong_password(world: World) -> None:
    await world.member("ana", "Ana")
    await world.member("ben", "Ben")
    await world.desk.accounts.set_disabled("ben", True)
    assert (await world.browser().log_in("ben")).status == 401


async def test_the_log_in_itself_needs_its_token(world: World) -> None:
    await world.member("ana", "Ana")
    fields = {"name": "ana", "password": PASSWORD}
    for more in ({}, {"csrf": ""}, {"csrf": "a" * 43}):
        answer = await world.browser().client.post("/desk/login", data={**fields, **more}, allow_redirects=False)
        assert answer.status == 403


@pytest.mark.parametrize("settings", [DeskSettings(proxies=1)])
async def test_behind_a_proxy_the_forwarded_address_counts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr(account_pages.Throttle, "attempt", lambda self, key: seen.append(key) or 0.0)
    browser = world.browser()
    page = await browser.get("/desk/login")
    token = (await page.text()).split('name="csrf" value="')[1].split('"')[0]
    await browser.client.post(
        "/desk/login", data={"csrf": token, "name": "x"}, headers={"X-Forwarded-For": "6.6.6.6, 203.0.113.9"}
    )
    assert seen == ["203.0.113.9", "x"]
