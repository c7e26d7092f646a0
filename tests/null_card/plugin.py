"""The plugin of pytest that runs the tests for a real card on the null card.

Results are compared in shape and dtype alone. A test passes that ends without an error; one
whose own assertion misses a value is an expected failure, as the values of a card that computes
nothing are wrong. Everything else is a failure.
"""

import os
import re
from collections.abc import Generator
from typing import Any

import numpy as np
import pytest

from tests.null_card import entry_points, left_out, libraries

# CUB and the like are compiled into CuPy, with a runtime of their own that finds no card.
os.environ['CUPY_ACCELERATORS'] = ''
libraries.load()
entry_points.install()

import cupy.cuda.compiler  # noqa: E402 not before what it takes is in place
import cupy.cuda.thrust  # noqa: E402


def _empty_module(*args: object, name_expressions: Any = (), **options: object) -> Any:
    """In place of CuPy's compiler: a module in which every kernel is found."""
    module = cupy.cuda.function.Module()
    module.load(b'')
    module._set_mapping({name: name for name in name_expressions or ()})
    return module


def _do_nothing(*args: object, **options: object) -> None:
    """In place of what reads or makes values."""


# These kernels are not ours, and there are hundreds, each of which takes about a second.
cupy.cuda.compiler._compile_module_with_cache = _empty_module
# As with CUB.
for _name in ('sort', 'argsort', 'lexsort'):
    setattr(cupy.cuda.thrust, _name, _do_nothing)


def pytest_configure() -> None:
    """Lets tests compare arrays without their values, and so go on behind that."""
    # Imports tensorvar, which conftest.py prepares the environment for.
    from tests.support import kernel_reference, matmul_cases, sm90_cases  # noqa: PLC0415

    np.testing.assert_allclose = _assert_same_shape
    np.testing.assert_array_equal = _assert_same_shape
    kernel_reference.assert_same = _assert_same_kind
    matmul_cases.compare = _do_nothing
    sm90_cases.Product.check = _do_nothing


def _assert_same_shape(actual: Any, expected: Any, *args: object, **options: object) -> None:
    shapes = np.shape(actual), np.shape(expected)
    # As in NumPy, a number is compared with each element.
    assert shapes[0] == shapes[1] or () in shapes, f'shapes {shapes}'


def _assert_same_kind(
    actual: np.ndarray, expected: np.ndarray, what: str, **options: object
) -> None:
    assert (actual.shape, actual.dtype) == (expected.shape, expected.dtype), what


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips what needs more than a null card."""
    for item in items:
        reason = left_out.TESTS.get(item.nodeid.partition('[')[0])
        if reason is not None:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Makes an expected failure of a test that missed a value."""
    report = yield
    if report.failed and call.when == 'call' and _is_wrong_value(call.excinfo):
        report.outcome = 'skipped'
        report.wasxfail = 'wrong values'
    return report


# What asserts read that look at values, and what those read that hold without values, too.
_VALUES = re.compile(
    r'\b(numpy|to_host|value|values|tolist|tobytes|float|int|array_equal|isnan|all|any|max)\('
    r'|\berror <= |\bscalars\[|\bfailures == '
)
_FACTS = re.compile(r'\b(shape|dtype|device|ndim|len|isinstance)\b')
_KEYWORD = re.compile(r'\b\w+=(?!=)[\w.]+')


def _is_wrong_value(found: pytest.ExceptionInfo[BaseException] | None) -> bool:
    """Whether an assert about values failed, and nothing else."""
    if found is None or found.type is not AssertionError:
        return False
    raised = found.traceback[-1]
    if raised.frame.code.fullsource is None:
        return False  # code that was made by the program
    statement = _KEYWORD.sub('', str(raised.statement)).strip()
    return (
        statement.startswith('assert ')
        and _VALUES.search(statement) is not None
        and _FACTS.search(statement) is None
    )
