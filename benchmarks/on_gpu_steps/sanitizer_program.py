"""A short program for compute-sanitizer: each kind of write to a variable, and products.

Every array gets an allocation of its own: inside a pool's larger blocks an access
beyond the end of an array would still be an access to allocated memory.
"""

from typing import Any

import cupy
import numpy as np

import tensorvar as tv

SIZES = (1, 3, 17, 257, 4097)


class SeparateBlocks:
    """Stands in for CuPy's pool of one card, and keeps nothing."""

    def __init__(self) -> None:
        self._limit = 0

    def malloc(self, nbytes: int) -> Any:
        return (
            cupy.cuda.MemoryPointer(cupy.cuda.Memory(nbytes), 0) if nbytes else cupy.cuda.alloc(0)
        )

    def used_bytes(self) -> int:
        return 0

    def total_bytes(self) -> int:
        return 0

    def free_all_blocks(self, stream: Any = None) -> None:
        """Nothing is kept."""

    def set_limit(self, size: int | None = None, fraction: float | None = None) -> None:
        self._limit = size or 0

    def get_limit(self) -> int:
        return self._limit


def main() -> None:
    """Runs each kernel once or twice and compares with NumPy."""
    cupy.cuda.memory.SingleDeviceMemoryPool = SeparateBlocks
    random = np.random.default_rng(5)
    with tv.device('GPU:0', fallback='error'):
        for dtype in (tv.float32, tv.float16, tv.bfloat16, tv.int8):
            for size in SIZES:
                write(random, dtype, size)
        multiply(random)
        scatter(random)


def write(random: np.random.Generator, dtype: Any, size: int) -> None:
    """The assigns of a whole variable and of a part."""
    host = random.integers(-3, 4, size).astype(dtype.as_numpy_dtype)
    variable, value = tv.Variable(host), tv.constant(host)
    variable.assign(value)
    variable.assign_add(value)
    variable.assign_sub(value)
    variable[: size // 2 + 1].assign(value[: size // 2 + 1])
    assert np.array_equal(variable.numpy(), host), (dtype, size)


def multiply(random: np.random.Generator) -> None:
    """Products of odd shapes."""
    for rows, inner, columns in ((3, 5, 7), (65, 33, 17), (128, 128, 64)):
        a = random.uniform(-1, 1, (rows, inner)).astype(np.float32)
        b = random.uniform(-1, 1, (inner, columns)).astype(np.float32)
        product = tv.matmul(tv.constant(a), tv.constant(b)).numpy()
        assert np.allclose(product, a @ b, atol=1e-4), (rows, inner, columns)


def scatter(random: np.random.Generator) -> None:
    """Rows added with duplicates, rows picked, and a reduction."""
    indices = random.integers(0, 7, 100)
    updates = random.integers(-3, 4, (100, 5)).astype(np.float32)
    variable = tv.Variable(tv.zeros([7, 5]))
    variable.scatter_add(tv.IndexedSlices(updates, indices))
    expected = np.zeros((7, 5), np.float32)
    np.add.at(expected, indices, updates)
    assert np.array_equal(variable.numpy(), expected)
    assert np.array_equal(tv.gather(variable, indices).numpy(), expected[indices])
    assert float(tv.reduce_sum(variable).numpy()) == float(expected.sum())


if __name__ == '__main__':
    main()
