"""Checks of ranks and shapes."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from tensorvar import dtypes, errors
from tensorvar._core import conversion
from tensorvar._core.tensor import Tensor


def assert_rank(x: Any, rank: Any, message: str | None = None, name: str | None = None) -> None:
    """Raises unless a value has a given rank.

    Args:
        x: a tensor, or what converts to one.
        rank: an integer, or a scalar int32 tensor.
        message: stands before the text of the error.
        name: accepted for TensorFlow's sake.

    Raises:
        ValueError: the rank differs, or ``rank`` is no scalar.
        TypeError: ``rank`` is no integer.
    """
    _check_rank('assert_rank', x, _rank('assert_rank', rank), message)


def assert_rank_at_least(
    x: Any, rank: Any, message: str | None = None, name: str | None = None
) -> None:
    """Raises unless a value has a given rank or a higher one. See ``assert_rank``."""
    op = 'assert_rank_at_least'
    _check_rank_at_least(op, x, _rank(op, rank), message)


def assert_rank_in(
    x: Any, ranks: Iterable[Any], message: str | None = None, name: str | None = None
) -> None:
    """Raises unless a value has one of several ranks.

    Args:
        x: a tensor, or what converts to one.
        ranks: integers, or scalar int32 tensors.
        message: stands before the text of the error.
        name: accepted for TensorFlow's sake.

    Raises:
        ValueError: the rank is none of them.
        TypeError: one of them is no integer.
    """
    allowed = tuple(_rank('assert_rank_in', rank) for rank in ranks)
    _check_rank_in('assert_rank_in', x, allowed, message)


def assert_scalar(tensor: Any, message: str | None = None, name: str | None = None) -> None:
    """Raises unless a value has rank 0.

    Args:
        tensor: a tensor, or what converts to one.
        message: stands before the text of the error.
        name: accepted for TensorFlow's sake.

    Raises:
        ValueError: it has another rank.
    """
    shape = conversion.convert_to_tensor(tensor).shape
    if shape.rank != 0:
        raise errors.InvalidArgumentError(
            f'[assert_scalar] {prefix(message)}Expected scalar shape, saw shape: {shape}; index '
            f'one element, or use tv.reshape',
            'assert_scalar',
        )


def prefix(message: str | None) -> str:
    """The user's message, set apart from what follows."""
    return f'{message}.  ' if message else ''


def _rank(op: str, rank: Any) -> int:
    tensor = conversion.convert_to_tensor(rank)
    if tensor.dtype is not dtypes.int32:
        raise errors.InvalidTypeError(
            f'[{op}] rank={rank!r:.80} was given; it must be of type int32; got '
            f'{tensor.dtype.name}',
            op,
        )
    if tensor._shape:
        raise errors.InvalidArgumentError(
            f'[{op}] Rank must be a scalar; got {rank!r:.80}; give one integer', op
        )
    return int(tensor)


def _check_rank(op: str, x: Any, rank: int, message: str | None) -> None:
    shape = conversion.convert_to_tensor(x).shape
    if shape.rank != rank:
        raise _wrong_rank(op, message, f'rank {rank}', shape)


def _check_rank_at_least(op: str, x: Any, rank: int, message: str | None) -> None:
    shape = conversion.convert_to_tensor(x).shape
    if shape.rank is None or shape.rank < rank:
        raise _wrong_rank(op, message, f'rank at least {rank}', shape)


def _check_rank_in(op: str, x: Any, ranks: tuple[int, ...], message: str | None) -> None:
    shape = conversion.convert_to_tensor(x).shape
    if shape.rank not in ranks:
        raise _wrong_rank(op, message, f'rank in {ranks}', shape)


def _wrong_rank(op: str, message: str | None, wanted: str, shape: Any) -> Exception:
    return errors.InvalidArgumentError(
        f'[{op}] {prefix(message)}Tensor must have {wanted}.  Received rank {shape.rank}, '
        f'shape {shape}; use tv.reshape, tv.expand_dims or tv.squeeze',
        op,
    )


