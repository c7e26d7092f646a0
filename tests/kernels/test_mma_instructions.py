"""ldmatrix and mma.sync as the emulation runs them, against the tables of the PTX ISA.

The tables are written here as they stand there, one function per instruction, and not as
the emulation computes them.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np
import pytest

from tensorvar import errors
from tensorvar._cuda import arguments, cache, host_emulation, launch, source
from tests.support import built_beside

Place = tuple[int, int]


class Multiply(NamedTuple):
    """An mma: its extents, elements, and who holds which element.

    Attributes:
        m: rows of A and C.
        k: columns of A and rows of B.
        dtype: of the elements of A and B.
        total: of those of C.
        a: row and column of element i of lane group g and place t.
        b: the same of B.
        c: the same of C.
        call: of the wrapper.
    """

    m: int
    k: int
    dtype: Any
    total: Any
    a: Callable[[int, int, int], Place]
    b: Callable[[int, int, int], Place]
    c: Callable[[int, int, int], Place]
    call: str


def c_of_16_rows(g: int, t: int, i: int) -> Place:
    return (g if i < 2 else g + 8), t * 2 + (i & 1)


def c_of_8_rows(g: int, t: int, i: int) -> Place:
    return g, t * 2 + i


INSTRUCTIONS = {
    'f16_k16': Multiply(
        16, 16, np.float16, np.float32,
        lambda g, t, i: (g if i in (0, 1, 4, 5) else g + 8, t * 2 + (i & 1) + (8 if i > 3 else 0)),
        lambda g, t, i: (t * 2 + (i & 1) + (8 if i > 1 else 0), g),
        c_of_16_rows, 'TensorCore<tv::Half>::multiply_16(sum, a, b[0], b[1])',
    ),
    'f16_k8': Multiply(
        16, 8, np.float16, np.float32,
        lambda g, t, i: (g if i < 2 else g + 8, t * 2 + (i & 1)),
        lambda g, t, i: (t * 2 + i, g),
        c_of_16_rows, 'TensorCore<tv::Half>::multiply_8(sum, a[0], a[1], b[0])',
    ),
    'bf16_k16': Multiply(
        16, 16, ml_dtypes.bfloat16, np.float32,
        lambda g, t, i: (g if i in (0, 1, 4, 5) else g + 8, t * 2 + (i & 1) + (8 if i > 3 else 0)),
        lambda g, t, i: (t * 2 + (i & 1) + (8 if i > 1 else 0), g),
        c_of_16_rows, 'TensorCore<tv::BFloat16>::multiply_16(sum, a, b[0], b[1])',
    ),
    'tf32_k8': Multiply(
        16, 8, np.float32, np.float32,
        lambda g, t, i: (g if i in (0, 2) else g + 8, t if i < 2 else t + 4),
        lambda g, t, i: (t if i == 0 else t + 4, g),
        c_of_16_rows, 'TensorCore<float>::multiply_8(sum, a, b[0], b[1])',
    ),
    'i8_k32': Multiply(
        16, 32, np.int8, np.int32,
        lambda g, t, i: (
            g if i < 4 or 8 <= i < 12 else g + 8,
            t * 4 + (i & 3) + (16 if i > 7 else 0),
        ),
        lambda g, t, i: (t * 4 + (i & 3) + (16 if i > 3 else 0), g),
        c_of_16_rows, 'TensorCore<tv::i8>::multiply_32(sum, a, b[0], b[1])',
    ),
    'i8_k16': Multiply(
        8, 16, np.int8, np.int32,
        lambda g, t, i: (g, t * 4 + i),
        lambda g, t, i: (t * 4 + i, g),
        c_of_8_rows, 'TensorCore<tv::i8>::multiply_16(sum[0], sum[1], a[0], b[0])',
    ),
    'f64_16_rows': Multiply(
        16, 4, np.float64, np.float64,
        lambda g, t, i: (g if i == 0 else g + 8, t),
        lambda g, t, i: (t, g),
        c_of_16_rows, 'TensorCore<double>::multiply_16_rows(sum, a, b[0])',
    ),
    'f64_8_rows': Multiply(
        8, 4, np.float64, np.float64,
        lambda g, t, i: (g, t),
        lambda g, t, i: (t, g),
        c_of_8_rows, 'TensorCore<double>::multiply_8_rows(sum[0], sum[1], a[0], b[0])',
    ),
}  # fmt: skip


def register_size(each: Multiply) -> int:
    return max(4, np.dtype(each.dtype).itemsize)


def export(name: str, each: Multiply) -> source.Export:
    size = np.dtype(each.dtype).itemsize
    a, b = (rows * each.k * size // 32 // register_size(each) for rows in (each.m, 8))
    register = 'double' if size == 8 else 'tv::u32'
    total = {'f': 'float', 'd': 'double', 'i': 'tv::i32'}[np.dtype(each.total).char]
    counts = (str(a), str(b), str(each.m // 4))
    call = f'tv::{each.call}'
    return source.Export('mma.cu', 'TV_MULTIPLY', name, (register, total, *counts, call))


OTHERS = {
    name: source.Export('mma.cu', 'TV_INSTRUCTION', name, (parameters, call))
    for name, parameters, call in (
        ('load_rows', '(const tv::u8* v, tv::u64 n, const tv::u32* r, tv::u32* g)',
         'load_rows<false>(v, n, r, g)'),
        ('load_columns', '(const tv::u8* v, tv::u64 n, const tv::u32* r, tv::u32* g)',
         'load_rows<true>(v, n, r, g)'),
        ('half_a_warp', '(tv::u64)', 'load_by_half_a_warp()'),
        ('both_ways', '(tv::u64)', 'load_both_ways()'),
        ('round_to_tf32', '(tv::u32* v)', 'round_to_tf32(v)'),
        ('unzip_bytes', '(tv::u32* w)', 'unzip_bytes(w)'),
    )
}  # fmt: skip
EXPORTS = {name: export(name, each) for name, each in INSTRUCTIONS.items()} | OTHERS


@pytest.fixture(scope='module')
def target(
    kernel_cache: cache.Cache, tmp_path_factory: pytest.TempPathFactory
) -> host_emulation.HostTarget:
    folder = tmp_path_factory.mktemp('mma') / 'kernels'
    return built_beside.target(kernel_cache, folder, 'mma.cu', EXPORTS.values())


def run(target: host_emulation.HostTarget, name: str, *values: Any, shared: int = 0) -> None:
    signature = arguments.Signature(*[arguments.POINTER] * len(values))
    bound = target.kernel(EXPORTS[name], signature).bind(launch.Grid(1, 32, shared))
    bound(0, *[each.ctypes.data if isinstance(each, np.ndarray) else each for each in values])


def spread(
    matrix: np.ndarray, place: Callable[[int, int, int], Place], per_lane: int
) -> np.ndarray:
    """What the lanes hold of a matrix."""
    return np.array(
        [[matrix[place(*divmod(lane, 4), i)] for i in range(per_lane)] for lane in range(32)],
        matrix.dtype,
    )


def values(dtype: Any, shape: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
    if np.dtype(dtype).kind == 'i':
        return generator.integers(-128, 128, shape).astype(dtype)
    return generator.integers(-16, 17, shape).astype(dtype)


@pytest.mark.parametrize('name', INSTRUCTIONS)
def test_an_mma_multiplies_what_the_lanes_hold(
    ordered: host_emulation.HostTarget, name: str
) -> None:
    each = INSTRUCTIONS[name]
    generator = np.random.default_rng(len(name))
    a, b = (values(each.dtype, shape, generator) for shape in ((each.m, each.k), (each.k, 8)))
    c = values(each.total, (each.m, 8), generator)
    held = spread(c, each.c, each.m // 4)
    run(
        ordered, name, spread(a, each.a, each.m * each.k // 32),
        spread(b, each.b, each.k // 4), held,
    )  # fmt: skip
    expected = c + a.astype(each.total) @ b.astype(each.total)
    assert np.array_equal(held, spread(expected, each.c, each.m // 4))


def test_sums_of_int8_wrap(ordered: host_emulation.HostTarget) -> None:
    factors = np.full((32, 16), 127, np.int8), np.full((32, 8), 127, np.int8)
    held = np.full((32, 4), 2**31 - 1, np.int32)
    run(ordered, 'i8_k32', *factors, held)
    assert (held == 2**31 - 1 + 32 * 127**2 - 2**32).all()


@pytest.mark.parametrize(('name', 'transposed'), [('load_rows', False), ('load_columns', True)])
def test_ldmatrix(ordered: host_emulation.HostTarget, name: str, transposed: bool) -> None:
    generator = np.random.default_rng(3)
    memory = generator.integers(0, 256, 2048, np.uint8)
    rows = generator.permutation(128)[:32].astype(np.uint32) * 16
    held = np.zeros((32, 4), np.uint32)
    run(ordered, name, memory, memory.size, rows, held, shared=memory.size)
    for i in range(4):
        matrix = np.array(
            [memory[row : row + 16].view(np.uint16) for row in rows[i * 8 : i * 8 + 8]]
        )
        matrix = matrix.T if transposed else matrix
        expected = [matrix[lane // 4, lane % 4 * 2 : lane % 4 * 2 + 2] for lane in range(32)]
        assert np.array_equal(held[:, i], np.array(expected).view(np.uint32)[:, 0])


@pytest.mark.parametrize(
    ('row', 'message'), [(8, 'no multiple'), (2048, 'outside the dynamic shared memory')]
)
def test_ldmatrix_refuses_an_address(
    ordered: host_emulation.HostTarget, row: int, message: str
) -> None:
    memory, held = np.zeros(1024, np.uint8), np.zeros((32, 4), np.uint32)
    rows = np.zeros(32, np.uint32)
    rows[7] = row
    with pytest.raises(errors.InternalError, match=message):
        run(ordered, 'load_rows', memory, memory.size, rows, held, shared=memory.size)


def test_a_warp_must_be_complete_and_agree(ordered: host_emulation.HostTarget) -> None:
    with pytest.raises(errors.InternalError, match='misses lanes'):
        run(ordered, 'half_a_warp', 0, shared=1024)
    with pytest.raises(errors.InternalError, match='different instructions'):
        run(ordered, 'both_ways', 0, shared=1024)


def test_rounding_to_tf32(target: host_emulation.HostTarget) -> None:
    exact = np.array([0.0, -0.0, 1.0, np.inf, -np.inf, 2**-126], np.float32)
    ulp = 2.0**-10
    near = np.array([1 + ulp / 2, -1 - ulp / 2, 1 + ulp * 0.49, 1 + ulp * 1.5], np.float32)
    large = np.array([np.finfo(np.float32).max], np.float32)
    given = np.zeros(32, np.float32)
    given[: exact.size + near.size + 1] = np.concatenate([exact, near, large])
    given[-1], given.view(np.uint32)[-2] = np.nan, 0x7FFFFFFF
    run(target, 'round_to_tf32', given)
    assert np.array_equal(given[: exact.size], exact)
    assert list(given[exact.size :][:4]) == [1 + ulp, -1 - ulp, 1, 1 + 2 * ulp]
    assert given[exact.size + near.size] == np.inf
    assert np.isnan(given[-2:]).all()


def test_every_second_byte(target: host_emulation.HostTarget) -> None:
    words = np.arange(256, dtype=np.uint8)
    run(target, 'unzip_bytes', words)
    pairs = np.arange(256, dtype=np.uint8).reshape(32, 4, 2)
    assert np.array_equal(words.reshape(32, 2, 4), pairs.transpose(0, 2, 1))
