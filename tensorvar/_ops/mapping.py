"""Functions applied along the first dimension: map, fold, scan."""

from collections.abc import Callable
from typing import Any

from tensorvar import dtypes, errors
from tensorvar._core import conversion, nest
from tensorvar._core.tensor import Tensor
from tensorvar._ops import array_join, creation


def map_fn(
    fn: Callable[[Any], Any],
    elems: Any,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    name: str | None = None,
    fn_output_signature: Any = None,
) -> Any:
    """Applies a function to each element along the first dimension.

    Args:
        fn: takes one element (a structure like ``elems``) and returns a structure.
        elems: a tensor, or a structure of tensors with one first dimension.
        dtype: the old name of ``fn_output_signature``.
        parallel_iterations: accepted for TensorFlow's sake.
        back_prop: accepted for TensorFlow's sake.
        swap_memory: accepted for TensorFlow's sake.
        infer_shape: accepted for TensorFlow's sake.
        name: accepted for TensorFlow's sake.
        fn_output_signature: dtypes or ``TensorSpec`` in the structure of the result;
            None where it equals that of ``elems``.

    Returns:
        The results, stacked along a new first dimension.

    Raises:
        InvalidArgumentError: a result has another dtype than the signature says.
        ValueError: ``elems`` holds scalars, or the result has another structure.
    """
    items = _items('map_fn', elems)
    signature = fn_output_signature if fn_output_signature is not None else dtype
    if signature is None:
        signature = nest.map_structure(lambda leaf: leaf.dtype, _tensors(elems))
    kinds = nest.map_structure(_dtype_of, signature)
    if not items:
        return nest.map_structure(lambda kind: creation.zeros([0], kind), kinds)
    results = [fn(item) for item in items]
    for result in results:
        nest.assert_same_structure(kinds, result)
    return nest.map_structure(_stack_typed, kinds, *results)


def _dtype_of(leaf: Any) -> dtypes.DType:
    return dtypes.as_dtype(getattr(leaf, 'dtype', leaf))


def _stack_typed(kind: dtypes.DType, *parts: Any) -> Tensor:
    tensors = [conversion.convert_to_tensor(part, dtype_hint=kind) for part in parts]
    for tensor in tensors:
        if tensor.dtype is not kind:
            raise errors.InvalidArgumentError(
                f'[map_fn] the function returned {tensor.dtype.name} where {kind.name} was '
                f'expected; say so by fn_output_signature', 'map_fn'
            )
    return array_join.stack(tensors)


def vectorized_map(
    fn: Callable[[Any], Any], elems: Any, fallback_to_while_loop: bool = True, warn: bool = True
) -> Any:
    """Applies a function to each element along the first dimension.

    Args:
        fn: takes one element (a structure like ``elems``) and returns a structure.
        elems: a tensor, or a structure of tensors with one first dimension.
        fallback_to_while_loop: accepted for TensorFlow's sake; it always loops here.
        warn: accepted for TensorFlow's sake.

    Returns:
        The results, stacked along a new first dimension.
    """
    items = _items('vectorized_map', elems)
    if not items:
        raise errors.InvalidArgumentError(
            '[vectorized_map] an input without elements was given, whose result has no known '
            'shape; use map_fn with fn_output_signature', 'vectorized_map'
        )
    return _stacked([fn(item) for item in items])


def foldl(
    fn: Callable[[Any, Any], Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """Combines the elements along the first dimension, from the first to the last.

    Args:
        fn: takes what was combined so far and the next element.
        elems: a tensor, or a structure of tensors with one first dimension.
        initializer: the start; None for the first element.
        parallel_iterations: accepted for TensorFlow's sake.
        back_prop: accepted for TensorFlow's sake.
        swap_memory: accepted for TensorFlow's sake.
        name: accepted for TensorFlow's sake.

    Returns:
        The last combination.

    Raises:
        OutOfRangeError: no elements and no initializer.
    """
    return _folded('foldl', fn, _items('foldl', elems), initializer)[-1]


def foldr(
    fn: Callable[[Any, Any], Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """Combines the elements along the first dimension, from the last to the first.

    Args:
        fn: takes what was combined so far and the next element.
        elems: as for ``foldl``.
        initializer: the start; None for the last element.
        parallel_iterations: accepted for TensorFlow's sake.
        back_prop: accepted for TensorFlow's sake.
        swap_memory: accepted for TensorFlow's sake.
        name: accepted for TensorFlow's sake.

    Returns:
        The last combination.

    Raises:
        OutOfRangeError: no elements and no initializer.
    """
    return _folded('foldr', fn, _items('foldr', elems)[::-1], initializer)[-1]


def scan(
    fn: Callable[[Any, Any], Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    reverse: bool = False,
    name: str | None = None,
) -> Any:
    """Combines the elements along the first dimension and keeps every step.

    Args:
        fn: takes what was combined so far and the next element.
        elems: as for ``foldl``.
        initializer: the start; None for the first element.
        parallel_iterations: accepted for TensorFlow's sake.
        back_prop: accepted for TensorFlow's sake.
        swap_memory: accepted for TensorFlow's sake.
        infer_shape: accepted for TensorFlow's sake.
        reverse: whether to go from the last element to the first.
        name: accepted for TensorFlow's sake.

    Returns:
        The combinations, stacked along a new first dimension.

    Raises:
        OutOfRangeError: no elements and no initializer.
    """
    items = _items('scan', elems)
    steps = _folded('scan', fn, items[::-1] if reverse else items, initializer)
    if initializer is not None:
        del steps[0]
    return _stacked(steps[::-1] if reverse else steps)


def _folded(op: str, fn: Callable[[Any, Any], Any], items: list[Any], initializer: Any) -> list[Any]:
    """Every combination, the start first."""
    if initializer is None:
        if not items:
            raise errors.OutOfRangeError(
                f'[{op}] no elements and no initializer were given; give an initializer', op
            )
        steps = [items[0]]
        items = items[1:]
    else:
        steps = [_tensors(initializer)]
    for item in items:
        step = fn(steps[-1], item)
        nest.assert_same_structure(steps[0], step, check_types=False)
        steps.append(step)
    return steps


def _tensors(structure: Any) -> Any:
    return nest.map_structure(conversion.convert_to_tensor, structure)


def _items(op: str, elems: Any) -> list[Any]:
    """The elements along the first dimension, each in the structure of ``elems``."""
    tensors = _tensors(elems)
    leaves = nest.flatten(tensors)
    for leaf in leaves:
        if not leaf._shape:
            raise errors.InvalidIndexError(
                f'[{op}] elems in elems must be 1+ dimensional Tensors, not scalars; a list is '
                f'a structure of several tensors: give tv.constant of it', op
            )
    counts = {leaf._shape[0] for leaf in leaves}
    if len(counts) != 1:
        raise errors.InvalidArgumentError(
            f'[{op}] elems with the first dimensions {sorted(counts)} were given; they have to '
            f'be equal', op
        )
    columns = [array_join.unstack(leaf) if leaf._shape[0] else [] for leaf in leaves]
    return [
        nest.pack_sequence_as(tensors, list(row)) for row in zip(*columns, strict=True)
    ]


def _stacked(results: list[Any]) -> Any:
    return nest.map_structure(lambda *parts: array_join.stack(list(parts)), *results)
