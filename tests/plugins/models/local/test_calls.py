from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.plugins.models.conftest import needs

from frontdesk.core.chat import Tool
from frontdesk.plugins.models.checked import Unfit
from frontdesk.plugins.models.local.calls import parse

pytestmark = needs("jsonschema", "transformers")

CANCEL = Tool(
    name="cancel",
    description="Cancels an order.",
    parameters={
        "type": "object",
        "properties": {"order": {"type": "string"}, "refund": {"type": "boolean"}, "items": {"type": "integer"}},
        "required": ["order"],
        "additionalProperties": False,
    },
)
STATUS = Tool(name="status", description="Tells where an order is.", parameters={"type": "object"})
TOOLS = (CANCEL, STATUS)

Called = list[tuple[str, dict[str, Any]]]
ONE: Called = [("cancel", {"order": "LL-1"})]


@pytest.mark.parametrize(
    ("text", "said", "called"),
    [
        ('<tool_call>\n{"name": "cancel", "arguments": {"order": "LL-1"}}\n</tool_call>', "", ONE),
        ('One moment.\n<tool_call>{"name": "cancel", "arguments": {"order": "LL-1"}}', "One moment.", ONE),
        (
            '<tool_call>{"name": "cancel", "arguments": {"order": "LL-1"}}</tool_call> <tool_call>{"name": "status"}</tool_call>',
            "",
            [*ONE, ("status", {})],
        ),
        (
            "<tool_call>\n<function=cancel>\n<parameter=order>\n12\n</parameter><parameter=items>\n3\n</parameter><parameter=refund>\nTrue\n</parameter>\n</function>\n</tool_call>",
            "",
            [("cancel", {"order": "12", "items": 3, "refund": True})],
        ),
        ('{"name": "cancel", "parameters": {"order": "LL-1"}}', "", ONE),
        ('{"type": "function", "function": {"name": "cancel", "arguments": {"order": "LL-1"}}}', "", ONE),
        ('{"name": "cancel", "arguments": "{\\"order\\": \\"LL-1\\"}"}', "", ONE),
        ('<|python_tag|>{"name": "cancel", "parameters": {"order": "LL-1"}}<|eom_id|>', "", ONE),
        ('<|python_tag|>cancel.call(order="LL-1")', "", ONE),
        ('{"name": "cancel", "parameters": {"order": "A"}}; {"name": "status", "parameters": {}}', "", [
            ("cancel", {"order": "A"}),
            ("status", {}),
        ]),
        ('<function=cancel>{"order": "LL-1"}</function>', "", ONE),
        ('[TOOL_CALLS] [{"name": "cancel", "arguments": {"order": "LL-1"}}]', "", ONE),
        ('Sure.[TOOL_CALLS]cancel[ARGS]{"order": "LL-1"}[TOOL_CALLS]status{}', "Sure.", [*ONE, ("status", {})]),
        ('<|tool_call>call:cancel{order:<|"|>LL-1<|"|>,items:3}<tool_call|>', "", [("cancel", {"order": "LL-1", "items": 3})]),
        ("<start_function_call>call:cancel{order:<escape>{a: \"b\"}\\<escape>}<end_function_call>", "", [
            ("cancel", {"order": '{a: "b"}\\'}),
        ]),
        ('```tool_code\ncancel(order="LL-1")\n```', "", ONE),
        ('```tool_code\nprint(cancel(order="LL-1"))\n```', "", ONE),
        ('I will.\n```json\n{"name": "cancel", "parameters": {"order": "LL-1"}}\n```', "I will.", ONE),
        ('[cancel(order="LL-1"), status()]', "", [*ONE, ("status", {})]),
    ],
)  # fmt: skip
def test_calls_are_found_in_the_forms_of_the_families(text: str, said: str, called: Called) -> None:
    rest, calls = parse(text, TOOLS)
    assert [(call.name, call.arguments) for call in calls] == called
    assert rest == said
    assert all(len(call.id) == 9 and call.id.isalnum() for call in calls)
    assert len({call.id for call in calls}) == len(calls)


@pytest.mark.parametrize(
    "text",
    [
        "Hello!",
        '{"order": "LL-1"}',
        '{"name": "Kim", "parameters": {}}',
        "[1, 2]",
        "print(1)",
        "dict(a=1)",
        "```json\n{}\n```",
        "",
    ],
)
def test_an_answer_that_calls_nothing_stays_an_answer(text: str) -> None:
    assert parse(text, TOOLS) == (text, ())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('<tool_call>{"name": "cancel", "arguments": {}}</tool_call>', "order"),
        ('<tool_call>{"name": "cancel", "arguments": {"order": 7}}</tool_call>', "string"),
        ('<tool_call>{"name": "cancel", "argum', "must be JSON"),
        ('<tool_call>{"name": "drop_tables", "arguments": {}}</tool_call>', "no such tool"),
        ("[TOOL_CALLS]!", "must be JSON"),
        ('<|tool_call>call:cancel{order:LL-1}<tool_call|>', "JSON"),
        ("<tool_call>" * 40, "JSON"),
        ('<tool_call>{"name": "status", "arguments": {}}</tool_call>' * 40, "more than"),
        ("x" * 200_000, "longer"),
        ('<tool_call>{"name": "status", "arguments": [1]}</tool_call>', "object"),
    ],
)  # fmt: skip
def test_calls_that_cannot_be_made_say_what_is_wrong(text: str, problem: str) -> None:
    with pytest.raises(Unfit, match=problem):
        parse(text, TOOLS)


MARKS = st.sampled_from(
    ["<tool_call>", "</tool_call>", "[TOOL_CALLS]", "[ARGS]", "<|python_tag|>", "<function=", ">", "<parameter=", "```json\n",
     "```", '{"name": "cancel"', '"arguments": {', "}", "]", "[", "call:", "<escape>", "cancel(", '"', "order", ":", "\x00"]
)  # fmt: skip


@given(st.lists(st.one_of(MARKS, st.text(max_size=5)), max_size=30).map("".join))
def test_rubbish_is_an_answer_or_unfit_and_nothing_else(text: str) -> None:
    try:
        _, calls = parse(text, TOOLS)
    except Unfit:
        return
    assert all(call.name in ("cancel", "status") for call in calls)


def test_a_tokenizer_that_says_how_it_is_read_is_read_so() -> None:
    from tests.plugins.models.local.conftest import byte_level_tokenizer

    tokenizer = byte_level_tokenizer()
    tokenizer.response_template = {
        "defaults": {"role": "assistant"},
        "start_anchor": "<|im_start|>assistant\n",
        "fields": {
            "tool_calls": {
                "open": "<<CALL>>",
                "close": "<<END>>",
                "repeats": True,
                "content": "json",
                "transform": {"type": "function", "function": "{content}"},
            },
            "content": {},
        },
    }
    text = 'Right away.<<CALL>>{"name": "cancel", "arguments": {"order": "LL-1"}}<<END>>'
    said, calls = parse(text, TOOLS, tokenizer, "<|im_start|>assistant\n")
    assert [(call.name, call.arguments) for call in calls] == ONE
    assert said == "Right away."
