from pathlib import Path

import pytest

from frontdesk.channels.desk.accounts import digest
from frontdesk.channels.desk.database import Database
from frontdesk.channels.desk.passwords import Passwords, check_policy
from frontdesk.channels.desk.strings import STRINGS, Refusal
from frontdesk.core.errors import ConfigurationError

from .conftest import PASSWORD, World, value_of


async def token_of(world: World) -> str:
    link = await world.desk.first_admin_link()
    assert link is not None
    assert link.startswith("http://desk.example/desk/welcome?token=")
    return link.partition("token=")[2]


async def test_the_first_link_creates_the_administrator_once(world: World) -> None:
    token = await token_of(world)
    browser = world.browser()
    fields = {"token": token, "name": "Ana", "display": "Ana Lima", "password": PASSWORD}

    answer = await browser.submit(f"/desk/welcome?token={token}", **fields)

    assert (answer.status, answer.headers["Location"]) == (303, "/desk")
    account = await world.desk.accounts.get("ana")
    assert account is not None
    assert account.is_admin
    assert (await browser.get("/desk")).status == 200
    assert await world.desk.first_admin_link() is None

    other = world.browser()
    assert (await other.get(f"/desk/welcome?token={token}")).status == 403
    csrf = value_of(await (await other.get("/desk/login")).text(), "csrf")
    again = await other.client.post("/desk/welcome", data={**fields, "csrf": csrf, "name": "eve", "display": "Eve"})
    assert again.status == 403
    assert await world.desk.accounts.get("eve") is None


async def test_looking_at_a_link_does_not_use_it_up(world: World) -> None:
    token = await token_of(world)
    for _ in range(3):
        assert (await world.browser().get(f"/desk/welcome?token={token}")).status == 200


async def test_a_new_first_link_ends_the_one_before(world: World) -> None:
    first, second = await token_of(world), await token_of(world)
    assert await world.desk.accounts.invited(first) is None
    assert await world.desk.accounts.invited(second) == "admin"


async def test_only_the_hash_of_a_link_is_stored(world: World) -> None:
    token = await token_of(world)
    (row,) = await world.desk.database.run(lambda db: db.execute("SELECT * FROM links").fetchall())
    assert row["key"] == digest(token)
    assert token not in [str(value) for value in row]


async def test_a_link_expires(world: World) -> None:
    token = await token_of(world)
    await world.desk.database.run(lambda db: db.execute("UPDATE links SET expires = 1"))
    assert (await world.browser().get(f"/desk/welcome?token={token}")).status == 403


async def test_a_refused_password_leaves_the_link_usable(world: World) -> None:
    token = await token_of(world)
    browser = world.browser()
    fields = {"token": token, "name": "ana", "display": "Ana"}

    short = await browser.submit(f"/desk/welcome?token={token}", password="short", **fields)
    assert short.status == 400
    assert "at least 12 characters" in await short.text()
    assert (await browser.submit(f"/desk/welcome?token={token}", password=PASSWORD, **fields)).status == 303


@pytest.mark.parametrize(
    "password", ["short", "password1234", "Password2026!!", "aaaaaaaaaaaaaa", "Frontdesk2026!", "anastasia-lima", "x" * 300]
)
def test_weak_passwords_are_refused(password: str) -> None:
    with pytest.raises(Refusal):
        check_policy(password, "anastasia-lima", "Ana")


@pytest.mark.parametrize("password", ["teapot harbor moon", "七匹狼在月光下唱歌跳舞啊啊", "lowercaseonlyyes", "x7#kQ!m2Zp9w"])
def test_length_is_all_that_a_password_needs(password: str) -> None:
    check_policy(password, "ana", "Ana")


async def test_a_password_is_the_same_in_another_normal_form() -> None:
    passwords = Passwords()
    hash = await passwords.hash("cafe\u0301-au-lait-long")
    assert hash.startswith("$argon2id$")
    assert await passwords.verify(hash, "caf\u00e9-au-lait-long")
    assert not await passwords.verify(hash, "cafe-au-lait-long")
    assert not await passwords.verify("not a hash", "cafe-au-lait-long")


