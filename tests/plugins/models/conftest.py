"""What the tests of models share."""

import os
from importlib.util import find_spec

import pytest


def needs(*packages: str) -> pytest.MarkDecorator:
    """Marks tests that need optional packages: without them they are skipped, but fail where `CI` is set.

    Use it as `pytestmark = needs("torch", "transformers")`, and import the packages inside tests and fixtures.
    """
    missing = [package for package in packages if find_spec(package) is None]
    if missing and os.environ.get("CI"):
        raise RuntimeError(f"not installed: {', '.join(missing)}; every optional package must be where CI is set")
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")
