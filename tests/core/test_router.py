"""Dialogues with a small shop: what the router does with questions, answers, corrections and changes of mind."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from frontdesk import (
    Answer,
    Ask,
    Choice,
    Confirm,
    Date,
    Escalate,
    Outcome,
    Pass,
    Pattern,
    Plugin,
    Proceed,
    Reply,
    Slot,
    Text,
    Turn,
)
from frontdesk.testing import Bot


class TicketId(Pattern):
    ask = Text(en="Which ticket?", zh="哪张票？")
    pattern = r"T-\d{3}"


plugin = Plugin("cinema")


@plugin.intent(
    "refund_ticket",
    description=Text(en="Give a ticket back", zh="退票"),
    examples=[
        "refund my ticket",
        "I want to give my ticket back",
        "return ticket T-101",
        "my money back for the film",
        "我要退票",
    ],
)
async def refund_ticket(turn: Turn, ticket: Slot[TicketId]) -> Reply | Confirm:
    if ticket.value == "T-999":
        return Reply("That ticket was used.")
    return Confirm(f"Refund {ticket.value}?", then=refund, args={"ticket": ticket.value})


@plugin.step
async def refund(turn: Turn, ticket: str) -> Reply:
    return Reply(f"Refunded {ticket}.", resolves=True)


@plugin.intent(
    "book_ticket",
    description="Book a ticket",
    examples=["book a ticket", "I would like to see a film", "two seats for tonight please", "reserve seats for Friday"],
)
async def book_ticket(turn: Turn, day: Slot[Date]) -> Ask:
    return Ask("Which row?", then=book_row, args={"day": day.value}, choices=[Choice("Front", "front"), Choice("Back", "back")])


@plugin.step
async def book_row(turn: Turn, answer: Answer, day: str) -> Reply:
    return Reply(f"Booked the {answer} row for {day}.")


@plugin.options(TicketId)
async def tickets(turn: Turn) -> list[Choice]:
    return [Choice("Alien, 8 pm", "T-101"), Choice("Heat, 9 pm", "T-102")]


@plugin.command("rows", help="lists the rows")
async def rows(turn: Turn) -> Reply:
    return Reply("front, back")


@plugin.pattern(r"popcorn (?P<size>\w+)")
async def popcorn(turn: Turn, match: re.Match[str]) -> Reply:
    return Reply(f"One {match['size']} popcorn.")


@plugin.answer
async def opening_hours(turn: Turn) -> Reply | Pass:
    return Reply("We open at noon.") if "open" in turn.text else Pass()


@plugin.middleware
async def emergencies(turn: Turn, proceed: Proceed) -> Outcome:
    return Escalate("emergency") if "fire" in turn.text else await proceed()


@plugin.resolved
async def goodbye(turn: Turn) -> Reply:
    return Reply("Enjoy your evening.")


@pytest.fixture
def bot() -> Iterator[Bot]:
    with Bot(plugin) as bot:
        yield bot


def texts(bot: Bot, said: str) -> list[str]:
    return [reply.text for reply in bot.says(said)]


def test_a_missing_slot_is_asked_for_and_a_yes_runs_the_step(bot: Bot) -> None:
    (question,) = bot.says("I want to give my ticket back")
    assert question.text == "Which ticket?"
    assert [choice.value for choice in question.choices] == ["T-101", "T-102"]
    assert texts(bot, "t-101") == ["Refund T-101?"]
    assert texts(bot, "yes please") == ["Refunded T-101.", "Enjoy your evening."]
    assert bot.state().resolved is not None


def test_a_slot_in_the_first_sentence_is_not_asked_for(bot: Bot) -> None:
    assert texts(bot, "return ticket T-102") == ["Refund T-102?"]


def test_a_pressed_button_fills_the_slot(bot: Bot) -> None:
    bot.says("refund my ticket")
    assert [reply.text for reply in bot.presses("Heat, 9 pm")] == ["Refund T-102?"]


def test_no_changes_nothing(bot: Bot) -> None:
    bot.says("return ticket T-102")
    assert texts(bot, "no") == ["All right, nothing was changed."]
    assert bot.state().question is None


@pytest.mark.parametrize("said", ["no, T-102", "not that one, T-102", "sorry, I meant T-102", "no, the other one"])
def test_the_customer_corrects_a_slot(bot: Bot, said: str) -> None:
    bot.says("return ticket T-101")
    assert texts(bot, said) == ["Refund T-102?"]


def test_what_is_forgotten_leaves_nothing_open(bot: Bot) -> None:
    bot.says("refund my ticket")
    assert "dropped" in texts(bot, "forget it")[0]
    assert bot.state().question is None
    assert bot.state().form is None


def test_an_unreadable_answer_is_asked_for_again_and_then_given_up(bot: Bot) -> None:
    bot.says("refund my ticket")
    assert texts(bot, "what a nice day")[0].startswith("I did not get that. Which ticket?")
    assert "Which ticket?" in texts(bot, "what a nice day")[0]
    (given_up,) = bot.says("what a nice day")
    assert "don't know" in given_up.text
    assert [choice.value for choice in given_up.choices] == ["/human"]
    assert bot.state().question is None


def test_a_question_in_between_is_answered_and_the_open_one_comes_again(bot: Bot) -> None:
    bot.says("refund my ticket")
    assert texts(bot, "when do you open?") == ["We open at noon.", "Which ticket?"]
    assert texts(bot, "T-101") == ["Refund T-101?"]


def test_another_wish_takes_over(bot: Bot) -> None:
    bot.says("refund my ticket")
    bot.says("I would like to see a film")
    form = bot.state().form
    assert form is not None
    assert form.intent == "book_ticket"


def test_an_unclear_yes_is_no_confirmation(bot: Bot) -> None:
    bot.says("return ticket T-101")
    assert "Refund T-101?" in texts(bot, "yes but which one is it?")[-1]
    assert "Refunded" not in " ".join(reply.text for reply in bot.replies)


def test_an_old_button_does_no_harm(bot: Bot) -> None:
    bot.says("return ticket T-101")
    bot.says("no")
    bot.says("return ticket T-102")
    bot.says("forget it")
    assert "closed already" in bot.presses("Yes")[0].text
    assert "Refunded" not in " ".join(reply.text for reply in bot.replies)


def test_choices_are_picked_by_number_label_or_button(bot: Bot) -> None:
    for pick in ("2", "back", "Back."):
        bot.says("reserve seats for 2030-05-03")
        assert texts(bot, pick) == ["Booked the back row for 2030-05-03."]
    bot.says("reserve seats for 2030-05-03")
    assert [reply.text for reply in bot.presses("Front")] == ["Booked the front row for 2030-05-03."]


def test_an_expired_question_takes_no_answer(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    bot.says("return ticket T-101")
    clock = bot.app.runner._now
    monkeypatch.setattr(bot.app.runner, "_now", lambda: clock() + timedelta(hours=1))
    assert "Refunded" not in " ".join(texts(bot, "yes"))
    question = bot.state().question
    assert question is None or question.kind != "confirm"


def test_a_matter_of_long_ago_is_not_corrected(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    bot.says("return ticket T-101")
    bot.says("no")
    clock = bot.app.runner._now
    monkeypatch.setattr(bot.app.runner, "_now", lambda: clock() + timedelta(hours=1))
    assert "Refund T-102?" not in texts(bot, "no, the other one")


def test_a_language_with_a_region_can_be_chosen() -> None:
    with Bot(plugin, languages=("en", "pt-BR")) as bot:
        bot.says("/language pt-br")
        assert bot.state().language == "pt-BR"


def test_commands_patterns_and_answers(bot: Bot) -> None:
    assert texts(bot, "/rows") == ["front, back"]
    assert texts(bot, "one Popcorn large please") == ["One large popcorn."]
    assert texts(bot, "are you open today") == ["We open at noon."]
    (help_,) = bot.says("/help")
    assert "Give a ticket back" in help_.text
    assert "`/rows` lists the rows" in help_.text
    assert "`/nonsense`" in texts(bot, "/nonsense")[0]


def test_the_language_follows_the_customer_until_it_is_chosen(bot: Bot) -> None:
    assert texts(bot, "我要退票") == ["哪张票？"]
    bot.says("算了")
    assert texts(bot, "I want to give my ticket back") == ["Which ticket?"]
    bot.says("never mind")
    bot.says("/language zh")
    assert texts(bot, "I want to give my ticket back") == ["哪张票？"]
    assert "en, zh" in texts(bot, "/language klingon")[0]


def test_what_nobody_knows_is_said_and_counted(bot: Bot) -> None:
    assert "don't know" in texts(bot, "what is the capital of Mongolia")[0]
    assert bot.state().failures == 1
    bot.says("/rows")
    assert bot.state().failures == 0


def test_a_middleware_can_take_a_turn(bot: Bot) -> None:
    (reply,) = bot.says("there is a fire")
    assert "colleague" in reply.text
    state = bot.state()
    assert state.owner == "queue"
    assert state.handoff is not None
    assert state.handoff.reason == "emergency"
    assert bot.says("hello?") == []


def test_two_intents_that_are_equally_likely_are_offered() -> None:
    twins = Plugin("twins")

    @twins.intent(
        "rent_car", description="Rent a car", examples=["I need a car", "get me a car", "a car please", "car for Monday"]
    )
    async def rent_car(turn: Turn) -> Reply:
        return Reply("rented")

    @twins.intent("buy_car", description="Buy a car", examples=["I need a car", "get me a car", "a car please", "own car"])
    async def buy_car(turn: Turn) -> Reply:
        return Reply("bought")

    with Bot(twins) as bot:
        (question,) = bot.says("I need a car")
        assert {choice.label for choice in question.choices} == {"Rent a car", "Buy a car", "Something else"}
        assert [reply.text for reply in bot.presses("Buy a car")] == ["bought"]
        bot.says("get me a car")
        assert "don't know" in bot.presses("Something else")[0].text
