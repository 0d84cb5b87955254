import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.plugins.models.conftest import needs

from frontdesk.core.chat import ChatRequest, Tool
from frontdesk.core.errors import PromptRejected
from frontdesk.plugins.models.checked import Unfit, answer, check_request, tool_call

pytestmark = needs("jsonschema")

ORDER = {
    "type": "object",
    "properties": {
        "order": {"type": "string", "pattern": "^LL-\\d+$"},
        "count": {"type": "integer", "minimum": 1},
        "reason": {"enum": ["late", "broken"]},
        "items": {"type": "array", "uniqueItems": True, "items": {"$ref": "#/$defs/item"}},
    },
    "required": ["order"],
    "additionalProperties": False,
    "$defs": {"item": {"type": "object", "properties": {"id": {"type": "integer"}}}},
}
CANCEL = Tool(name="cancel", description="Cancels an order.", parameters=ORDER)


def problem(text: str, schema: dict | None = None) -> str:
    with pytest.raises(Unfit) as caught:
        answer(text, schema or ORDER)
    return str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        '{"order": "LL-1"}',
        '\n```json\n{"order": "LL-1"}\n```\n',
        'Here it is:\n```\n{"order": "LL-1"}\n```\nAnything else?',
        'Sure! {"order": "LL-1"} That is all.',
    ],
)
def test_json_is_found_in_an_answer(text):
    assert answer(text, ORDER) == {"order": "LL-1"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "lacks order"),
        ("[]", "must be an object"),
        ('{"order": 1}', "at $.order: must be a string"),
        ('{"order": "LL-1", "count": 0}', "at $.count: must fulfil minimum 1"),
        ('{"order": "LL-1", "reason": "other"}', 'at $.reason: must be one of ["late", "broken"]'),
        ('{"order": "LL-1", "items": [{"id": 1}, {"id": "x"}]}', "at $.items[1].id: must be an integer"),
        ('{"order": "LL-1", "items": [{"id": 1}, {"id": 1.0}]}', "at $.items: must fulfil uniqueItems true"),
        ("", "is no valid JSON"),
        ('{"order": "LL-1"', "is no valid JSON"),
        ('{"order": NaN}', "is no valid JSON"),
        ("[" * 100_000, "is nested too deeply"),
        ("[" * 100 + "]" * 100, "is nested too deeply"),
        ("[" * 90_000 + "]" * 90_000, "is nested too deeply"),
        (json.dumps([0] * 6_000), "has more than 5000 values"),
        ('"' + "x" * 300_000 + '"', "is longer than 200000 characters"),
    ],
)
def test_what_is_wrong_is_told_in_words_of_the_schema(text, said):
    assert problem(text) == said


def test_an_alternative_that_fits_nearly_is_explained():
    schema = {"anyOf": [{"type": "integer"}, {"type": "object", "required": ["name"]}]}
    assert problem('{"x": 1}', schema) == "lacks name"


@given(st.dictionaries(st.text(min_size=4), st.text(min_size=4) | st.lists(st.text(min_size=4)), min_size=1))
def test_no_word_of_the_answer_is_repeated(data):
    assert problem(json.dumps(data)) == "has properties that the schema does not have; lacks order"
    secret = problem(json.dumps({"order": "my name is Zoë", "Ann Smith": [1]}))
    assert "Zoë" not in secret
    assert "Smith" not in secret


def test_names_that_the_schema_does_not_have_are_not_repeated():
    schema = {"type": "object", "additionalProperties": {"type": "integer"}}
    assert problem('{"Ann Smith": "x"}', schema) == "at $.?: must be an integer"


@given(st.text())
def test_any_text_is_an_answer_or_unfit(text):
    with contextlib.suppress(Unfit):
        answer(text, ORDER)


def test_a_call_has_arguments_that_fulfil_the_schema():
    call = tool_call("1", "cancel", '{"order": "LL-7"}', [CANCEL])
    assert (call.id, call.name, call.arguments) == ("1", "cancel", {"order": "LL-7"})
    assert tool_call("1", "cancel", {"order": "LL-7"}, [CANCEL]).arguments == {"order": "LL-7"}


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("refund", "{}", "there is no such tool; the tools are: cancel"),
        ("cancel", "[]", "arguments of cancel: must be an object"),
        ("cancel", "", "arguments of cancel: lacks order"),
        ("cancel", "{", "arguments of cancel: is no valid JSON"),
        ("cancel", {"order": 3}, "arguments of cancel: at $.order: must be a string"),
    ],
)
def test_a_call_with_wrong_arguments_is_refused(name, arguments, said):
    with pytest.raises(Unfit, match=f"^{said.replace('$', '[$]')}$"):
        tool_call("1", name, arguments, [CANCEL])


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "thing"},
        {"$ref": "https://elsewhere.example/schema.json"},
        {"properties": {"x": {"$ref": "other.json"}}},
        {"$ref": "#/$defs/missing"},
        {"description": "x" * 10, "enum": [[0] * 6_000]},
        {"not": object()},
    ],
)
def test_a_wrong_schema_is_refused_before_a_model_is_asked(schema):
    with pytest.raises(PromptRejected, match="schema"):
        check_request(ChatRequest.of("hello", schema=schema))
    with pytest.raises(PromptRejected, match="schema"):
        check_request(ChatRequest.of("hello", tools=(Tool(name="t", description="", parameters=schema),)))


def test_a_schema_that_goes_in_circles_is_no_endless_loop():
    assert problem("1", {"$ref": "#"}) == "is nested too deeply"
