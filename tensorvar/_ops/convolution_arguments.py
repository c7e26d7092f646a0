"""Arguments of convolutions and pooling, read as TensorFlow reads them."""

from typing import Any

from tensorvar import errors
from tensorvar._ops import _arguments
from tensorvar._ops._windows import Padding, Pair

Ints = tuple[int, ...]

LAYOUTS = {1: ('NWC', 'NCW'), 2: ('NHWC', 'NCHW'), 3: ('NDHWC', 'NCDHW')}
"""Channels last and channels first, by the number of spatial dimensions."""


def read_layout(op: str, data_format: Any, spatial_rank: int) -> bool:
    """Whether channels come first; None stands for channels last.

    Raises:
        InvalidArgumentError: ``data_format`` is neither of the two.
    """
    last, first = LAYOUTS[spatial_rank]
    if data_format is None or data_format == last:
        return False
    if data_format == first:
        return True
    raise errors.InvalidArgumentError(
        f"[{op}] `data_format` must be '{last}' or '{first}'. Received: "
        f'data_format={data_format!r}; give one of the two',
        op,
    )


def read_sequence(op: str, name: str, value: Any, spatial_rank: int, channels_first: bool) -> Ints:
    """A window, stride or dilation for every dimension; None stands for ones.

    Args:
        op: who asks, for the error text.
        name: of the argument.
        value: one integer, one per spatial dimension, or one per dimension.
        spatial_rank: number of spatial dimensions.
        channels_first: whether channels come before the spatial dimensions.

    Raises:
        InvalidArgumentError: it has another length.
    """
    if value is None:
        return (1,) * (spatial_rank + 2)
    given = _arguments.vector(op, name, value)
    if len(given) == spatial_rank + 2:
        return given
    if len(given) == 1:
        given *= spatial_rank
    if len(given) != spatial_rank:
        raise errors.InvalidArgumentError(
            f'[{op}] {name} should be of length 1, {spatial_rank} or {spatial_rank + 2}. '
            f'Received: {name}={list(given)} of length {len(given)}; give one number per '
            f'spatial dimension',
            op,
        )
    return (1, 1, *given) if channels_first else (1, *given, 1)


def read_full(op: str, name: str, value: Any, spatial_rank: int) -> Ints:
    """A stride for every dimension, where TensorFlow takes nothing shorter.

    Raises:
        InvalidTypeError: it is no list.
        InvalidArgumentError: it has another length.
    """
    if isinstance(value, int) or value is None:
        raise errors.InvalidTypeError(
            f"[{op}] Expected list for '{name}' argument, not {value!r}; give one number per "
            f'dimension, {spatial_rank + 2} in all',
            op,
        )
    given = _arguments.vector(op, name, value)
    if len(given) != spatial_rank + 2:
        raise errors.InvalidArgumentError(
            f'[{op}] Sliding window {name} field must specify {spatial_rank + 2} dimensions. '
            f'Received: {list(given)}; give one number per dimension',
            op,
        )
    return given


def spatial(op: str, name: str, full: Ints, channels_first: bool) -> Ints:
    """The numbers of the spatial dimensions.

    Raises:
        InvalidArgumentError: one of them is not positive, or a dilation of the batch or
            the channels is not 1.
        UnimplementedError: a stride or window of the batch or the channels is not 1.
    """
    inner = full[2:] if channels_first else full[1:-1]
    outer = full[:2] if channels_first else (full[0], full[-1])
    for number in inner:
        if number < 1:
            raise errors.InvalidArgumentError(
                f'[{op}] {name} {list(full)} were given: each must be > 0, but got {number}; '
                f'give positive numbers',
                op,
            )
    if outer != (1, 1):
        kind = errors.InvalidArgumentError if name == 'dilations' else errors.UnimplementedError
        raise kind(
            f'[{op}] {name} {list(full)} were given; {name} in the batch and depth dimensions '
            f'are not supported; give 1 there',
            op,
        )
    return inner


def read_padding(
    op: str, padding: Any, spatial_rank: int, channels_first: bool, *, explicit: bool
) -> Padding:
    """Padding of the spatial dimensions: ``'SAME'``, ``'VALID'`` or pairs.

    Args:
        op: who asks, for the error text.
        padding: as given by the program.
        spatial_rank: number of spatial dimensions.
        channels_first: whether channels come before the spatial dimensions.
        explicit: whether TensorFlow takes pairs here.

    Raises:
        InvalidArgumentError: another word, or pairs that do not fit.
        InvalidTypeError: it is no string, or pairs where they are not taken.
    """
    if isinstance(padding, str):
        if padding in ('SAME', 'VALID'):
            return padding
        raise errors.InvalidArgumentError(
            f"[{op}] padding {padding!r} was given; allowed are 'SAME' and 'VALID'"
            f'{", or a list of pairs" if explicit else ""}; give one of them',
            op,
        )
    if not explicit or not isinstance(padding, list | tuple):
        raise errors.InvalidTypeError(
            f"[{op}] Expected string for argument 'padding' not {padding!r:.80}; allowed are "
            f"'SAME' and 'VALID'; use tv.pad before for other paddings",
            op,
        )
    pairs = _read_pairs(op, padding, spatial_rank + 2)
    inner = pairs[2:] if channels_first else pairs[1:-1]
    outer = pairs[:2] if channels_first else (pairs[0], pairs[-1])
    if any(map(any, outer)):
        raise errors.InvalidArgumentError(
            f'[{op}] padding {list(pairs)} was given; Nonzero explicit padding in the batch or '
            f'depth dimensions is not supported; give [0, 0] there',
            op,
        )
    return inner


def _read_pairs(op: str, padding: list[Any] | tuple[Any, ...], rank: int) -> tuple[Pair, ...]:
    for item in padding:
        if not isinstance(item, list | tuple) or len(item) != 2:
            raise errors.InvalidArgumentError(
                f'[{op}] When `padding` is a list, each element of `padding` must be a '
                f'list/tuple of size 2. Received: padding={padding}; give [before, after]',
                op,
            )
    if len(padding) != rank:
        raise errors.InvalidArgumentError(
            f'[{op}] When padding is a list, it must be of size {rank}. Received: '
            f'padding={padding} of size {len(padding)}; give a pair per dimension',
            op,
        )
    pairs = tuple(_read_pair(op, item) for item in padding)
    if any(count < 0 for pair in pairs for count in pair):
        raise errors.InvalidArgumentError(
            f'[{op}] padding {padding} was given; All elements of explicit_paddings must be '
            f'nonnegative; slice the input to make it smaller',
            op,
        )
    return pairs


def _read_pair(op: str, pair: Any) -> Pair:
    before, after = _arguments.vector(op, 'padding', pair)
    return before, after
