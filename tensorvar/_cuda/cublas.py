"""Multiplies matrices by cuBLAS, through ctypes.

CuPy's own way to cuBLAS copies factors that are transposed, converts batches of 16-bit
floats to float32, has no float32 results of them, and refuses to be captured into a graph.

What is promised: sums of 16-bit floats are float32 and rounded once; ``'ieee'`` multiplies
float32 as it is, whatever environment variables of CuPy say; ``'tf32'`` may round factors.
"""

import ctypes
import functools
import threading
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from tensorvar import dtypes, errors
from tensorvar._cuda import libraries, matmul_problem, targets

_INSTALL = 'CuPy needs it, too; install it with: pip install "tensorvar[cuda13]"'
_DEFAULT_ALGORITHM = -1
# Also where a sum is split among blocks, it is added up in float32.
_NO_REDUCED_PRECISION_REDUCTION = 16
# Status codes of what a version or a chip cannot do.
_NOT_THERE = frozenset({8, 15})
_LONGEST_BATCH = (1 << 31) - 1
_MEBIBYTE = 1 << 20

_POINTER, _INT, _LONG = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64
_FACTOR, _STRIDED = (_POINTER, _INT, _LONG), (_POINTER, _INT, _LONG, _LONG)
_HEAD = (_POINTER, _INT, _INT, _LONG, _LONG, _LONG, _POINTER)
_SIGNATURES: dict[str, tuple[Any, ...]] = {
    'cublasCreate_v2': (_POINTER,),
    'cublasSetMathMode': (_POINTER, _INT),
    'cublasSetStream_v2': (_POINTER, _POINTER),
    'cublasSetWorkspace_v2': (_POINTER, _POINTER, ctypes.c_size_t),
    'cublasGemmEx_64': (*_HEAD, *_FACTOR, *_FACTOR, _POINTER, *_FACTOR, _INT, _INT),
    'cublasGemmStridedBatchedEx_64': (
        *_HEAD, *_STRIDED, *_STRIDED, _POINTER, *_STRIDED, _LONG, _INT, _INT,
    ),
}  # fmt: skip

# Numbers of the types, and of what is computed in.
_TYPES = {
    dtypes.float32.numpy: 0, dtypes.float64.numpy: 1, dtypes.float16.numpy: 2,
    dtypes.complex64.numpy: 4, dtypes.complex128.numpy: 5, dtypes.bfloat16.numpy: 14,
}  # fmt: skip
_FLOAT32 = dtypes.float32.numpy
_IN_FLOAT32, _IN_TF32, _IN_FLOAT64 = 68, 77, 70
_WIDE = frozenset({dtypes.float64.numpy, dtypes.complex128.numpy})
# One and zero, as real or complex numbers.
_ONE: dict[bool, Any] = {False: (ctypes.c_float * 2)(1, 0), True: (ctypes.c_double * 2)(1, 0)}
_ZERO: dict[bool, Any] = {False: (ctypes.c_float * 2)(0, 0), True: (ctypes.c_double * 2)(0, 0)}


class Memory(Protocol):
    """Memory of a card, freed with the object.

    Attributes:
        ptr: its address.
    """

    ptr: int


class Library:
    """The functions of cuBLAS that are used; every status is looked at."""

    def __init__(self, library: Any) -> None:
        self._library = library
        library.cublasGetStatusString.restype = ctypes.c_char_p
        for name, types in _SIGNATURES.items():
            getattr(library, name).argtypes = types
        self.gemm = library.cublasGemmEx_64
        self.gemm_batched = library.cublasGemmStridedBatchedEx_64

    def create(self) -> int:
        """A new handle, for the context that is current."""
        handle = ctypes.c_void_p()
        self.check('cublasCreate', self._library.cublasCreate_v2(ctypes.byref(handle)))
        status = self._library.cublasSetMathMode(handle, _NO_REDUCED_PRECISION_REDUCTION)
        self.check('cublasSetMathMode', status)
        return handle.value or 0

    def set_stream(self, handle: int, stream: int, workspace: int, nbytes: int) -> None:
        """What a handle works on; without a workspace of its own it allocates in graphs."""
        self.check('cublasSetStream', self._library.cublasSetStream_v2(handle, stream))
        status = self._library.cublasSetWorkspace_v2(handle, workspace, nbytes)
        self.check('cublasSetWorkspace', status)

    def check(self, function: str, status: int) -> None:
        """Raises for a status that is no success.

        Raises:
            NoKernelError: this version or this chip does not have it.
            InternalError: anything else.
        """
        if not status:
            return
        text = self._library.cublasGetStatusString(status)
        message = f'[cublas] {function} failed: {text.decode()} ({status})'
        raise (targets.NoKernelError if status in _NOT_THERE else errors.InternalError)(message)


