"""Array code asks the array module for nothing that CuPy lacks.

``data/cupy_names.txt`` lists what was looked up in CuPy 14.2. Before a name is added there,
look at CuPy's own: it may lack keywords or dtypes, or give another dtype than NumPy.
"""

import ast
import functools
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from tensorvar import _optional
from tensorvar._backend import cupy_module
from tests.support import source_tree

LIST = Path(__file__).parent / 'data' / 'cupy_names.txt'
# Of simulated devices alone; code asks whether the module has them.
OURS = {'library_call', 'look', 'namespace'}
DEFINITIONS = ('_define.unary', '_define.binary', '_define.array_function')


def dotted(node: ast.AST) -> list[str]:
    """The names of ``a.b.c``; the first one is empty if it is no name."""
    if isinstance(node, ast.Attribute):
        return [*dotted(node.value), node.attr]
    return [node.id if isinstance(node, ast.Name) else '']


def asked_for(tree: ast.Module) -> Iterator[str]:
    """The names that array code of a file takes from ``xp``."""
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and id(node) not in inner:
            names = dotted(node)
            if 'xp' in names[:-1]:
                yield '.'.join(names[names.index('xp') + 1 :])
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in DEFINITIONS:
            yield from (
                each.value
                for each in node.args[1:2]
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            )


def test_every_name_was_looked_up_in_cupy() -> None:
    used = {
        name for module in source_tree.modules().values() for name in asked_for(module.tree)
    } - OURS
    assert used == set(LIST.read_text().split())


@pytest.mark.skipif(importlib.util.find_spec('cupy') is None, reason='CuPy is not installed')
def test_cupy_has_every_name() -> None:
    module = cupy_module.complete(_optional.load('cupy', 'cupy'))
    for name in LIST.read_text().split():
        functools.reduce(getattr, name.split('.'), module)
