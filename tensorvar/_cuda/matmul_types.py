"""Which types the general products take, and what they are computed in."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from tensorvar import dtypes
from tensorvar._cuda import element_types, matmul_problem

ACTIVATIONS: Mapping[str, str] = MappingProxyType(
    {'none': 'Identity', 'relu': 'op::Relu', 'gelu': 'op::Gelu'}
)
VECTOR_BYTES = 16
_FLOAT32 = np.dtype(np.float32)
_INT8, _INT32, _INT64 = (np.dtype(name) for name in ('int8', 'int32', 'int64'))
_UINT32, _UINT64 = np.dtype(np.uint32), np.dtype(np.uint64)


def sum_type(dtype: np.dtype[np.generic]) -> np.dtype[np.generic]:
    """What products are multiplied and added in.

    float32 for 16-bit floats, and integers of at least 32 bits, which wrap.
    """
    if dtype in dtypes.HALF_PRECISION:
        return _FLOAT32
    if dtype.kind == 'i':
        return _INT64 if dtype.itemsize == 8 else _INT32
    if dtype.kind == 'u':
        return _UINT64 if dtype.itemsize == 8 else _UINT32
    return dtype


def are_supported(problem: matmul_problem.Problem) -> bool:
    """Whether the dtypes, the precision and the activation of a problem go together."""
    dtype, result = problem.dtype, problem.result
    if dtype not in dtypes.NUMERIC or (dtype == _FLOAT32 and problem.precision != 'ieee'):
        return False
    if problem.activation != 'none' and dtype not in dtypes.FLOATING:
        return False
    if result == dtype:
        return True
    return result == (_FLOAT32 if dtype in dtypes.HALF_PRECISION else _INT32) and (
        dtype in dtypes.HALF_PRECISION or dtype == _INT8
    )


def codes(*named: np.dtype[np.generic]) -> tuple[str, ...]:
    """The types as the kernels name them."""
    return tuple(element_types.element_type('matmul', dtype).code for dtype in named)


def short(*named: np.dtype[np.generic]) -> str:
    """The types as names of kernels have them."""
    return '_'.join(element_types.element_type('matmul', dtype).short for dtype in named)


def has_vectors(
    matrices: matmul_problem.Matrices, itemsize: int, nbytes: int = VECTOR_BYTES
) -> bool:
    """Whether every stored row begins at a multiple of ``nbytes``."""
    places = matrices.address, matrices.leading * itemsize, matrices.stride * itemsize
    return not any(place % nbytes for place in places)


def is_aligned(problem: matmul_problem.Problem) -> bool:
    """Whether every address is a multiple of its element's size."""
    sizes = (
        (problem.a.address, problem.dtype),
        (problem.b.address, problem.dtype),
        (problem.c.address, problem.result),
        (problem.bias or 0, problem.result),
    )
    alignments = [
        (address, element_types.element_type('matmul', dtype).alignment) for address, dtype in sizes
    ]
    return not any(address % alignment for address, alignment in alignments)


def describe(problem: matmul_problem.Problem) -> matmul_problem.Problem:
    """The problem with of its addresses only what they are modulo a vector.

    Problems of one description run the same kernels on the same grids.
    """
    return problem._replace(
        a=problem.a._replace(address=problem.a.address % VECTOR_BYTES),
        b=problem.b._replace(address=problem.b.address % VECTOR_BYTES),
        c=problem.c._replace(address=problem.c.address % VECTOR_BYTES),
        bias=None if problem.bias is None else problem.bias % VECTOR_BYTES,
    )


def first_step(problem: matmul_problem.Problem, splits: int) -> matmul_problem.Problem:
    """The product that is launched first: with splits that of their sums.

    These are dense, at a multiple of 16, and in the type that products are added in.
    """
    if splits == 1:
        return problem
    into = matmul_problem.Matrices(0, problem.n, problem.m * problem.n)
    return problem._replace(c=into, result=sum_type(problem.dtype), bias=None, activation='none')


def sums_bytes(problem: matmul_problem.Problem, splits: int) -> int:
    """Bytes of the sums of splits; 0 where a product is not split."""
    return splits * problem.size * sum_type(problem.dtype).itemsize if splits > 1 else 0