class _Wanted(NamedTuple):
    """What ``assert_shapes`` is to check of one tensor.

    Attributes:
        tensor: the tensor.
        inner_only: whether any number of dimensions may stand before the symbols.
        symbols: a size, a name or "any" for each dimension; a scalar has one of size 1.
    """

    tensor: Tensor
    inner_only: bool
    symbols: tuple[Any, ...]


def assert_shapes(
    shapes: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> None:
    """Raises unless tensors have given shapes, and equal sizes where names are equal.

    Args:
        shapes: pairs of a tensor and its shape: for each dimension a size, a name that
            stands for one size wherever it occurs, or None or ``'.'`` for any size.
            ``...`` or ``'*'`` at the front stands for any number of dimensions. None
            for a whole shape means that any is fine.
        data: accepted for TensorFlow's sake.
        summarize: accepted for TensorFlow's sake.
        message: stands before the text of the error.
        name: accepted for TensorFlow's sake.

    Raises:
        ValueError: a shape differs, or is no list of such symbols.

    Example:
        >>> import tensorvar as tv
        >>> x, y = tv.zeros([2, 3]), tv.zeros([3])
        >>> tv.debugging.assert_shapes([(x, ('N', 'D')), (y, ('D',))])
    """
    pairs = shapes.items() if isinstance(shapes, Mapping) else shapes
    wanted = [
        _wanted(conversion.convert_to_tensor(x), shape, message)
        for x, shape in pairs
        if shape is not None
    ]
    for each in wanted:
        _check_dimensions(each, message)
    known: dict[Any, tuple[int, str]] = {}
    for each in wanted:
        _check_sizes(each, known, message)


def _wanted(tensor: Tensor, shape: Any, message: str | None) -> _Wanted:
    if not hasattr(shape, '__iter__'):
        raise _wrong_shape(
            message, f'{_named(tensor)}.  Specified shape must be an iterable; got {shape!r:.80}'
        )
    symbols = tuple(shape)
    free = [position for position, symbol in enumerate(symbols) if symbol in (..., '*')]
    if free and free != [0]:
        raise _wrong_shape(
            message,
            f'{_named(tensor)} specified shape index {free[-1]}.  Symbol `...` or `*` for a '
            f'variable number of unspecified dimensions is only allowed as the first entry',
        )
    inner = symbols[1:] if free else symbols
    return _Wanted(tensor, bool(free), inner or (1,))


def _check_dimensions(wanted: _Wanted, message: str | None) -> None:
    rank = len(wanted.symbols)
    if wanted.inner_only:
        if rank > 1:
            _check_rank_at_least('assert_shapes', wanted.tensor, rank, message)
    elif rank == 1:
        # A scalar counts as one dimension of size 1.
        _check_rank_in('assert_shapes', wanted.tensor, (0, 1), message)
    else:
        _check_rank('assert_shapes', wanted.tensor, rank, message)


def _check_sizes(wanted: _Wanted, known: dict[Any, tuple[int, str]], message: str | None) -> None:
    sizes = wanted.tensor._shape or (1,)
    first = len(sizes) - len(wanted.symbols)
    for position, symbol in enumerate(wanted.symbols, first):
        if symbol is None or symbol == '.':
            continue
        size, why = _size_of(symbol), 'Specified explicitly'
        if size is None:
            here = f'Specified by {_named(wanted.tensor)} dimension {position}'
            size, why = known.setdefault(symbol, (sizes[position], here))
        if sizes[position] != size:
            raise _wrong_shape(
                message,
                f'{why}.  {_named(wanted.tensor)} dimension {position} must have size {size}.  '
                f'Received size {sizes[position]}, shape {wanted.tensor.shape}',
            )


def _size_of(symbol: Any) -> int | None:
    """The number that a symbol is, or None for a name."""
    try:
        return int(symbol)
    except (ValueError, TypeError):
        return None


def _named(tensor: Tensor) -> str:
    return f'Tensor shape={tensor.shape} dtype={tensor.dtype.name}'


def _wrong_shape(message: str | None, text: str) -> Exception:
    return errors.InvalidArgumentError(f'[assert_shapes] {prefix(message)}{text}', 'assert_shapes')
