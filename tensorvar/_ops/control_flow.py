"""Branches and loops on tensors. Executed eagerly: conditions are read on the host."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tensorvar import dtypes, errors
from tensorvar._core import conversion, dispatch, nest
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.tensor import Tensor
from tensorvar._device import scope

Branch = Callable[[], Any]
Choice = tuple[Tensor, Branch]


def cond(pred: Any, true_fn: Branch, false_fn: Branch, name: str | None = None) -> Any:
    """Calls one of two functions.

    In a ``tv.function`` it is one step of the plan: both functions are traced, and a
    gradient by what only the other branch uses is zero, as in TensorFlow.

    Args:
        pred: a boolean, or a tensor with one element.
        true_fn: called without arguments if ``pred`` holds.
        false_fn: called otherwise.
        name: accepted for TensorFlow's sake.

    Returns:
        What the function returns.

    Raises:
        TypeError: a branch cannot be called.
    """
    _check_callable('cond', true_fn=true_fn, false_fn=false_fn)
    state = scope.current()
    in_trace = state is not None and state.trace is not None
    if in_trace and isinstance(pred, ArrayValue) and pred._spec().shape in ((), (1,)):
        tensor = conversion.convert_to_tensor(pred)
        result = dispatch.choose(state, tensor, true_fn, false_fn)
        if result is not NotImplemented:
            return result
    return true_fn() if pred else false_fn()


def _check_callable(op: str, **branches: Any) -> None:
    for name, branch in branches.items():
        if not callable(branch):
            raise errors.InvalidTypeError(
                f"[{op}] '{name}' must be callable; got {branch!r:.80}; give a function", op
            )


def case(
    pred_fn_pairs: Any,
    default: Branch | None = None,
    exclusive: bool = False,
    strict: bool = False,
    name: str = 'case',
) -> Any:
    """Calls the function of the first condition that holds.

    Args:
        pred_fn_pairs: pairs of a boolean scalar tensor and a function without arguments.
        default: called if no condition holds. Without it the last condition stands for
            it: it must hold if no other does, and ``exclusive`` leaves it out.
        exclusive: whether more than one true condition is an error.
        strict: whether a list or tuple with one item is returned as it is. (It also is
            where nothing had to be chosen: with one pair and no default.)
        name: accepted for TensorFlow's sake.

    Returns:
        What the function returns.

    Raises:
        InvalidArgumentError: no condition holds and there is no default; or several
            hold, and ``exclusive`` forbids that.
        TypeError: ``pred_fn_pairs`` is no list of pairs, or a function cannot be called.
    """
    pairs = _checked_pairs(pred_fn_pairs, exclusive)
    last = pairs[-1]
    if default is None:
        pairs = pairs[:-1]
    else:
        _check_callable('case', default=default)
    if exclusive:
        _check_exclusive([bool(pred) for pred, _ in pairs])
    unpack = _unpacked if pairs and not strict else _as_it_is
    for pred, function in pairs:
        if pred:
            return unpack(function())
    if default is not None:
        return unpack(default())
    if not last[0]:
        raise errors.InvalidArgumentError(
            f'[case] None of the {len(pairs) + 1} conditions evaluated as True, and there is no '
            f'default; give one',
            'case',
        )
    return unpack(last[1]())


def _unpacked(result: Any) -> Any:
    single = isinstance(result, list | tuple) and len(result) == 1
    return result[0] if single else result


def _as_it_is(result: Any) -> Any:
    return result


def _check_exclusive(held: list[bool]) -> None:
    if sum(held) > 1:
        positions = [position for position, holds in enumerate(held) if holds]
        raise errors.InvalidArgumentError(
            f'[case] exclusive=True: more than 1 condition evaluated as True: the conditions '
            f'{positions} hold; make them exclude each other',
            'case',
        )


def _checked_pairs(given: Any, exclusive: bool) -> list[Choice]:
    if not isinstance(given, list | tuple | Mapping):
        raise errors.InvalidTypeError(
            f"[case] 'pred_fn_pairs' must be a list, tuple, or dict; got {given!r:.80}", 'case'
        )
    if isinstance(given, Mapping):
        if not exclusive and not isinstance(given, OrderedDict):
            raise errors.InvalidArgumentError(
                "[case] a dict was given as 'pred_fn_pairs', whose order means nothing; allowed "
                'with exclusive=True; give a list of pairs',
                'case',
            )
        given = list(given.items())
    if not given:
        raise errors.InvalidArgumentError(
            "[case] an empty 'pred_fn_pairs' was given; give at least one pair", 'case'
        )
    for pair in given:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise errors.InvalidTypeError(
                f"[case] Each entry in 'pred_fn_pairs' must be a 2-tuple (pred, fn); "
                f'got {pair!r:.80}',
                'case',
            )
        if not isinstance(pair[0], Tensor) or pair[0].dtype is not dtypes.bool_:
            raise errors.InvalidTypeError(
                f'[case] pred must be a Tensor of type bool; got {pair[0]!r:.80}; use '
                f'tv.constant for a Python bool, tv.cond for a single one',
                'case',
            )
        _check_callable('case', fn=pair[1])
    return list(given)


def switch_case(
    branch_index: Any,
    branch_fns: Sequence[Any] | Mapping[int, Branch],
    default: Branch | None = None,
    name: str = 'switch_case',
) -> Any:
    """Calls the function with a number.

    Args:
        branch_index: a scalar integer tensor.
        branch_fns: functions without arguments: a list, a dict with the keys 0 to n - 1,
            or a list of such keys and functions in pairs.
        default: called for other numbers; None means the last function.
        name: accepted for TensorFlow's sake.

    Returns:
        What the function returns.

    Raises:
        ValueError: there are no functions, or the keys are not 0 to n - 1.
        TypeError: the index is no integer tensor, or a function cannot be called.
    """
    if not isinstance(branch_index, Tensor) or not branch_index.dtype.is_integer:
        raise errors.InvalidTypeError(
            f"[switch_case] 'branch_index' must be an integer Tensor, got {branch_index!r:.80}; "
            f'use tv.constant for a Python integer',
            'switch_case',
        )
    branches = _checked_branches(branch_fns)
    if default is not None:
        _check_callable('switch_case', default=default)
        branches.append(default)
    index = int(branch_index)
    return branches[index if 0 <= index < len(branches) else -1]()


def _checked_branches(given: Any) -> list[Branch]:
    if not given:
        raise errors.InvalidArgumentError(
            "[switch_case] Must provide at least one item in 'branch_fns'", 'switch_case'
        )
    if not isinstance(given, list | tuple | Mapping):
        raise errors.InvalidTypeError(
            f"[switch_case] 'branch_fns' must be a list, tuple, or dict of functions; "
            f'got {given!r:.80}',
            'switch_case',
        )
    pairs: list[Any] = list(given.items() if isinstance(given, Mapping) else given)
    if all(callable(branch) for branch in pairs):
        return pairs
    for pair in pairs:
        if not isinstance(pair, tuple) or len(pair) != 2 or not isinstance(pair[0], int):
            raise errors.InvalidTypeError(
                f"[switch_case] Each entry in 'branch_fns' must be a function or a 2-tuple "
                f'(int, function); got {pair!r:.80}',
                'switch_case',
            )
        _check_callable('switch_case', fn=pair[1])
    branches = dict(pairs)
    if sorted(branches) != list(range(len(pairs))):
        raise errors.InvalidArgumentError(
            f'[switch_case] branch indices (keys) must form contiguous range of '
            f'[0 to {len(pairs)}) but found {sorted(key for key, _ in pairs)}',
            'switch_case',
        )
    return [branches[key] for key in range(len(pairs))]


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    maximum_iterations: Any = None,
    name: str | None = None,
) -> Any:
    """Repeats ``body`` while ``cond`` holds.

    In a ``tv.function`` it is one step of the plan if the loop variables keep their shapes
    and dtypes and nothing looks at values; its gradient adds up over the steps of the loop
    before anything else.

    Args:
        cond: takes the loop variables; its result is read on the host.
        body: takes the loop variables and returns new ones in the same structure; the new
            value of the only one may stand alone.
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
        TypeError: ``cond`` or ``body`` cannot be called, or the types of sequences change.
        ValueError: no loop variables, or ``body`` returns another structure.
    """
    _check_callable('while_loop', cond=cond, body=body)
    if isinstance(loop_vars, ArrayValue):
        # Its rows would become loop variables, and a scalar cannot be unpacked at all.
        loop_vars = list(loop_vars)
    if not loop_vars:
        raise errors.InvalidArgumentError("[while_loop] 'loop_vars' must be provided", 'while_loop')
    left = _iterations(maximum_iterations)
    state = scope.current()
    turn = _with_values_in_a_list(body, loop_vars)
    if state is not None and state.trace is not None:
        result = dispatch.while_loop(state, cond, turn, loop_vars, left)
        if result is not NotImplemented:
            return result
    structure = list(loop_vars) if left is None else loop_vars
    while (left is None or left > 0) and cond(*loop_vars):
        loop_vars = turn(*loop_vars)
        nest.assert_same_structure(structure, list(loop_vars) if left is None else loop_vars)
        left = None if left is None else left - 1
    return nest.map_structure(conversion.convert_to_tensor, loop_vars)


def _with_values_in_a_list(body: Callable[..., Any], loop_vars: Any) -> Callable[..., Any]:
    """``body``, of which a tensor alone is not taken for its rows."""

    def turn(*values: Any) -> Any:
        result = body(*values)
        if not isinstance(result, ArrayValue):
            return result
        return [result] if isinstance(loop_vars, list) else (result,)

    return turn


def _iterations(maximum: Any) -> int | None:
    if maximum is None:
        return None
    tensor = conversion.convert_to_tensor(maximum)
    if tensor._spec().shape:
        raise errors.InvalidArgumentError(
            f"[while_loop] 'maximum_iterations' must be a scalar; got the shape "
            f'{list(tensor._spec().shape)}',
            'while_loop',
        )
    return int(tensor)
