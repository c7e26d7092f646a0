"""What only a card runs names nothing that is not there; elsewhere nobody would notice."""

import ast
import importlib
import types
from pathlib import Path

import pytest

from tests.support import source_tree

FILES = sorted((source_tree.ROOT / 'tests').rglob('test_*_on_gpu.py'))


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.stem)
def test_modules_have_what_is_taken_from_them(path: Path) -> None:
    name = '.'.join(path.relative_to(source_tree.ROOT).with_suffix('').parts)
    found = vars(importlib.import_module(name))
    missing = [
        f'line {node.lineno}: {ast.unparse(node)}'
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and isinstance(owner := found.get(node.value.id), types.ModuleType)
        and not hasattr(owner, node.attr)
    ]
    assert missing == []
