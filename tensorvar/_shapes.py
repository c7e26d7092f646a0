"""Shapes: the public ``TensorShape`` and shape arithmetic for the ops' rules."""

import operator
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from tensorvar import errors

Shape = tuple[int, ...]
PartialShape = tuple[int | None, ...]
Dim = TypeVar('Dim', int, int | None)


class TensorShape:
    """A shape whose rank or dimensions may be unknown, as in TensorFlow.

    Args:
        dims: None (unknown rank), a ``TensorShape``, an integer, or a sequence of
            integers and None (unknown dimension). -1 is not an unknown dimension.

    Raises:
        ValueError: a dimension is negative.
        TypeError: ``dims`` is none of the above.
    """

    __slots__ = ('_dims',)

    def __init__(self, dims: Any) -> None:
        self._dims: PartialShape | None = _parse_dims(dims)

    @property
    def rank(self) -> int | None:
        """Number of dimensions, or None if unknown."""
        return None if self._dims is None else len(self._dims)

    @property
    def ndims(self) -> int | None:
        """The same as ``rank``."""
        return self.rank

    @property
    def dims(self) -> list[int | None] | None:
        """The dimensions as a list, or None if the rank is unknown."""
        return None if self._dims is None else list(self._dims)

    def as_list(self) -> list[int | None]:
        """The dimensions as a list of integers and None.

        Raises:
            ValueError: the rank is unknown.
        """
        return list(self._known('as_list()'))

    def as_tuple(self) -> PartialShape:
        """The dimensions as a tuple; see ``as_list``."""
        return self._known('as_tuple()')

    def is_fully_defined(self) -> bool:
        """Whether rank and all dimensions are known."""
        return self._dims is not None and None not in self._dims

    def assert_is_fully_defined(self) -> None:
        """Raises ValueError unless every dimension is known."""
        if not self.is_fully_defined():
            raise ValueError(f'[TensorShape] {self} is not fully defined; give every dimension')

    def num_elements(self) -> int | None:
        """Product of the dimensions, or None while one is unknown."""
        if self._dims is None:
            return None
        count = 1
        for dim in self._dims:
            if dim is None:
                return None
            count *= dim
        return count

    def is_compatible_with(self, other: Any) -> bool:
        """Whether some array could have both shapes."""
        other_dims = as_shape(other)._dims
        if self._dims is None or other_dims is None:
            return True
        return len(self._dims) == len(other_dims) and all(
            a is None or b is None or a == b for a, b in zip(self._dims, other_dims, strict=True)
        )

    def assert_is_compatible_with(self, other: Any) -> None:
        """Raises ValueError unless the shapes are compatible."""
        if not self.is_compatible_with(other):
            raise ValueError(f'[TensorShape] Shapes {self} and {as_shape(other)} are incompatible')

    def is_subtype_of(self, other: Any) -> bool:
        """Whether every array of this shape also has the shape ``other``."""
        other_dims = as_shape(other)._dims
        if other_dims is None:
            return True
        if self._dims is None or len(self._dims) != len(other_dims):
            return False
        return all(b is None or a == b for a, b in zip(self._dims, other_dims, strict=True))

    def merge_with(self, other: Any) -> 'TensorShape':
        """The shape that knows all that both know.

        Raises:
            ValueError: the shapes are incompatible.
        """
        shape = as_shape(other)
        self.assert_is_compatible_with(shape)
        if self._dims is None:
            return shape
        if shape._dims is None:
            return self
        return TensorShape(
            [b if a is None else a for a, b in zip(self._dims, shape._dims, strict=True)]
        )

    def concatenate(self, other: Any) -> 'TensorShape':
        """This shape followed by the dimensions of ``other``."""
        other_dims = as_shape(other)._dims
        if self._dims is None or other_dims is None:
            return TensorShape(None)
        return TensorShape(self._dims + other_dims)

    def with_rank(self, rank: int) -> 'TensorShape':
        """This shape, known to have ``rank`` dimensions.

        Raises:
            ValueError: it has another rank.
        """
        return self.merge_with([None] * rank)

    def with_rank_at_least(self, rank: int) -> 'TensorShape':
        """This shape, if it has at least ``rank`` dimensions.

        Raises:
            ValueError: it has fewer.
        """
        if self._dims is not None and len(self._dims) < rank:
            raise ValueError(f'[TensorShape] {self} must have rank at least {rank}')
        return self

    def with_rank_at_most(self, rank: int) -> 'TensorShape':
        """This shape, if it has at most ``rank`` dimensions.

        Raises:
            ValueError: it has more.
        """
        if self._dims is not None and len(self._dims) > rank:
            raise ValueError(f'[TensorShape] {self} must have rank at most {rank}')
        return self

    def assert_has_rank(self, rank: int) -> None:
        """Raises ValueError unless the shape can have ``rank`` dimensions."""
        if self._dims is not None and len(self._dims) != rank:
            raise ValueError(f'[TensorShape] {self} must have rank {rank}')

    def assert_same_rank(self, other: Any) -> None:
        """Raises ValueError unless both shapes can have the same number of dimensions."""
        other = as_shape(other)
        if self._dims is not None and other.rank not in (None, len(self._dims)):
            raise ValueError(f'[TensorShape] {self} and {other} must have the same rank')

    def most_specific_compatible_shape(self, other: Any) -> 'TensorShape':
        """What both shapes have in common; a dimension in which they differ is unknown."""
        other_dims = as_shape(other)._dims
        if self._dims is None or other_dims is None or len(self._dims) != len(other_dims):
            return TensorShape(None)
        pairs = zip(self._dims, other_dims, strict=True)
        return from_tuple(tuple(a if a == b else None for a, b in pairs))

    def _known(self, asked: str) -> PartialShape:
        if self._dims is None:
            raise ValueError(f'[TensorShape] {asked} is not defined on an unknown TensorShape')
        return self._dims

    def __len__(self) -> int:
        if self._dims is None:
            raise ValueError('[TensorShape] cannot take the length of a shape with unknown rank')
        return len(self._dims)

    def __iter__(self) -> Iterator[int | None]:
        return iter(self._known('iteration'))

    def __getitem__(self, key: Any) -> Any:
        if self._dims is None:
            return _part_of_unknown(key)
        return from_tuple(self._dims[key]) if isinstance(key, slice) else self._dims[key]

    def __bool__(self) -> bool:
        return self._dims is not None

    def __add__(self, other: Any) -> 'TensorShape':
        return self.concatenate(other)

    def __radd__(self, other: Any) -> 'TensorShape':
        return as_shape(other).concatenate(self)

    def __eq__(self, other: object) -> bool:
        try:
            return self._dims == as_shape(other)._dims
        except (TypeError, ValueError):
            return NotImplemented

    def __hash__(self) -> int:
        return hash(self._dims)

    def __repr__(self) -> str:
        return f'TensorShape({None if self._dims is None else list(self._dims)})'

    def __str__(self) -> str:
        if self._dims is None:
            return '<unknown>'
        if len(self._dims) == 1:
            return f'({self._dims[0]},)'
        return f'({", ".join(str(dim) for dim in self._dims)})'

    def __reduce__(self) -> tuple[Any, ...]:
        return (TensorShape, (self._dims,))


