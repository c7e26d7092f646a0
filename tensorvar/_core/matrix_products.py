"""Products of matrices on a card: by the kernel of ours that is fastest there, or cuBLAS.

``_cuda.matmul`` says who multiplies. What is left to cuBLAS is remembered with all that cuBLAS
is told, as most products are done many times.
"""

import itertools
import math
import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tensorvar._backend.base import Array
from tensorvar._cuda import cublas, matmul, matmul_problem, remembered, targets

_UINT8 = np.dtype(np.uint8)


class _Call(NamedTuple):
    """One call of cuBLAS, and where its operands begin: bytes after those of the arrays."""

    product: cublas.Product
    offsets: tuple[int, int, int]


class _Dense(NamedTuple):
    """An array in C order that is not there yet, as far as a plan looks at it."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def ndim(self) -> int:
        """How many dimensions it has."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """How many elements it has."""
        return math.prod(self.shape)

    @property
    def strides(self) -> tuple[int, ...]:
        """Bytes from one element to the next along each dimension."""
        rest = itertools.accumulate(self.shape[:0:-1], operator.mul, initial=1)
        return tuple(count * self.dtype.itemsize for count in rest)[: self.ndim][::-1]


class MatrixProducts:
    """Products on one device.

    Args:
        kernels: ours.
        by_cublas: cuBLAS; None where it cannot be loaded.
        xp: the array module of the device, which allocates results.
    """

    def __init__(
        self, kernels: matmul.MatmulKernels, by_cublas: cublas.CublasMatmul | None, xp: Any
    ) -> None:
        self._kernels = kernels
        self._cublas = by_cublas
        self._pointer: Callable[[Array], int] = kernels.target.pointer
        self._xp = xp
        self._calls: dict[matmul.Plan, list[_Call]] = {}

    def multiply(
        self,
        a: Array,
        b: Array,
        dtype: np.dtype[Any],
        *,
        transpose_a: bool = False,
        transpose_b: bool = False,
        precision: matmul_problem.Precision = 'ieee',
        bias: Array | None = None,
        activation: matmul_problem.Activation = 'none',
    ) -> Any:
        """The product of two matrices, or of batches of them, which broadcast.

        With a bias or an activation it is one launch of ours, which gives the results that
        the product, the sum and the activation have one by one.

        Args:
            a: of rank 2 or more.
            b: likewise, of the dtype of ``a``.
            dtype: of the product: that of ``a``, float32 for 16-bit floats or int32 for int8.
            transpose_a: whether the last two dimensions of ``a`` are swapped.
            transpose_b: the same of ``b``.
            precision: of float32.
            bias: one element for each column, of the dtype of the product.
            activation: applied to the sum.

        Returns:
            A new array; NotImplemented where neither a kernel nor cuBLAS does it, or where
            cuBLAS multiplies and there is a bias or an activation.

        Raises:
            ValueError: the shapes do not go together.
        """
        shape = _shape(a, b, transpose_a, transpose_b)
        out = self._xp.empty(shape, dtype)
        if not out.size:
            return out
        if bias is not None and bias.strides != (bias.dtype.itemsize,):
            return NotImplemented
        starts = self._pointer(a), self._pointer(b), self._pointer(out)
        plan = self._kernels.plan(
            a,
            b,
            out,
            starts,
            transpose_a=transpose_a,
            transpose_b=transpose_b,
            precision=precision,
            bias=bias,
            activation=activation,
        )
        if plan.steps:
            self._kernels.launch(plan, starts, bias, self._allocate)
            return out
        if bias is not None or activation != 'none':
            return NotImplemented
        if not plan.pieces:
            return self._copied(a, b, dtype, transpose_a, transpose_b, precision)
        calls = self._calls.get(plan)
        if calls is None:
            calls = remembered.remember(self._calls, plan, self._prepare(plan))
        return out if self._launch(calls, starts) else NotImplemented

    def is_ours(
        self,
        a: tuple[tuple[int, ...], np.dtype[Any]],
        b: tuple[tuple[int, ...], np.dtype[Any]],
        dtype: np.dtype[Any],
        *,
        transpose_a: bool = False,
        transpose_b: bool = False,
        precision: matmul_problem.Precision = 'ieee',
        activation: matmul_problem.Activation = 'none',
    ) -> bool:
        """Whether a kernel of ours multiplies arrays in C order.

        Args:
            a: shape and dtype of the first factor.
            b: shape and dtype of the second factor.
            dtype: see ``multiply``, as for the others.
            transpose_a: whether the last two dimensions of ``a`` are swapped.
            transpose_b: the same of ``b``.
            precision: of float32.
            activation: applied to the sums; it decides nothing, but needs a kernel.
        """
        left, right = _Dense(*a), _Dense(*b)
        out = _Dense(_shape(left, right, transpose_a, transpose_b), dtype)
        try:
            plan = self._kernels.plan(
                left,
                right,
                out,
                (0, 0, 0),
                transpose_a=transpose_a,
                transpose_b=transpose_b,
                precision=precision,
                activation=activation,
            )
        except targets.NoKernelError:
            return False
        return bool(plan.steps)

    def _allocate(self, nbytes: int) -> Array:
        return self._xp.empty((nbytes,), _UINT8)

    def _prepare(self, plan: matmul.Plan) -> list[_Call]:
        """The calls of cuBLAS; none where it cannot do all of them."""
        able = self._cublas
        if able is None or not all(able.supports(piece.problem) for piece in plan.pieces):
            return []
        return [_Call(able.prepare(piece.problem), piece.offsets) for piece in plan.pieces]

    def _launch(self, calls: list[_Call], starts: tuple[int, int, int]) -> bool:
        """Has cuBLAS multiply; says whether it could."""
        if not calls or self._cublas is None:
            return False
        a, b, c = starts
        try:
            for product, (for_a, for_b, for_c) in calls:
                self._cublas.multiply(product, a + for_a, b + for_b, c + for_c)
        except targets.NoKernelError:
            return False
        return True

    def _copied(
        self,
        a: Array,
        b: Array,
        dtype: np.dtype[Any],
        transpose_a: bool,
        transpose_b: bool,
        precision: matmul_problem.Precision,
    ) -> Any:
        """The product of copies, which lie as everybody can read them."""
        batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        xp = self._xp
        return self.multiply(
            xp.ascontiguousarray(xp.broadcast_to(a, (*batch, *a.shape[-2:]))),
            xp.ascontiguousarray(xp.broadcast_to(b, (*batch, *b.shape[-2:]))),
            dtype,
            transpose_a=transpose_a,
            transpose_b=transpose_b,
            precision=precision,
        )


def _shape(a: Array, b: Array, transpose_a: bool, transpose_b: bool) -> tuple[int, ...]:
    rows, terms = a.shape[-2:]
    others, columns = b.shape[-2:]
    if transpose_a:
        rows, terms = terms, rows
    if transpose_b:
        others, columns = columns, others
    if terms != others:
        raise ValueError(f'{a.shape} and {b.shape} have {terms} and {others} terms')
    if a.ndim == 2 == b.ndim:
        return rows, columns
    return (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), rows, columns)
