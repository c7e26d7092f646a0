"""Functions applied along the first dimension: map, fold, scan."""

from collections.abc import Callable
from typing import Any

from tensorvar import errors
from tensorvar._backend.shape_only import ShapeOnlyArray
from tensorvar._core import conversion, dispatch, nest
from tensorvar._core.tensor import Tensor, wrap
from tensorvar._core.tensor_spec import TensorSpec
from tensorvar._device import scope
from tensorvar._ops import array_join, array_shape, creation


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
    _check_callable('map_fn', fn)
    tensors = _tensors(elems)
    signature = fn_output_signature if fn_output_signature is not None else dtype
    if signature is None:
        signature = nest.map_structure(lambda leaf: leaf.dtype, tensors)
    specs = nest.map_structure(_spec_of, signature)
    _check_rows('map_fn', tensors)

    def step(*row: Tensor) -> Any:
        result = fn(nest.pack_sequence_as(tensors, list(row)))
        nest.assert_same_structure(specs, result)
        return [], nest.map_structure(_typed, specs, result)

    found = _over_rows(step, [], nest.flatten(tensors))
    if found is not None:
        return nest.pack_sequence_as(*found)
    results = [fn(item) for item in _items('map_fn', tensors)]
    if not results:
        return nest.map_structure(_no_results, specs)
    for result in results:
        nest.assert_same_structure(specs, result)
    return nest.map_structure(_stack_typed, specs, *results)


def _check_callable(op: str, fn: Any) -> None:
    if not callable(fn):
        raise errors.InvalidTypeError(f'[{op}] fn must be callable; got {fn!r:.80}', op)


def _spec_of(leaf: Any) -> TensorSpec:
    return leaf if isinstance(leaf, TensorSpec) else TensorSpec(None, leaf)


def _no_results(spec: TensorSpec) -> Tensor:
    dims = [] if spec.shape.rank is None else spec.shape.as_list()
    return creation.zeros([0, *(dim or 0 for dim in dims)], spec.dtype)


def _stack_typed(spec: TensorSpec, *parts: Any) -> Tensor:
    return array_join.stack([_typed(spec, part) for part in parts])


def _typed(spec: TensorSpec, part: Any) -> Tensor:
    tensor = conversion.convert_to_tensor(part, dtype_hint=spec.dtype)
    if not spec.is_compatible_with(tensor):
        raise errors.InvalidArgumentError(
            f'[map_fn] the function returned {tensor._describe()}; expected was '
            f'{spec.dtype.name} of shape {spec.shape}; say so by fn_output_signature',
            'map_fn',
        )
    return tensor


def _over_rows(
    step: Callable[..., Any], first: list[Tensor], rows: list[Tensor]
) -> tuple[Any, list[Tensor]] | None:
    """All steps as one step of a plan, where a function is traced; else None."""
    state = scope.current()
    if state is None or state.trace is None:
        return None
    found: tuple[Any, list[Tensor]] | None = dispatch.over_rows(state, step, first, rows)
    return found


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
    _check_callable('vectorized_map', fn)
    tensors = _tensors(elems)
    rows = max((leaf._shape[0] for leaf in nest.flatten(tensors) if leaf._shape), default=0)
    tensors = nest.map_structure(lambda leaf: _repeated(leaf, rows), tensors)
    _check_rows('vectorized_map', tensors)

    def step(*row: Tensor) -> Any:
        return [], fn(nest.pack_sequence_as(tensors, list(row)))

    found = _over_rows(step, [], nest.flatten(tensors))
    if found is not None:
        return nest.pack_sequence_as(*found)
    items = _items('vectorized_map', tensors)
    if items:
        return _stacked([fn(item) for item in items])
    first = nest.map_structure(_shape_only_row, tensors)
    return nest.map_structure(_none_of, fn(first))


def _repeated(tensor: Tensor, rows: int) -> Tensor:
    """One row counts for every row."""
    if tensor._shape[:1] != (1,) or rows == 1:
        return tensor
    return array_shape.broadcast_to(tensor, (rows, *tensor._shape[1:]))


def _shape_only_row(tensor: Tensor) -> Tensor:
    """A row without data, which shows what the function makes of rows."""
    spec = tensor._spec()
    return wrap(ShapeOnlyArray(spec.shape[1:], spec.dtype), tensor._device)


def _none_of(result: Any) -> Tensor:
    spec = conversion.convert_to_tensor(result)._spec()
    return creation.zeros([0, *(dim or 0 for dim in spec.shape)], spec.dtype)


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
    return _last('foldl', fn, elems, initializer)


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
    return _last('foldr', fn, elems, initializer, reverse=True)


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
    found = _folded_in_trace('scan', fn, elems, initializer, reverse, keeps=True)
    if found is not None:
        start, _, rows = found
        if initializer is None:
            ends = (start, rows)
            rows = nest.map_structure(
                lambda one, others: array_join.concat([one[None], others], 0), *ends
            )
        return nest.map_structure(lambda leaf: leaf[::-1], rows) if reverse else rows
    start, *steps = _folded('scan', fn, elems, initializer, reverse)
    if initializer is None:
        steps.insert(0, start)
    elif not steps:
        return nest.map_structure(_none_of, start)
    return _stacked(steps[::-1] if reverse else steps)


