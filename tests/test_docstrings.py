"""The examples in docstrings run and print what they say."""

import doctest
import importlib

import pytest

from tests.support import source_tree

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
WITH_EXAMPLES = [
    name for name, module in source_tree.modules().items() if '>>> ' in module.path.read_text()
]


@pytest.mark.parametrize('name', WITH_EXAMPLES)
def test_examples_run(name: str, fresh_devices: None, capsys: pytest.CaptureFixture[str]) -> None:
    result = doctest.testmod(importlib.import_module(name), optionflags=OPTIONS)
    assert result.attempted > 0
    assert result.failed == 0, capsys.readouterr().out