@pytest.mark.parametrize(
    ("name", "display", "problem"),
    [
        ("ANA", "Somebody", "name_taken"),
        ("eve", "ana", "name_taken"),
        ("eve", "agent: Ana", "display_invalid"),
        ("eve", "A\u202eb", "display_invalid"),
        ("eve", "  ", "display_invalid"),
        ("e", "Eve", "name_invalid"),
        ("../eve", "Eve", "name_invalid"),
    ],
)
async def test_names_are_unique_and_plain(world: World, name: str, display: str, problem: str) -> None:
    await world.member("ana", "Ana")
    admin = await world.desk.accounts.get("ana")
    assert admin is not None
    token = await world.desk.accounts.invite("agent", admin)
    with pytest.raises(Refusal) as refusal:
        await world.desk.accounts.join(token, name=name, display=display, password=PASSWORD)
    assert refusal.value.key == problem


async def test_an_administrator_invites_and_disables(world: World) -> None:
    ana = await world.agent()
    page = await ana.submit("/desk/team", role="agent")
    assert page.status == 405  # the page itself takes no form

    csrf = {"csrf": ana.csrf}
    shown = await (await ana.client.post("/desk/team/invite", data={**csrf, "role": "agent"})).text()
    token = value_of(shown.replace('id="link"', 'name="link"'), "link").partition("token=")[2]
    assert await world.desk.accounts.invited(token) == "agent"
    await world.desk.accounts.join(token, name="ben", display="Ben", password=PASSWORD)

    ben = await world.agent("ben", "Ben")
    answer = await ana.client.post("/desk/team/status", data={**csrf, "name": "ben", "disabled": "1"}, allow_redirects=False)
    assert answer.status == 303
    assert (await ben.get("/desk")).status == 303
    assert (await world.browser().log_in("ben")).status == 401

    await ana.client.post("/desk/team/status", data={**csrf, "name": "ben", "disabled": "0"})
    assert (await world.browser().log_in("ben")).status == 303


async def test_an_agent_is_no_administrator(world: World) -> None:
    await world.member("ana", "Ana")
    ben = await world.agent("ben", "Ben")
    assert (await ben.get("/desk/team")).status == 403
    for path, fields in (("invite", {"role": "admin"}), ("status", {"name": "ana", "disabled": "1"})):
        assert (await ben.post(f"/desk/team/{path}", fields)).status == 403
    assert "/desk/team" not in await (await ben.get("/desk")).text()
    ana = await world.desk.accounts.get("ana")
    assert ana is not None
    assert not ana.disabled


async def test_the_last_administrator_stays(world: World) -> None:
    ana = await world.agent()
    answer = await ana.client.post("/desk/team/status", data={"csrf": ana.csrf, "name": "ana", "disabled": "1"})
    assert answer.status == 409
    assert (await ana.get("/desk")).status == 200


async def test_links_of_a_disabled_administrator_stop_working(world: World) -> None:
    await world.member("ana", "Ana")
    await world.member("bea", "Bea", "admin")
    bea = await world.desk.accounts.get("bea")
    assert bea is not None
    token = await world.desk.accounts.invite("agent", bea)
    await world.desk.accounts.set_disabled("bea", True)
    assert await world.desk.accounts.invited(token) is None


async def test_changing_the_password_ends_other_sessions(world: World) -> None:
    here, there = await world.agent(), await world.agent()
    new = "another-harbor-78"

    wrong = await here.client.post("/desk/account/password", data={"csrf": here.csrf, "current": "no", "new": new})
    assert wrong.status == 403
    right = await here.client.post("/desk/account/password", data={"csrf": here.csrf, "current": PASSWORD, "new": new})
    assert right.status == 200
    assert (await here.get("/desk")).status == 200
    assert (await there.get("/desk")).status == 303
    assert (await world.browser().log_in("ana")).status == 401
    assert (await world.browser().log_in("ana", new)).status == 303


def test_all_words_are_there_in_english() -> None:
    assert all(text["en"].strip() for text in STRINGS.values())


async def test_a_file_that_cannot_be_used_is_named_with_its_setting(tmp_path: Path) -> None:
    (tmp_path / "desk.sqlite").write_text("these are no tables" * 100)
    with pytest.raises(ConfigurationError, match=r"channels\.desk\.database"):
        await Database(tmp_path / "desk.sqlite").start()


async def test_a_file_of_an_earlier_version_is_opened(tmp_path: Path) -> None:
    for _ in range(2):
        database = Database(tmp_path / "desk.sqlite")
        await database.start()
        assert await database.run(lambda db: db.execute("PRAGMA user_version").fetchone()[0]) == 1
        assert await database.run(lambda db: db.execute("SELECT count(*) FROM accounts").fetchone()[0]) == 0
        await database.close()
