"""``embedding_lookup``: rows of one table, or of a table kept in parts."""

from typing import Any

from tensorvar import errors
from tensorvar._core import conversion
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments, array_shape, clip, comparison, gather, logical, where


def embedding_lookup(
    params: Any, ids: Any, max_norm: Any = None, name: str | None = None
) -> Tensor:
    """Picks rows of a table by number.

    The rows of a variable are read where it lives; its gradient is ``IndexedSlices``. With
    several parts, each gets such a gradient, with zeros for the ids of other parts.

    Args:
        params: the table, or a list of its parts: of n ids, each part holds n // parts in
            order, and the first n % parts of them one more.
        ids: row numbers, int32 or int64, of any shape.
        max_norm: rows of a larger L2 norm are scaled down to it; None for no bound.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of shape ``ids.shape + params.shape[1:]``.

    Raises:
        InvalidArgumentError: an id is out of range, has another dtype, or there is no table.

    Example:
        >>> import tensorvar as tv
        >>> table = tv.Variable([[1.0, 2.0], [3.0, 4.0]])
        >>> print(tv.nn.embedding_lookup(table, [1]))
        tv.Tensor([[3. 4.]], shape=(1, 2), dtype=float32)
    """
    op = 'embedding_lookup'
    if params is None or (isinstance(params, list | tuple) and not params):
        raise errors.InvalidArgumentError(
            f'[{op}] params {params} were given; params must be specified, need at least one '
            f'param; give a table or a list of its parts',
            op,
        )
    parts = params if isinstance(params, list) else [params]
    if len(parts) == 1:
        rows = gather.gather(parts[0], ids)
    else:
        rows = _pick_from_parts(op, parts, conversion.convert_to_tensor(ids))
    if max_norm is None:
        return rows
    rank = _arguments.rank_of(ids)
    clipped: Tensor = clip.clip_by_norm(rows, max_norm, list(range(rank, len(rows._shape))))
    return clipped


def _pick_from_parts(op: str, parts: list[Any], ids: Tensor) -> Tensor:
    flat = array_shape.reshape(ids, [-1])
    rows: Tensor | None = None
    for number, (start, end) in enumerate(_spans(op, parts)):
        # An id below the first part or above the last is left to them, which refuse it.
        inside = None
        if number > 0:
            inside = comparison.greater_equal(flat, start)
        if number < len(parts) - 1:
            below = comparison.less(flat, end)
            inside = below if inside is None else logical.logical_and(inside, below)
        if start == end and rows is not None:
            continue
        local = flat - start if inside is None else where.where(inside, flat - start, 0)
        picked = gather.gather(parts[number], local)
        if rows is None or inside is None:
            rows = picked
            continue
        mask = array_shape.reshape(inside, (-1,) + (1,) * (len(picked._shape) - 1))
        rows = where.where(mask, picked, rows)
    if rows is None:
        raise errors.InternalError(f'[{op}] a list without parts got here', op)
    return array_shape.reshape(rows, (*ids._shape, *rows._shape[1:]))


def _spans(op: str, parts: list[Any]) -> list[tuple[int, int]]:
    """The first id of each part, and the first that is not its own any more."""
    sizes = [_row_count(op, part) for part in parts]
    each, extra = divmod(sum(sizes), len(parts))
    spans = []
    start = 0
    for number in range(len(parts)):
        end = start + each + (number < extra)
        spans.append((start, end))
        start = end
    return spans


def _row_count(op: str, part: Any) -> int:
    shape = _arguments.shape_of(part)
    if not shape or shape[0] is None:
        raise errors.InvalidArgumentError(
            f'[{op}] a part of shape {list(shape)} was given; a part of a table has a known '
            f'number of rows; reshape it',
            op,
        )
    return int(shape[0])
