from pathlib import Path

import pytest

from frontdesk.config import matrix
from frontdesk.core.capabilities import Capabilities
from frontdesk.core.errors import ConfigurationError, MissingExtra

PAGE = Path(__file__).parents[2] / "docs" / "channels" / "README.md"
BEGIN, END = "<!-- the output of `frontdesk channels --markdown` -->\n", "<!-- end -->"


def test_every_capability_is_in_the_matrix() -> None:
    """One that is changed changes what is shown."""
    least = [cell(Capabilities()) for cell in matrix.ROWS.values()]
    changed: dict[str, object] = {name: not value for name, value in vars(Capabilities()).items() if isinstance(value, bool)} | {
        "dialect": "html",
        "max_text": 17,
        "max_attachment": 2**20,
    }
    assert changed.keys() == vars(Capabilities()).keys()
    for name, value in changed.items():
        can = Capabilities(**{name: value})  # type: ignore[arg-type]
        assert sum(one != other for one, other in zip(least, (cell(can) for cell in matrix.ROWS.values()), strict=True)) == 1


def test_a_channel_that_cannot_be_loaded_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    find = matrix.find_channel

    def find_channel(name: str) -> object:
        if name == "telegram":
            raise MissingExtra("the channel telegram", "telegram")
        if name == "slack":
            raise ConfigurationError("the channel slack is broken")
        return find(name)

    monkeypatch.setattr(matrix, "find_channel", find_channel)
    found = matrix.found_channels()
    assert found["telegram"] == 'the channel telegram needs an optional package: pip install "frontdesk[telegram]"'
    assert found["slack"] == "the channel slack is broken"
    head, *rows = matrix.table(found)
    assert "web" in head
    assert "telegram" not in head
    assert all(len(row) == len(head) for row in rows)


def test_the_documentation_is_up_to_date() -> None:
    text = PAGE.read_text(encoding="utf-8")
    shown = text.split(BEGIN)[1].split(END, maxsplit=1)[0]
    assert shown == matrix.as_markdown(matrix.found_channels()), f"put the output of `frontdesk channels --markdown` into {PAGE}"


def test_the_documentation_names_every_channel() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name in matrix.found_channels():
        assert f"| `{name}` |" in text
