"""kernels/matmul_mma.cu on a card: the table of the emulation, and products that fill it."""

from typing import Any

import numpy as np
import pytest

from tensorvar._core import kernels
from tensorvar._cuda import matmul_mma
from tests.support import card_products, mma_cases
from tests.support.mma_cases import Case

pytestmark = pytest.mark.gpu

PARTS = 8


@pytest.mark.parametrize('part', range(PARTS))
def test_every_pair_of_settings(card: Any, part: int) -> None:
    target = card.call(kernels.equip_card, card).target
    done = 0
    for seed, case in enumerate(mma_cases.pairwise_cases(1)[part::PARTS]):
        made = mma_cases.operands(case, np.random.default_rng(seed))
        made.c.stored[...] = 77
        before = made.c.memory.copy()
        if not card_products.multiply(card, mma_cases.wrapper(target, case), case, made):
            continue
        done += 1
        mma_cases.check(case, made)
        card_products.check_margins(case, made, before)
    assert done, f'{target.name} has none of these kernels'


PLAIN = Case((1, 1, 1), mma_cases.TYPES[0], 'nn', (64, 64), 'one', 'none', '16 bytes', 0, False)
LARGE = [
    PLAIN._replace(size=size, types=types, layout=layout, split=split)
    for types in mma_cases.TYPES[::2]
    for size, layout, split in (
        ((1000, 1000, 1000), 'nn', False), ((2048, 1024, 512), 'tn', False),
        ((128, 128, 8192), 'nt', True),
    )
]  # fmt: skip


@pytest.mark.parametrize('case', LARGE, ids=str)
def test_products_by_the_tile_that_is_chosen(card: Any, case: Case) -> None:
    target = card.call(kernels.equip_card, card).target
    made = mma_cases.operands(case, np.random.default_rng(0))
    if not card_products.multiply(card, matmul_mma.MmaMatmul(target), case, made):
        pytest.skip(f'{target.name} has no such kernel')
    mma_cases.check(case, made)
