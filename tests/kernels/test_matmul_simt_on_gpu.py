"""The general products on a card: what the CPU cannot show, threads that truly run at once."""

import gc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tensorvar._backend import cupy_backend
from tensorvar._core import kernels
from tensorvar._cuda import matmul_simt
from tests.support import matmul_cases
from tests.support.matmul_cases import Case

pytestmark = pytest.mark.gpu

_ALIGNMENT = 64
_RUNS = 4


@pytest.fixture
def card() -> Iterator[Any]:
    backend = cupy_backend.CupyBackend('GPU:0', 0)
    yield backend
    backend.synchronize()
    gc.collect()


def on_card(card: Any, operand: matmul_cases.Operand) -> tuple[Any, Any]:
    """The memory of an operand on the card, and where the matrices are in it."""
    begin = -operand.memory.ctypes.data % _ALIGNMENT
    there = card.from_host(operand.memory[begin:])
    offset = operand.matrices.address - operand.memory.ctypes.data - begin
    return there, operand.matrices._replace(address=there.data.ptr + offset)


def multiply(card: Any, family: Any, case: Case, made: matmul_cases.Operands) -> None:
    """Multiplies several times on the card, and brings back the results of the last run."""
    (_a, a), (_b, b) = (on_card(card, each) for each in (made.a, made.b))
    _bias = None if made.bias is None else card.from_host(made.bias.copy())
    found = []
    for _ in range(_RUNS):
        results, c = on_card(card, made.c)
        bias = None if _bias is None else _bias.data.ptr
        problem = made.problem._replace(a=a, b=b, c=c, bias=bias)
        assert family.supports(problem)
        nbytes = family.workspace(problem) if case.split else 0
        scratch = card.empty((max(nbytes, 1),), np.dtype(np.uint8))
        card.call(family.multiply, problem, scratch.data.ptr if nbytes else 0)
        found.append(card.to_host(results))
    # A race would show as bits that change.
    for each in found:
        assert np.array_equal(each, found[0]), case
    begin = -made.c.memory.ctypes.data % _ALIGNMENT
    made.c.memory[begin:] = found[0]


def run(card: Any, wrapper: matmul_cases.Wrapper, case: Case, seed: int) -> None:
    target = card.call(kernels.equip_card, card).target
    made = matmul_cases.operands(case, np.random.default_rng(seed))
    made.c.stored[...] = 77
    before = made.c.memory.copy()
    multiply(card, wrapper(target, case), case, made)
    matmul_cases.check(case, made)
    made.c.stored[...] = 77
    assert np.array_equal(made.c.memory, before), f'{case}: it wrote beside the results'


@pytest.mark.parametrize('part', range(4))
def test_every_pair_of_settings(card: Any, part: int) -> None:
    for seed, case in enumerate(matmul_cases.pairwise_cases(matmul_cases.SIMT, 0)[part::4]):
        run(card, matmul_cases.simt, case, seed)


@pytest.mark.parametrize('part', range(2))
def test_few_rows_or_columns(card: Any, part: int) -> None:
    for seed, case in enumerate(matmul_cases.pairwise_cases(matmul_cases.THIN, 0)[part::2]):
        run(card, matmul_cases.thin, case, seed)


LARGE = (
    Case((1000, 1000, 1000)),
    Case((4095, 4097, 4099), layout='nt'),
    Case((4096, 4096, 4096), layout='tn'),
    Case((128, 128, 16384), split=True),
    Case((2048, 2048, 2048), ('float64', 'float64')),
    Case((1023, 1025, 1027), ('complex64', 'complex64'), layout='tt'),
    Case((2048, 2048, 2048), ('int8', 'int32')),
    Case((512, 512, 512), ('bfloat16', 'bfloat16'), batch='several'),
)


@pytest.mark.parametrize('case', LARGE, ids=str)
def test_large_products(card: Any, case: Case) -> None:
    """A few rows of each are compared."""
    target = card.call(kernels.equip_card, card).target
    made = matmul_cases.operands(case, np.random.default_rng(0))
    multiply(card, matmul_simt.SimtMatmul(target), case, made)
    rows = np.random.default_rng(1).integers(0, case.size[0], 16)
    part = made._replace(
        a=picked(made.a, made.a.values[:, rows]),
        b=picked(made.b, made.b.values),
        c=picked(made.c, made.c.stored[:, rows]),
    )
    matmul_cases.check(case, part)


def picked(operand: matmul_cases.Operand, values: np.ndarray) -> matmul_cases.Operand:
    """The operand with other values, as they are multiplied."""
    matrices = operand.matrices._replace(transposed=False)
    return operand._replace(stored=values, matrices=matrices)
