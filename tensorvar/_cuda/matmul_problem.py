"""A product of matrices as the kernels see it: ``C = activation(A B + bias)``.

The product, its sum with the bias, and the activation are each rounded to the type of C, as
they are by ops that do one after the other.
"""

from typing import Literal, NamedTuple

import numpy as np

Precision = Literal['ieee', 'tf32']
Activation = Literal['none', 'relu', 'gelu']


class Matrices(NamedTuple):
    """A batch of matrices in the memory of a device.

    Attributes:
        address: of the first element.
        leading: elements from one stored row to the next, no fewer than a row has.
        stride: elements from one matrix of the batch to the next; 0 where all share one.
        transposed: whether a stored row is a column of the matrix that is multiplied.
    """

    address: int
    leading: int
    stride: int = 0
    transposed: bool = False


class Problem(NamedTuple):
    """What is multiplied: ``m x k`` by ``k x n``, in a batch.

    Attributes:
        batch: number of products.
        m: rows of A and C.
        n: columns of B and C.
        k: columns of A and rows of B; 0 gives the activation of the bias, or zeros.
        a: first factors.
        b: second factors.
        c: results, never transposed; they overlap no operand.
        dtype: of A and B.
        result: of C and of the bias: ``dtype``, float32 for 16-bit floats, or int32 for
            int8.
        precision: of float32: ``'tf32'`` rounds the factors to 10 bits of mantissa.
        bias: address of ``n`` elements that are added to each row, or None.
        activation: applied to the sum.
    """

    batch: int
    m: int
    n: int
    k: int
    a: Matrices
    b: Matrices
    c: Matrices
    dtype: np.dtype[np.generic]
    result: np.dtype[np.generic]
    precision: Precision = 'ieee'
    bias: int | None = None
    activation: Activation = 'none'

    @property
    def size(self) -> int:
        """How many results there are."""
        return self.batch * self.m * self.n
