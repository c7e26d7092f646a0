"""Heavy packages are loaded on first use, from the places listed here and no others."""

import ast
import sys

import pytest

from tensorvar import _optional
from tests.support import source_tree

# Module of ours -> what it may load. A new row is a decision, not a formality.
PLACES = {
    'tensorvar._backend.gpu_discovery': {
        'cuda.pathfinder',
        'cupy',
        'importlib.metadata',
        'pynvml',
    },
    # Not heavy, but of no use to a program on the CPU.
    'tensorvar._core.device_kernels': {'tensorvar._core.kernels'},
    'tensorvar._ops._host_rows': {'scipy.sparse._sparsetools'},
    'tensorvar._ops._matrices': {'cupyx'},
    'tensorvar._ops._special': {'cupyx.scipy.special', 'scipy.special'},
}
CHEAP = {'ml_dtypes', 'numpy'}
# Loaded by pytest itself, never by the package.
FOR_PYTEST = ('tensorvar.pytest_fixtures', 'pytest')


def loads(module: source_tree.Module) -> set[str]:
    """Names that a module hands to ``_optional.load``."""
    calls = [
        node
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == '_optional.load'
    ]
    for call in calls:
        assert isinstance(call.args[0], ast.Constant), f'{module.path}:{call.lineno}: a literal'
    return {call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)}


def test_heavy_packages_are_loaded_from_the_listed_places_only() -> None:
    found = {name: loads(module) for name, module in source_tree.modules().items()}
    assert {name: loaded for name, loaded in found.items() if loaded} == PLACES


def test_modules_import_only_cheap_packages() -> None:
    wrong = [
        f'{module.path}:{imported.line}: {imported.target}'
        for module in source_tree.modules().values()
        for imported in module.imports()
        if not imported.internal
        and not imported.types_only
        and (module.name, imported.target) != FOR_PYTEST
        and imported.target not in CHEAP | sys.stdlib_module_names
    ]
    assert not wrong, 'use _optional.load:\n' + '\n'.join(wrong)


def test_load_gives_the_module() -> None:
    assert _optional.load('json', 'nothing') is sys.modules['json']


def test_a_missing_package_says_what_to_install() -> None:
    with pytest.raises(ImportError, match=r'pip install "tensorvar\[cuda13\]"'):
        _optional.load('a_package_that_does_not_exist', 'tensorvar[cuda13]')


def test_is_installed_does_not_import() -> None:
    assert _optional.is_installed('json')
    assert not _optional.is_installed('a_package_that_does_not_exist')
