"""Operands of a plan get the shape of the result where that is faster, and the bits stay."""

import itertools
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._function import spreading

SPREAD = [
    # Each element by its number.
    ((32, 10), (10,)),
    ((32, 10), (1, 10)),
    ((32, 10), (32, 1)),
    ((2, 16, 8), (16, 1)),
    ((2, 16, 8), (2, 1, 8)),
    # By rows.
    ((32, 128), (128,)),
    ((32, 128), (1, 128)),
    ((4, 50, 9), (9,)),
    ((4, 50, 9), (1, 1, 9)),
]
KEPT = [
    # The same shape, a number, few rows, short rows, other operands of many elements, a lot.
    ((32, 128), (32, 128)),
    ((32, 128), ()),
    ((32, 128), (1, 1)),
    ((4, 128), (128,)),
    ((700, 3), (3,)),
    ((32, 128), (32, 1)),
    ((4, 50, 9), (50, 9)),
    ((1 << 10, 128), (128,)),
    ((0, 8), (8,)),
    ((8, 0), (0,)),
    ((8, 0), (8, 1)),
]
OPS = {
    'add': tv.add,
    'subtract': tv.subtract,
    'multiply': tv.multiply,
    'divide': tv.divide,
    'maximum': tv.maximum,
    'minimum': tv.minimum,
}
DTYPES = [tv.float32, tv.float64, tv.int32, tv.int64]


def values(shape: tuple[int, ...], dtype: Any, seed: int) -> np.ndarray:
    drawn = 20 * np.random.default_rng(seed).standard_normal(shape)
    given = drawn.astype(dtype.as_numpy_dtype)
    special = [0.0, -0.0, np.inf, -np.inf, np.nan] if dtype.is_floating else [0, 7, -7]
    flat = given.reshape(-1)
    flat[: len(special)] = special[: flat.size]
    return given


@pytest.mark.parametrize(('result', 'shape'), SPREAD)
def test_what_is_spread(result: tuple[int, ...], shape: tuple[int, ...]) -> None:
    found = spreading.how_to(shape, result)
    assert found is not None
    value, tile = np.random.default_rng(0).random(shape), np.empty(result)
    eval(found.text.format(value='value', index='index', tile='tile'), {
        'value': value, 'index': found.index, 'tile': tile,
    })  # fmt: skip
    assert (tile == np.broadcast_to(value, result)).all()


@pytest.mark.parametrize(('result', 'shape'), KEPT)
def test_what_is_not(result: tuple[int, ...], shape: tuple[int, ...]) -> None:
    assert spreading.how_to(shape, result) is None


@pytest.mark.parametrize('name', OPS)
@pytest.mark.parametrize('dtype', DTYPES, ids=lambda dtype: dtype.name)
@pytest.mark.filterwarnings('ignore:.*encountered in')
def test_the_bits_are_those_of_an_eager_run(name: str, dtype: Any) -> None:
    op = OPS[name]
    if name == 'divide' and not dtype.is_floating:
        pytest.skip('it gives floating numbers')
    for (result, shape), swapped in itertools.product(SPREAD + KEPT[:6], [False, True]):
        given = [
            tv.constant(values(each, dtype, number)) for number, each in enumerate((result, shape))
        ]
        given = given[::-1] if swapped else given

        def body(x: Any, y: Any) -> Any:
            # The first result stays in a buffer, in which the second may take its place.
            return op(op(op(x, y), y), op(y, x)), op(x, y)

        function = tv.function(body)
        function(*given)
        for made, wanted in zip(function(*given), body(*given), strict=True):
            assert made.numpy().tobytes() == wanted.numpy().tobytes()


def test_both_operands_of_an_op() -> None:
    function = tv.function(lambda x, y: tv.reduce_sum((x + y) * (y - x), axis=0))
    x, y = (tv.constant(values(shape, tv.float64, 1)[::-1]) for shape in ((16, 1), (1, 16)))
    for _ in range(3):
        made, wanted = function(x, y), function.python_function(x, y)
        assert made.numpy().tobytes() == wanted.numpy().tobytes()
    assert function.pretty_printed_plan().count('.take(') == 4
