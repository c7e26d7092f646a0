"""Branches and loops on tensors. Executed eagerly: conditions are read on the host."""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tensorvar import errors
from tensorvar._core import conversion, nest
from tensorvar._core.array_value import ArrayValue

Branch = Callable[[], Any]


def cond(pred: Any, true_fn: Branch, false_fn: Branch, name: str | None = None) -> Any:
    """Calls one of two functions.

    Args:
        pred: a boolean, or a tensor with one element.
        true_fn: called without arguments if ``pred`` holds.
        false_fn: called otherwise.
        name: accepted for TensorFlow's sake.

    Returns:
        What the function returns; of a list with one item the item.

    Raises:
        TypeError: a branch cannot be called.
    """
    _check_callable('cond', true_fn=true_fn, false_fn=false_fn)
    return _unpacked(true_fn() if pred else false_fn())


def _check_callable(op: str, **branches: Any) -> None:
    for name, branch in branches.items():
        if not callable(branch):
            raise errors.InvalidTypeError(
                f"[{op}] '{name}' must be callable; got {branch!r:.80}; give a function", op
            )


def _unpacked(result: Any) -> Any:
    single = isinstance(result, list | tuple) and len(result) == 1
    return result[0] if single else result


def case(
    pred_fn_pairs: Sequence[tuple[Any, Branch]],
    default: Branch | None = None,
    exclusive: bool = False,
    strict: bool = False,
    name: str = 'case',
) -> Any:
    """Calls the function of the first condition that holds.

    Args:
        pred_fn_pairs: pairs of a boolean scalar and a function without arguments.
        default: called if no condition holds.
        exclusive: whether more than one true condition is an error.
        strict: whether a list with one item is returned as it is.
        name: accepted for TensorFlow's sake.

    Returns:
        What the function returns.

    Raises:
        InvalidArgumentError: no condition holds and there is no default; or several
            hold, and ``exclusive`` forbids that.
        TypeError: ``pred_fn_pairs`` is no list of pairs, or a function cannot be called.
    """
    pairs = _checked_pairs(pred_fn_pairs)
    holds = [bool(pred) for pred, _ in pairs]
    if exclusive and sum(holds) > 1:
        raise errors.InvalidArgumentError(
            f'[case] More than one condition evaluated as True but exclusive=True: conditions '
            f'{[i for i, held in enumerate(holds) if held]} hold; make them exclude each other',
            'case',
        )
    for held, (_, function) in zip(holds, pairs, strict=True):
        if held:
            return function() if strict else _unpacked(function())
    if default is None:
        raise errors.InvalidArgumentError(
            f'[case] None of the {len(pairs)} conditions evaluated as True, and there is no '
            f'default; give one', 'case'
        )
    _check_callable('case', default=default)
    return default() if strict else _unpacked(default())


def _checked_pairs(pred_fn_pairs: Any) -> list[tuple[Any, Branch]]:
    if not isinstance(pred_fn_pairs, list | tuple):
        raise errors.InvalidTypeError(
            f"[case] 'pred_fn_pairs' must be a list or tuple; got {pred_fn_pairs!r:.80}", 'case'
        )
    for pair in pred_fn_pairs:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise errors.InvalidTypeError(
                f'[case] each element of pred_fn_pairs must be a tuple (pred, fn); '
                f'got {pair!r:.80}', 'case'
            )
        _check_callable('case', fn=pair[1])
    return list(pred_fn_pairs)


def switch_case(
    branch_index: Any,
    branch_fns: Sequence[Branch] | Mapping[int, Branch],
    default: Branch | None = None,
    name: str = 'switch_case',
) -> Any:
    """Calls the function with a number.

    Args:
        branch_index: an integer, or a scalar integer tensor.
        branch_fns: functions without arguments; a list, or a dict with the keys 0 to
            n - 1.
        default: called for other numbers; None means the last function.
        name: accepted for TensorFlow's sake.

    Returns:
        What the function returns.

    Raises:
        ValueError: the keys are not 0 to n - 1.
        TypeError: the index is no integer, or a function cannot be called.
    """
    branches = _checked_branches(branch_fns)
    index = _branch_index(branch_index)
    if 0 <= index < len(branches):
        return branches[index]()
    return (default or branches[-1])()


def _branch_index(branch_index: Any) -> int:
    if isinstance(branch_index, ArrayValue) and branch_index.dtype.is_integer:
        return int(branch_index)
    try:
        return operator.index(branch_index)
    except TypeError as error:
        raise errors.InvalidTypeError(
            f"[switch_case] 'branch_index' must be an integer scalar, got {branch_index!r:.80}; "
            f'give an int or a scalar int32 tensor', 'switch_case'
        ) from error


def _checked_branches(branch_fns: Any) -> list[Branch]:
    if isinstance(branch_fns, Mapping):
        keys = sorted(branch_fns)
        if keys != list(range(len(keys))):
            raise errors.InvalidArgumentError(
                f'[switch_case] branch indices (keys) must form contiguous range of '
                f'[0 to {len(keys)}) but found {keys}', 'switch_case'
            )
        branch_fns = [branch_fns[key] for key in keys]
    if not isinstance(branch_fns, list | tuple) or not branch_fns:
        raise errors.InvalidTypeError(
            "[switch_case] 'branch_fns' must be a list, tuple, or dict of functions, and not "
            'empty', 'switch_case'
        )
    for branch in branch_fns:
        _check_callable('switch_case', branch=branch)
    return list(branch_fns)


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Sequence[Any],
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    maximum_iterations: Any = None,
    name: str | None = None,
) -> Any:
    """Repeats ``body`` while ``cond`` holds.

    Args:
        cond: takes the loop variables; its result is read on the host.
        body: takes the loop variables and returns new ones in the same structure.
        loop_vars: the first values.
        shape_invariants: accepted for TensorFlow's sake.
        parallel_iterations: accepted for TensorFlow's sake.
        back_prop: accepted for TensorFlow's sake.
        swap_memory: accepted for TensorFlow's sake.
        maximum_iterations: the most runs of ``body``, or None.
        name: accepted for TensorFlow's sake.

    Returns:
        The last loop variables, as tensors.

    Raises:
        TypeError: ``cond`` or ``body`` cannot be called.
        ValueError: no loop variables, or ``body`` returns another structure.
    """
    _check_callable('while_loop', cond=cond, body=body)
    if not loop_vars:
        raise errors.InvalidArgumentError("[while_loop] 'loop_vars' must be provided", 'while_loop')
    structure = list(loop_vars)
    left = -1 if maximum_iterations is None else int(maximum_iterations)
    while left != 0 and cond(*loop_vars):
        loop_vars = body(*loop_vars)
        nest.assert_same_structure(structure, list(loop_vars))
        left -= 1
    return nest.map_structure(conversion.convert_to_tensor, loop_vars)
