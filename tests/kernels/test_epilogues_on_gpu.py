"""Products with what follows them on a real card: the results of an eager run, bit for bit."""

import gc
from collections.abc import Callable, Iterator
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import tensorvar as tv
from tests.support import tolerances
from tests.support.layers import check, dense, fused, layer

pytestmark = [pytest.mark.gpu, pytest.mark.usefixtures('card')]

F16, BF16, F32, F64 = np.float16, ml_dtypes.bfloat16, np.float32, np.float64
SIZES = {
    'gemv': (5, 1000, 777), 'simt': (200, 136, 77), 'mma': (200, 136, 72), 'sm90': (200, 136, 72),
}  # fmt: skip
# Few results of many terms, which are dealt out to several blocks.
MANY_TERMS = (64, 48, 16384)
TYPES = [
    ('simt', F32), ('simt', F64), ('simt', BF16), ('gemv', F32), ('gemv', F16), ('mma', F16),
    ('mma', BF16), ('sm90', F16), ('sm90', BF16),
]  # fmt: skip


@pytest.fixture
def card(fresh_devices: None) -> Iterator[None]:
    yield
    gc.collect()


def made_for(family: str, dtype: Any) -> bool:
    """Whether the card has the kernels of a family, which is the only one that was measured."""
    x, w, _ = layer(dtype, SIZES[family])
    # The first use makes the kernels of the card.
    tv.matmul(x, w)
    given = [(each._array.shape, np.dtype(dtype)) for each in (x, w)]
    return bool(x._device.backend.kernels.products.is_ours(*given, np.dtype(dtype)))


@pytest.mark.parametrize(('family', 'dtype'), TYPES)
def test_layers(measured: Callable[..., None], family: str, dtype: Any) -> None:
    measured(family)
    if not made_for(family, dtype):
        pytest.skip(f'no kernels of {family} for {np.dtype(dtype)} on this card')
    for size in (SIZES[family], MANY_TERMS if family != 'gemv' else (3, 64, 16384)):
        assert fused(check(dense, *layer(dtype, size))) == ['MatMul_AddV2_Relu']


@pytest.mark.parametrize('dtype', [F32, F64, BF16])
def test_gelu(measured: Callable[..., None], dtype: Any) -> None:
    measured('simt')

    def program(x: Any, w: Any, b: Any) -> Any:
        return tv.nn.gelu(tv.matmul(x, w) + b)

    arguments = layer(dtype, (40, 24, 16))
    expected = program(*arguments).numpy()
    traced = tv.function(program)
    for _ in range(3):
        # CuPy compiles its own, with another rounding of the last bit.
        tolerances.assert_close(traced(*arguments).numpy(), expected)
    assert fused(traced) == ['MatMul_AddV2_Gelu']
