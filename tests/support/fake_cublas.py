"""A stand-in for libcublas: multiplies columns of host memory by NumPy, notes each call."""

import ctypes
import math
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np

from tests.support import sm90_cases

TYPES = {
    0: np.float32, 1: np.float64, 2: np.float16, 4: np.complex64, 5: np.complex128,
    14: ml_dtypes.bfloat16,
}  # fmt: skip
IN_FLOAT32, IN_FLOAT64, IN_TF32 = 68, 70, 77
HANDLE = 2**40 + 7


class Called(NamedTuple):
    sizes: tuple[int, int, int]
    batch: int
    types: tuple[int, int, int]
    compute: int
    turned: tuple[int, int]


class _Function:
    """Takes ``argtypes`` as a function of ctypes does."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.argtypes: tuple[Any, ...] | None = None

    def __call__(self, *values: Any) -> Any:
        if self.argtypes is not None:
            assert len(values) == len(self.argtypes)
            for value, kind in zip(values, self.argtypes, strict=True):
                kind.from_param(value)
        return self.function(*values)


class FakeCublas:
    """The functions that ``cublas.Library`` calls.

    Attributes:
        called: every product so far.
        set: what handles were set to.
        fails: status by name of the function.
    """

    def __init__(self) -> None:
        self.called: list[Called] = []
        self.set: list[tuple[str, Any]] = []
        self.fails: dict[str, int] = {}
        for name in (
            'cublasCreate_v2', 'cublasSetMathMode', 'cublasSetStream_v2', 'cublasSetWorkspace_v2',
            'cublasGemmEx_64', 'cublasGemmStridedBatchedEx_64', 'cublasGetStatusString',
        ):  # fmt: skip
            setattr(self, name, _Function(getattr(self, f'_{name}')))

    def _cublasCreate_v2(self, handle: Any) -> int:
        handle._obj.value = HANDLE
        return self.fails.get('cublasCreate_v2', 0)

    def _cublasSetMathMode(self, handle: Any, mode: int) -> int:
        assert handle.value == HANDLE
        self.set.append(('math mode', mode))
        return 0

    def _cublasSetStream_v2(self, handle: int, stream: int) -> int:
        assert handle == HANDLE
        self.set.append(('stream', stream))
        return 0

    def _cublasSetWorkspace_v2(self, handle: int, address: int, nbytes: int) -> int:
        assert handle == HANDLE
        assert address
        self.set.append(('workspace', nbytes))
        return 0

    def _cublasGetStatusString(self, status: int) -> bytes:
        return b'a status in words'

    def _cublasGemmEx_64(self, *values: Any) -> int:
        head, rest = values[:6], values[6:]
        alpha, a, type_a, lda, b, type_b, ldb, beta, c, type_c, ldc, compute, algorithm = rest
        matrices = ((a, type_a, lda, 0), (b, type_b, ldb, 0), (c, type_c, ldc, 0))
        return self._multiply(head, 1, matrices, (alpha, beta), compute, algorithm)

    def _cublasGemmStridedBatchedEx_64(self, *values: Any) -> int:
        head, alpha, beta, batch = values[:6], values[6], values[15], values[20]
        matrices = (values[7:11], values[11:15], values[16:20])
        return self._multiply(head, batch, matrices, (alpha, beta), *values[21:])

    def _multiply(
        self,
        head: Any,
        batch: int,
        matrices: Any,
        scalars: tuple[int, int],
        compute: int,
        algorithm: int,
    ) -> int:
        if 'cublasGemm' in self.fails:
            return self.fails['cublasGemm']
        handle, turn_a, turn_b, m, n, k = head
        assert (handle, algorithm) == (HANDLE, -1)
        kind = ctypes.c_double if compute == IN_FLOAT64 else ctypes.c_float
        assert [(kind * 2).from_address(each)[:] for each in scalars] == [[1, 0], [0, 0]]
        types = tuple(matrix[1] for matrix in matrices)
        self.called.append(Called((m, n, k), batch, types, compute, (turn_a, turn_b)))
        a = _columns(matrices[0], batch, *((k, m) if turn_a else (m, k)))
        b = _columns(matrices[1], batch, *((n, k) if turn_b else (k, n)))
        c = _columns(matrices[2], batch, m, n)
        a, b = (_computed(each, compute) for each in (a, b))
        a = a.swapaxes(-1, -2) if turn_a else a
        b = b.swapaxes(-1, -2) if turn_b else b
        c[...] = (a @ b).astype(c.dtype)
        return 0


def _computed(array: np.ndarray, compute: int) -> np.ndarray:
    if compute == IN_FLOAT64 or array.dtype.kind == 'c':
        return array
    wide = array.astype(np.float32)
    return sm90_cases.tf32(wide) if compute == IN_TF32 else wide


def _columns(matrix: Any, batch: int, rows: int, columns: int) -> np.ndarray:
    """Matrices in memory, one column after the other."""
    address, type_, leading, stride = matrix
    dtype = np.dtype(TYPES[type_])
    assert leading >= max(1, rows)
    count = (batch - 1) * stride + (columns - 1) * leading + rows
    memory = (ctypes.c_char * (count * dtype.itemsize)).from_address(address)
    strides = [each * dtype.itemsize for each in (stride, 1, leading)]
    array: np.ndarray = np.ndarray((batch, rows, columns), dtype, memory, 0, strides)
    assert math.prod(array.shape)
    return array