def _last(
    op: str, fn: Callable[[Any, Any], Any], elems: Any, initializer: Any, reverse: bool = False
) -> Any:
    """The last combination."""
    found = _folded_in_trace(op, fn, elems, initializer, reverse, keeps=False)
    if found is not None:
        return found[1]
    return _folded(op, fn, elems, initializer, reverse)[-1]


def _folded_in_trace(
    op: str,
    fn: Callable[[Any, Any], Any],
    elems: Any,
    initializer: Any,
    reverse: bool,
    keeps: bool,
) -> tuple[Any, Any, Any] | None:
    """The start, the last combination, and all if they are kept, as one step of a plan.

    None where no function is traced, or no part of a plan can do the steps.
    """
    state = scope.current()
    if state is None or state.trace is None:
        return None
    _check_callable(op, fn)
    tensors = _tensors(elems)
    if not _check_rows(op, tensors):
        return None
    if reverse:
        tensors = nest.map_structure(lambda leaf: leaf[::-1], tensors)
    if initializer is None:
        start = nest.map_structure(lambda leaf: leaf[0], tensors)
        tensors = nest.map_structure(lambda leaf: leaf[1:], tensors)
    else:
        start = _tensors(initializer)
    first, rows = nest.flatten(start), nest.flatten(tensors)

    def step(*values: Tensor) -> Any:
        before = nest.pack_sequence_as(start, list(values[: len(first)]))
        row = nest.pack_sequence_as(tensors, list(values[len(first) :]))
        result = fn(before, row)
        nest.assert_same_structure(start, result)
        after = _tensors(result)
        return nest.flatten(after), after if keeps else []

    found = _over_rows(step, first, rows)
    if found is None:
        return None
    structure, values = found
    last = nest.pack_sequence_as(start, values[: len(first)])
    return start, last, nest.pack_sequence_as(structure, values[len(first) :])


def _folded(
    op: str, fn: Callable[[Any, Any], Any], elems: Any, initializer: Any, reverse: bool = False
) -> list[Any]:
    """Every combination, the start first."""
    _check_callable(op, fn)
    items = _items(op, _tensors(elems))
    if reverse:
        items.reverse()
    if initializer is None:
        if not items:
            raise errors.OutOfRangeError(
                f'[{op}] no elements and no initializer were given; give an initializer', op
            )
        steps = [items.pop(0)]
    else:
        steps = [_tensors(initializer)]
    for item in items:
        step = fn(steps[-1], item)
        nest.assert_same_structure(steps[0], step)
        steps.append(_tensors(step))
    return steps


def _tensors(structure: Any) -> Any:
    return nest.map_structure(conversion.convert_to_tensor, structure)


def _check_rows(op: str, tensors: Any) -> int:
    """How many rows there are.

    Raises:
        ValueError: that is not the same for all tensors, or they are scalars.
    """
    leaves = nest.flatten(tensors)
    if not leaves:
        raise errors.InvalidArgumentError(
            f'[{op}] elems={tensors!r:.80} holds no tensors; give a tensor or a structure of them',
            op,
        )
    for leaf in leaves:
        if not leaf._shape:
            raise errors.InvalidIndexError(
                f'[{op}] elems in elems must be 1+ dimensional Tensors, not scalars; a list is '
                f'a structure of several tensors: give tv.constant of it',
                op,
            )
    counts: list[int] = [leaf._shape[0] for leaf in leaves]
    if len(set(counts)) != 1:
        raise errors.InvalidArgumentError(
            f'[{op}] elems with the first dimensions {counts} were given; they have to be equal',
            op,
        )
    return counts[0]


def _items(op: str, tensors: Any) -> list[Any]:
    """The elements along the first dimension, each in the structure of ``tensors``."""
    _check_rows(op, tensors)
    leaves = nest.flatten(tensors)
    columns = [array_join.unstack(leaf) if leaf._shape[0] else [] for leaf in leaves]
    return [nest.pack_sequence_as(tensors, list(row)) for row in zip(*columns, strict=True)]


def _stacked(results: list[Any]) -> Any:
    for result in results[1:]:
        nest.assert_same_structure(results[0], result)
    return nest.map_structure(_stack_or_none, *results)


def _stack_or_none(*parts: Any) -> Tensor | None:
    """None stays None, as for a function that only writes."""
    return None if parts[0] is None else array_join.stack(list(parts))
