"""The public face: what is promised is there, and nothing heavy comes with it."""

import subprocess
import sys

import frontdesk


def test_all_names_are_sorted_and_there() -> None:
    assert len(frontdesk.__all__) > 20
    assert frontdesk.__all__ == sorted(frontdesk.__all__)
    assert all(getattr(frontdesk, name) is not None for name in frontdesk.__all__)


def test_the_core_loads_no_model_and_no_parser_when_it_is_imported() -> None:
    heavy = {"sklearn", "scipy", "onnxruntime", "dateparser", "phonenumbers", "bm25s", "torch", "matplotlib", "py3langid"}
    code = "import sys, frontdesk.core.app; print(sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "frontdesk" in loaded
    assert [name for name in heavy if f"'{name}'" in loaded] == []
