"""The general products on a card: what the CPU cannot show, threads that truly run at once."""

from typing import Any

import numpy as np
import pytest

from tensorvar._core import kernels
from tensorvar._cuda import matmul_simt
from tests.support import card_products, matmul_cases
from tests.support.matmul_cases import Case

pytestmark = pytest.mark.gpu


def run(card: Any, wrapper: matmul_cases.Wrapper, case: Case, seed: int) -> None:
    target = card.call(kernels.equip_card, card).target
    made = matmul_cases.operands(case, np.random.default_rng(seed))
    made.c.stored[...] = 77
    before = made.c.memory.copy()
    assert card_products.multiply(card, wrapper(target, case), case, made), case
    matmul_cases.check(case, made)
    card_products.check_margins(case, made, before)


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
    assert card_products.multiply(card, matmul_simt.SimtMatmul(target), case, made)
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
