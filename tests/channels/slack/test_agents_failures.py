"""Agents in Slack, when something is down, repeated, missing or restarted."""

from typing import Any

import pytest

from frontdesk.core.app import App
from frontdesk.core.errors import TransientError
from frontdesk.core.testing.platform import until

from .conftest import Office


async def test_threads_are_opened_for_what_waited_while_the_bot_was_down(office: Office) -> None:
    async with office.open():
        office.slack.fail("chat.postMessage", status=503, times=1000)
        await office.says("human please")
        await office.channel.wait_for(1)
    office.slack.faults.clear()
    assert office.roots() == []
    async with office.open():
        await until(lambda: "The last messages" in (office.read() if office.roots() else ""))
    assert len(office.roots()) == 1


async def test_an_answer_of_slack_that_was_lost_posts_nothing_twice(app: App, office: Office) -> None:
    office.slack.fail("chat.postMessage", lost=True, times=2)
    await office.escalate()
    office.slack.fail("chat.postMessage", lost=True)
    await office.says("one")
    await office.says("two")
    await until(lambda: "two" in office.read())
    assert (len(office.roots()), office.read().count("one"), office.read().count("The last")) == (1, 1, 1)


async def test_a_restart_shows_nothing_twice_and_misses_nothing(office: Office) -> None:
    async with office.open():
        await office.escalate()
        await office.take()
        await office.says("before")
        await until(lambda: "before" in office.read())
        office.slack.fail("chat.*", status=503, times=1000)
        await office.says("meanwhile")
        await office.write("an answer")
        await office.arrives()
    office.slack.faults.clear()
    async with office.open():
        await until(lambda: "meanwhile" in office.read())
        await office.write("again")
        assert await office.arrives() == ["again"], "what was sent before is not sent again"
    assert (len(office.roots()), office.read().count("before"), office.read().count("meanwhile")) == (1, 1, 1)


async def test_acts_that_were_acknowledged_are_carried_out_after_a_restart(office: Office) -> None:
    async with office.open():
        await office.escalate()
        await office.take()
        office.slack.fail("download", status=503, times=1)
        await office.write("with a file", files={"a.pdf": b"PDF"})
    async with office.open():
        assert await office.arrives() == ["with a file"]


async def test_what_cannot_be_kept_is_not_acknowledged(app: App, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    await office.escalate()
    await office.take()
    agents = app.channels["slack"]._agents  # type: ignore[attr-defined]
    keep, refused = agents._db.keep, []

    async def full(*row: Any) -> bool:
        if not refused:
            refused.append(row)
            raise TransientError("the disk is full")
        return bool(await keep(*row))

    monkeypatch.setattr(agents._db, "keep", full)
    written = await office.write("hello")
    assert written.deliveries[0].answers[0].status == 503
    assert await office.arrives() == ["hello"]


async def test_slack_says_later(app: App, office: Office) -> None:
    office.slack.fail("*", status=429, retry_after=1, times=2)
    await office.escalate()
    office.slack.fail("users.info", status=500, times=2)
    await office.take()
    await office.write("patience")
    assert await office.arrives() == ["patience"]


async def test_scopes_that_are_missing(app: App, office: Office) -> None:
    """Without looking at what was posted it goes on; without knowing who is a member nobody takes anything."""
    office.slack.fail("conversations.*", error="missing_scope", times=100)
    root = await office.escalate()
    await root.press("Take")
    await until(lambda: any("Only full members" in words for words in office.whispers(office.ann)))
    await office.says("still there?")
    await until(lambda: "still there?" in office.read())


async def test_customers_in_slack_are_served_too(app: App, office: Office) -> None:
    dm = await office.slack.user("Cleo Customer").dm()
    await dm.write("human please")
    await until(lambda: "The last messages" in (office.read() if office.roots() else ""))
    await office.take()
    await office.write("How can I help?")
    await until(lambda: dm.replies[-1].text == "How can I help?")
    assert "proven" in office.roots()[-1].text
    assert "cleo needs a person" in office.roots()[-1].text.lower()


async def test_several_people_in_a_thread_are_told_apart(app: App, office: Office) -> None:
    cleo, dan = office.slack.user("Cleo Customer"), office.slack.user("Dan Customer")
    general = office.slack.channel("general", cleo, dan)
    root = await cleo.at(general).write(f"<@{office.slack.workspace.bot.id}> human please")
    await until(lambda: "The last messages" in (office.read() if office.roots() else ""))
    await dan.at(general).write("me too", thread=root)
    await until(lambda: "me too" in office.read())
    await cleo.at(general).write("and I", thread=root)
    await until(lambda: "and I" in office.read())
    shown = office.read().lower()
    assert shown.index("cleo") < shown.index("dan") < shown.rindex("cleo")
