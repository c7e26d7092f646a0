"""Arrays that are multiplied, reduced to the fewest problems that the kernels know.

Dimensions of a batch that can be walked as one are merged, the longest of what is left
becomes the batch of a problem, and a batch that shares its second factor becomes rows of one
matrix.
"""

from typing import Any, NamedTuple

from tensorvar import errors
from tensorvar._cuda import layout, matmul_problem


class Piece(NamedTuple):
    """One problem of a product of arrays.

    Attributes:
        problem: with addresses 0.
        offsets: bytes from the first element of a, b and out to where it begins.
    """

    problem: matmul_problem.Problem
    offsets: tuple[int, int, int]

    def at(self, starts: tuple[int, int, int], bias: int | None = None) -> matmul_problem.Problem:
        """The problem with its addresses, for those of a, b, out and of the bias."""
        places = zip(self.problem[4:7], starts, self.offsets, strict=True)
        a, b, c = (each._replace(address=start + offset) for each, start, offset in places)
        return self.problem._replace(a=a, b=b, c=c, bias=bias)


class _Matrix(NamedTuple):
    """The last two dimensions of an array, in elements."""

    rows: int
    columns: int
    leading: int
    transposed: bool


class _Dimension(NamedTuple):
    """A dimension of the batch: its extent and the elements to the next matrix of each."""

    extent: int
    a: int
    b: int
    c: int


def arrange(
    a: Any,
    b: Any,
    out: Any,
    *,
    transpose_a: bool,
    transpose_b: bool,
    precision: matmul_problem.Precision = 'ieee',
    activation: matmul_problem.Activation = 'none',
) -> tuple[Piece, ...] | None:
    """The problems, none where there are no results; None where a factor lies too oddly.

    Raises:
        InvalidTypeError: the factors are of two dtypes.
        InvalidArgumentError: the shapes do not go together, or rows of ``out`` are not
            dense.
    """
    _check(a, b, out, transpose_a, transpose_b)
    if not out.size:
        # The strides of an array without elements mean nothing.
        return ()
    left, right = _matrix(a, transpose_a), _matrix(b, transpose_b)
    into = _matrix(out, False)
    if into is None or into.transposed:
        raise errors.InvalidArgumentError(
            f'[matmul] results of shape {out.shape} with the strides {out.strides}; the '
            f'elements of a row must be neighbours; make a new array'
        )
    if left is None or right is None:
        return None
    dimensions = _batch(a, b, out)
    if dimensions is None:
        return None
    batch = max(dimensions, key=lambda each: each.extent, default=_Dimension(1, 0, 0, 0))
    problem = matmul_problem.Problem(
        batch.extent,
        into.rows,
        into.columns,
        left.columns,
        matmul_problem.Matrices(0, left.leading, batch.a, left.transposed),
        matmul_problem.Matrices(0, right.leading, batch.b, right.transposed),
        matmul_problem.Matrices(0, into.leading, batch.c),
        a.dtype,
        out.dtype,
        precision=precision,
        activation=activation,
    )
    problem = _fold(problem)
    others = [each for each in dimensions if each is not batch]
    sizes = a.dtype.itemsize, b.dtype.itemsize, out.dtype.itemsize
    return tuple(Piece(problem, offsets) for offsets in _offsets(others, sizes))


def _check(a: Any, b: Any, out: Any, transpose_a: bool, transpose_b: bool) -> None:
    if a.dtype != b.dtype:
        raise errors.InvalidTypeError(
            f'[matmul] factors of {a.dtype} and {b.dtype}; cast one of them'
        )
    if min(a.ndim, b.ndim, out.ndim) >= 2:
        m, k = a.shape[-2:][::-1] if transpose_a else a.shape[-2:]
        other, n = b.shape[-2:][::-1] if transpose_b else b.shape[-2:]
        if k == other and out.shape[-2:] == (m, n):
            return
    marks = [' transposed' if each else '' for each in (transpose_a, transpose_b)]
    raise errors.InvalidArgumentError(
        f'[matmul] factors of shape {a.shape}{marks[0]} and {b.shape}{marks[1]} with results '
        f'of shape {out.shape}; allowed are (..., m, k), (..., k, n) and (..., m, n)'
    )


def _matrix(array: Any, transpose: bool) -> _Matrix | None:
    order = (-1, -2) if transpose else (-2, -1)
    rows, columns = (array.shape[axis] for axis in order)
    strides = _in_elements(array)
    if strides is None:
        return None
    down, across = (strides[axis] for axis in order)
    if (across == 1 or columns <= 1) and (down >= columns or rows <= 1):
        return _Matrix(rows, columns, down if rows > 1 else max(columns, 1), transposed=False)
    if (down == 1 or rows <= 1) and (across >= rows or columns <= 1):
        return _Matrix(rows, columns, across if columns > 1 else max(rows, 1), transposed=True)
    return None


def _in_elements(array: Any) -> tuple[int, ...] | None:
    """The strides in elements, or None where they are no whole number of them."""
    size = array.dtype.itemsize
    if any(stride % size for stride in array.strides):
        return None
    return tuple(stride // size for stride in array.strides)


def _batch(a: Any, b: Any, out: Any) -> list[_Dimension] | None:
    """What is left of the dimensions before the last two, outermost first."""
    shape = out.shape[:-2]
    columns = []
    for each in (a, b, out):
        strides = _in_elements(each)
        found = strides and layout.broadcast_strides(shape, each.shape[:-2], strides[:-2])
        if found is None:
            if strides is None:
                return None
            raise errors.InvalidArgumentError(
                f'[matmul] factors of shape {a.shape} and {b.shape} with results of shape '
                f'{out.shape}; the dimensions before the last two must broadcast'
            )
        columns.append(found)
    merged: list[_Dimension] = []
    for inner in (_Dimension(*each) for each in zip(shape, *columns, strict=True)):
        if min(inner[1:]) < 0:
            return None
        if inner.extent == 1:
            continue
        outer = merged[-1] if merged else None
        if outer is not None and outer[1:] == tuple(each * inner.extent for each in inner[1:]):
            merged[-1] = inner._replace(extent=outer.extent * inner.extent)
        else:
            merged.append(inner)
    return merged


def _fold(problem: matmul_problem.Problem) -> matmul_problem.Problem:
    """Makes a batch with one second factor the rows of one matrix."""
    a, c, m = problem.a, problem.c, problem.m
    if problem.batch == 1 or problem.b.stride or a.transposed:
        return problem
    if m == 1:
        if min(a.stride - problem.k, c.stride - problem.n) < 0:
            return problem
        a, c = a._replace(leading=a.stride), c._replace(leading=c.stride)
    if (a.stride, c.stride) != (m * a.leading, m * c.leading):
        return problem
    return problem._replace(
        batch=1, m=problem.batch * m, a=a._replace(stride=0), c=c._replace(stride=0)
    )


def _offsets(
    dimensions: list[_Dimension], sizes: tuple[int, int, int]
) -> list[tuple[int, int, int]]:
    """Where each position in these dimensions begins, in bytes."""
    found = [(0, 0, 0)]
    for each in dimensions:
        steps = tuple(stride * size for stride, size in zip(each[1:], sizes, strict=True))
        found = [
            (base[0] + i * steps[0], base[1] + i * steps[1], base[2] + i * steps[2])
            for base in found
            for i in range(each.extent)
        ]
    return found
