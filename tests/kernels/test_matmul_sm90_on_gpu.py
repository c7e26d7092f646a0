"""kernels/matmul_sm90.cu on a Hopper card: what the CPU cannot show, memory in its own order."""

import gc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tensorvar._backend import cupy_backend
from tensorvar._core import kernels
from tensorvar._cuda import matmul_sm90, sm90_tiles
from tests.support import sm90_cases
from tests.support.sm90_cases import Case, Kind

pytestmark = pytest.mark.gpu

# Tensor cores cut off what does not fit a sum of float32.
ADDING = 3e-6
SIZES = ((128, 128, 64), (200, 136, 200), (72, 264, 8), (1000, 1000, 1000), (511, 2049, 777))
KINDS = [
    Kind(dtype, result, layout, tile)
    for dtype, result in (
        ('bfloat16', 'bfloat16'), ('float16', 'float32'), ('float32', 'float32'),
    )
    for layout in ('nn', 'nt', 'tn', 'tt')
    for tile in sm90_tiles.TILES
]  # fmt: skip


@pytest.fixture
def card() -> Iterator[Any]:
    backend = cupy_backend.CupyBackend('GPU:0', 0)
    if backend.call(backend.chip).capability != (9, 0):
        pytest.skip('the card is not of the family sm_90a')
    yield backend
    backend.synchronize()
    gc.collect()


def multiply(
    card: Any, family: matmul_sm90.Sm90Matmul, product: sm90_cases.Product, times: int
) -> list[np.ndarray]:
    """The memory of the results after each of several runs."""
    first, second = (card.from_host(factor.memory) for factor in product.factors)
    bias = card.from_host(product.bias)
    product.poison()
    found = []
    for _ in range(times):
        results = card.from_host(product.results.memory)
        problem = product.problem._replace(
            a=product.problem.a._replace(address=first.data.ptr),
            b=product.problem.b._replace(address=second.data.ptr),
            c=product.problem.c._replace(address=results.data.ptr),
            bias=bias.data.ptr if product.case.bias else None,
        )
        assert family.supports(problem)
        scratch = card.empty((max(1, family.workspace(problem)),), np.dtype(np.uint8))
        card.call(family.multiply, problem, scratch.data.ptr)
        found.append(card.to_host(results))
    return found


@pytest.mark.parametrize('kind', KINDS, ids=lambda kind: f'{"-".join(kind[:3])}-{kind.tile}')
def test_products(card: Any, kind: Kind) -> None:
    target = card.call(kernels.equip_card, card).target
    family = sm90_cases.kernels_for(target, kind)
    generator = np.random.default_rng(0)
    for number, size in enumerate(SIZES):
        batch = tuple(sm90_cases.BATCHES)[number % len(sm90_cases.BATCHES)]
        product = sm90_cases.Product(Case(kind, size, batch, number % 2 == 0, 16), generator)
        # A race would show as bits that change.
        found = multiply(card, family, product, 5)
        for each in found:
            assert np.array_equal(each, found[0])
        product.results.memory[...] = found[0]
        product.check('on the card', adding=ADDING)


@pytest.mark.parametrize('activation', ['relu', 'gelu'])
def test_activations(card: Any, activation: str) -> None:
    target = card.call(kernels.equip_card, card).target
    for kind in KINDS[:: len(sm90_tiles.TILES)]:
        kind = kind._replace(activation=activation)
        family = matmul_sm90.Sm90Matmul(target)
        product = sm90_cases.Product(
            Case(kind, (300, 400, 500), bias=True), np.random.default_rng(1)
        )
        product.results.memory[...] = multiply(card, family, product, 1)[0]
        product.check('on the card', adding=ADDING)


def test_terms_that_are_split(card: Any) -> None:
    target = card.call(kernels.equip_card, card).target
    for kind in KINDS[:: len(sm90_tiles.TILES)]:
        family = matmul_sm90.Sm90Matmul(target)
        product = sm90_cases.Product(Case(kind, (128, 128, 16384)), np.random.default_rng(2))
        assert family._choose(product.problem, may_split=True).splits > 1
        product.results.memory[...] = multiply(card, family, product, 1)[0]
        product.check('on the card', adding=ADDING)
