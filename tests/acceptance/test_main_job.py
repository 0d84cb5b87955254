"""The main job, as a stranger sees it: ask, order and cancel, ask for a person, and a person answers."""

from pathlib import Path

import pytest

from .conftest import Chat, DeskPage, Server

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]


def test_a_customer_is_served_by_the_bot_and_then_by_a_person(
    server: Server, chat: Chat, desk: DeskPage, screenshots: Path
) -> None:
    chat.open(server.address)

    chat.says("How long does delivery take?")
    chat.reads("working days", "Source")

    chat.says("I want to cancel my order")
    chat.reads("order number")
    chat.says("LL-10423")
    chat.reads("LL-10423", "€")
    chat.presses("Yes")
    chat.reads("LL-10423", "cancelled")

    chat.says("我想取消我的订单")
    chat.reads("订单号")
    chat.says("LL-10424")
    chat.reads("LL-10424", "确定")
    chat.presses("否")
    chat.reads("保持不变")

    desk.sign_up(server.admin_link, "Ada", "a-long-enough-passphrase")
    chat.says("I want to talk to a person please")
    chat.reads("colleague")
    desk.opens_waiting("asked for a person")
    desk.sees("LL-10423")
    desk.replies("Hello, this is Ada. I have cancelled it for good.")
    chat.reads("this is Ada")

    chat.says("Thank you!")
    desk.sees("Thank you!")
    chat.driver.save_screenshot(str(screenshots / "chat.png"))
    desk.driver.save_screenshot(str(screenshots / "desk.png"))


def test_history_survives_a_reload_and_a_restart(server: Server, chat: Chat) -> None:
    chat.open(server.address)
    chat.says("What is your return policy?")
    chat.reads("30 days")
    chat.driver.refresh()
    chat.open(server.address)
    chat.wait("the history after a reload", lambda: any("return policy" in own for own in chat.own()))
    server.kill()
    server.start()
    chat.says("Do you deliver on Saturdays?")
    chat.wait("an answer after a restart", lambda: len(chat.replies()) >= 2)
    assert any("return policy" in own for own in chat.own())


def test_markup_from_a_customer_is_text_at_both_ends(server: Server, chat: Chat) -> None:
    chat.open(server.address)
    attack = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    chat.says(attack)
    chat.wait("an answer", chat.replies)
    assert "&lt;img" in chat.html_of_last("own")
    assert chat.driver.title != "owned"


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 860)], ids=["phone", "desktop"])
def test_the_page_fits_its_window(server: Server, tmp_path: Path, screenshots: Path, width: int, height: int) -> None:
    chat = Chat(tmp_path / "profile", width=width, height=height, language="zh-CN")
    try:
        chat.open(server.address)
        chat.says("配送需要多长时间？")
        chat.reads("工作日")
        page = "document.documentElement"
        assert chat.driver.execute_script(f"return {page}.scrollWidth <= {page}.clientWidth")
        chat.driver.save_screenshot(str(screenshots / f"chat-zh-{width}.png"))
    finally:
        chat.close()
