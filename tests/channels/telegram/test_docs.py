"""The document and the code say the same."""

import re
from pathlib import Path

from frontdesk.channels.telegram.settings import MAX_DOWNLOAD, TelegramSettings

TEXT = (Path(__file__).parents[3] / "docs" / "channels" / "telegram.md").read_text(encoding="utf-8")


def test_every_setting_is_documented_with_its_default() -> None:
    section = TEXT.partition("## Settings")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", section, re.MULTILINE))
    assert rows.keys() - {"when_uncertain"} == TelegramSettings.model_fields.keys()
    for name, field in TelegramSettings.model_fields.items():
        if isinstance(field.default, bool):
            assert rows[name] == f"`{str(field.default).lower()}`"
        elif name == "max_download":
            assert rows[name] == f"{MAX_DOWNLOAD // 1024**2} MB"
        elif isinstance(field.default, int | float):
            assert float(rows[name]) == field.default
        elif isinstance(field.default, str):
            assert rows[name] == f"`{field.default}`"


def test_the_script_in_the_document_is_python() -> None:
    scripts = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert len(scripts) == 2
    compile(scripts[0], "try_telegram.py", "exec")