def _part_of_unknown(key: Any) -> TensorShape | None:
    """Indexing of an unknown rank: one dimension is unknown, and of a slice its length."""
    if not isinstance(key, slice):
        return None
    begin, end = key.start or 0, key.stop
    if key.step is not None:
        raise ValueError('[TensorShape] a shape of unknown rank cannot be sliced with a step')
    if end is None or begin < 0 or end < 0:
        return TensorShape(None)
    return TensorShape([None] * max(end - begin, 0))


def _parse_dims(dims: Any) -> PartialShape | None:
    if dims is None:
        return None
    if isinstance(dims, TensorShape):
        return dims._dims
    if isinstance(dims, Iterable):
        if isinstance(dims, str | bytes):
            raise TypeError(f'[TensorShape] {dims!r} is not a sequence of dimensions')
        return tuple(_parse_dim(dim) for dim in dims)
    return (_parse_dim(dims),)


def _parse_dim(dim: Any) -> int | None:
    if dim is None:
        return None
    try:
        value = operator.index(dim)
    except TypeError as error:
        raise TypeError(
            f'[TensorShape] Dimension value {dim!r} must be an integer or None, '
            f'not {type(dim).__name__}'
        ) from error
    if value < 0:
        raise ValueError(f'[TensorShape] Dimension {value} must be >= 0')
    return value


def as_shape(value: Any) -> TensorShape:
    """``value`` as a ``TensorShape``, without a copy if it is one."""
    return value if isinstance(value, TensorShape) else TensorShape(value)


def from_tuple(dims: PartialShape) -> TensorShape:
    """A ``TensorShape`` of dimensions that are known to be valid."""
    shape = TensorShape.__new__(TensorShape)
    shape._dims = dims
    return shape


def broadcast_shapes(op: str, *shapes: Sequence[Dim]) -> tuple[Dim, ...]:
    """The shape to which all ``shapes`` broadcast, by NumPy's rule.

    An unknown dimension is taken to fit; beside a known one other than 1 it is that one.

    Raises:
        InvalidArgumentError: two of them do not fit together.
    """
    rank = max(len(shape) for shape in shapes)
    result: list[Dim] = [1] * rank
    for shape in shapes:
        offset = rank - len(shape)
        for axis, dim in enumerate(shape, offset):
            if result[axis] == 1 or (result[axis] is None and dim != 1):
                result[axis] = dim
            elif dim not in (1, None, result[axis]):
                given = ' vs. '.join(str(list(s)) for s in shapes)
                raise errors.InvalidArgumentError(
                    f'[{op}] Incompatible shapes: {given}; every dimension must be equal or 1, '
                    f'counted from the last; reshape or expand_dims one of them',
                    op,
                )
    return tuple(result)


def normalize_axis(op: str, axis: int, rank: int) -> int:
    """An axis counted from the front.

    Raises:
        InvalidArgumentError: ``axis`` lies outside ``[-rank, rank)``.
    """
    if not -rank <= axis < rank:
        raise errors.InvalidIndexError(
            f'[{op}] axis {axis} is out of range for a tensor of rank {rank}; '
            f'allowed is [{-rank}, {rank})',
            op,
        )
    return axis + rank if axis < 0 else axis


def normalize_axes(op: str, axis: int | Sequence[int] | None, rank: int) -> Shape:
    """Axes counted from the front, sorted; None means all of them.

    Raises:
        InvalidArgumentError: an axis is out of range or given twice.
    """
    if axis is None:
        return tuple(range(rank))
    if type(axis) is int and -rank <= axis < rank:
        return (axis + rank if axis < 0 else axis,)
    given = (axis,) if isinstance(axis, int) else tuple(axis)
    axes = [normalize_axis(op, a, rank) for a in given]
    if len(set(axes)) != len(axes):
        raise errors.InvalidArgumentError(
            f'[{op}] Invalid reduction arguments: axes {list(given)} contain duplicate dimensions '
            f'of a tensor of rank {rank}; name every axis once',
            op,
        )
    return tuple(sorted(axes))