@functools.cache
def library(major: int) -> Library:
    """cuBLAS, loaded on first use.

    Args:
        major: the version of CUDA to prefer.

    Raises:
        NotFoundError: there is none; the message says what to install.
    """
    found = libraries.paths('cublas', 'cublas', major)
    return Library(libraries.load(found, 'cublas', _INSTALL, _SIGNATURES))


def can_multiply(problem: matmul_problem.Problem) -> bool:
    """Whether cuBLAS has products of these types and sizes: floats and complex numbers.

    A bias and an activation are left to whoever asks.
    """
    halves = problem.dtype in dtypes.HALF_PRECISION and problem.result == _FLOAT32
    return (
        problem.dtype in _TYPES
        and (problem.result == problem.dtype or halves)
        and 0 < problem.batch <= _LONGEST_BATCH
        and min(problem.m, problem.n, problem.k) > 0
    )


class Product(NamedTuple):
    """A prepared product; the addresses are missing.

    Attributes:
        run: the function of cuBLAS.
        head: arguments before the first address.
        first: after the address of the second factor, and before that of the first one.
        second: after that, up to the address of the results.
        tail: the rest.
    """

    run: Callable[..., int]
    head: tuple[Any, ...]
    first: tuple[Any, ...]
    second: tuple[Any, ...]
    tail: tuple[Any, ...]


class CublasMatmul:
    """Products of matrices on one device.

    Args:
        target: the device.
        library: cuBLAS.
        allocate: gives memory of so many bytes, at a multiple of 256, kept for good.
    """

    def __init__(
        self, target: targets.Target, library: Library, allocate: Callable[[int], Memory]
    ) -> None:
        self._target = target
        self._library = library
        self._allocate = allocate
        self._handle = 0
        self._stream: int | None = None
        self._workspace: Memory | None = None
        # What two threads launch with one workspace must not be mixed.
        self._lock = threading.Lock()

    def supports(self, problem: matmul_problem.Problem) -> bool:
        """Whether this does it: what cuBLAS can multiply, and nothing added or applied."""
        return can_multiply(problem) and problem.bias is None and problem.activation == 'none'

    def prepare(self, problem: matmul_problem.Problem) -> Product:
        """A product that ``supports`` said yes to, for factors at any address.

        cuBLAS sees columns where there are rows, that is C' = B' A'.
        """
        wide = problem.dtype in _WIDE
        a, b, c = problem.a, problem.b, problem.c
        batched = problem.batch > 1

        def described(matrices: matmul_problem.Matrices, dtype: Any) -> tuple[int, ...]:
            row = _TYPES[dtype], matrices.leading
            return (*row, matrices.stride) if batched else row

        count = (problem.batch,) if batched else ()
        sizes = (int(b.transposed), int(a.transposed), problem.n, problem.m, problem.k)
        return Product(
            self._library.gemm_batched if batched else self._library.gemm,
            (*sizes, ctypes.addressof(_ONE[wide])),
            described(b, problem.dtype),
            (*described(a, problem.dtype), ctypes.addressof(_ZERO[wide])),
            (*described(c, problem.result), *count, _compute_type(problem), _DEFAULT_ALGORITHM),
        )

    def multiply(self, product: Product, a: int, b: int, c: int) -> None:
        """Launches a prepared product on the current stream, and waits for nothing.

        Args:
            product: as ``prepare`` gave it.
            a: address of the first factors.
            b: address of the second factors.
            c: address of the results.

        Raises:
            NoKernelError: cuBLAS cannot do it after all; nothing was launched.
        """
        run, head, first, second, tail = product
        stream = self._target.stream()
        with self._lock:
            if stream != self._stream:
                self._turn_to(stream)
            status = run(self._handle, *head, b, *first, a, *second, c, *tail)
        if status:
            self._library.check('cublasGemm', status)

    def _turn_to(self, stream: int) -> None:
        nbytes = _workspace_bytes(self._target.name)
        if self._workspace is None:
            workspace = self._allocate(nbytes)
            self._handle = self._library.create()
            self._workspace = workspace
        self._library.set_stream(self._handle, stream, self._workspace.ptr, nbytes)
        self._stream = stream


def _compute_type(problem: matmul_problem.Problem) -> int:
    if problem.dtype in _WIDE:
        return _IN_FLOAT64
    tf32 = problem.dtype == _FLOAT32 and problem.precision == 'tf32'
    return _IN_TF32 if tf32 else _IN_FLOAT32


def _workspace_bytes(chip: str) -> int:
    """What NVIDIA recommends: more since Hopper."""
    digits = ''.join(filter(str.isdigit, chip))
    return (32 if digits and int(digits) >= 90 else 4) * _MEBIBYTE
