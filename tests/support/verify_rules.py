"""Compares every op that a test runs with its rule, also on the direct path.

The executor's own check (``switches.VERIFY_RULES``) takes every op off the direct path,
which programs use most; so the suite checks from outside. Each op is also run once more
on values without data, which gives the rule's answer.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tensorvar._backend.shape_only import ShapeOnlyArray
from tensorvar._core import dispatch, executor, op_call, operands, tensor
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._device import call_site, scope, switches

_seen: set[Any] = set()


def install(patch: pytest.MonkeyPatch) -> None:
    """Makes every op of a test raise ``InternalError`` if its result is not its rule's."""
    # These frames lie between the executor and the test; they are not the user's code.
    patch.setitem(call_site._is_library, install.__code__.co_filename, True)
    patch.setattr(executor, '_run_direct', _checking_direct(executor._run_direct))
    run_pair = _checking_pair(executor.run_pair)
    patch.setattr(executor, 'run_pair', run_pair)
    patch.setattr(dispatch, 'run_pair', run_pair)
    patch.setattr(op_call.OpCall, 'compute', _checking_compute(op_call.OpCall.compute))


def _checking_direct(run: Any) -> Any:
    def run_direct(
        op: OpDef, inputs: tuple[Any, ...], attributes: dict[str, Any], state: Any
    ) -> Any:
        output = run(op, inputs, attributes, state)
        if output is not None:
            _check(op, inputs, attributes, output)
        return output

    return run_direct


def _checking_pair(run: Any) -> Any:
    def run_pair(op: OpDef, x: Any, y: Any) -> Any:
        output = run(op, x, y)
        # Other calls come by the direct path, or by the full one.
        if not switches.flags and type(output._array) is np.ndarray:
            _check(op, (x, y), op.plain, output)
        return output

    return run_pair


def _check(op: OpDef, inputs: tuple[Any, ...], attributes: dict[str, Any], output: Any) -> None:
    # Outside of the test's scopes, whose recorders and tapes must not see it.
    with scope.Pushed(None):
        # A rule that refuses what the direct path computes raises here.
        specs = [value._spec() for value in operands.prepare(op, inputs)]
    expected = op.infer(*specs, **attributes)
    results = output if isinstance(output, tuple) else (output,)
    rules = (expected,) if isinstance(expected, ArraySpec) else expected
    op_call.verify(op, rules, [result._array for result in results])
    check_without_data(op, specs, attributes, rules, results[0]._device)


def _checking_compute(compute: Any) -> Any:
    def checked(
        call: op_call.OpCall, arrays: Sequence[Any], specs: Sequence[ArraySpec], decision: Any
    ) -> Any:
        results = compute(call, arrays, specs, decision)
        op_call.verify(call.op, specs, results)
        given = [ArraySpec(array.shape, array.dtype) for array in arrays]
        check_without_data(call.op, given, call.attributes, specs, decision.device)
        return results

    return checked


def check_without_data(
    op: OpDef,
    given: Sequence[ArraySpec],
    attributes: dict[str, Any],
    expected: Sequence[ArraySpec],
    device: Any,
) -> None:
    """Runs an op on values without data, once for each kind of call."""
    # As text, for the stream of a generator holds its variable.
    key = (op.name, tuple(given), repr(sorted(attributes.items())))
    if not given or switches.flags or key in _seen:
        return
    _seen.add(key)
    # Outside of the test's scopes, whose recorders and tapes must not see it.
    with scope.Pushed(None):
        values = [tensor.wrap(ShapeOnlyArray(*spec), device) for spec in given]
        result = executor.run(op, *values, **attributes)
    results = result if isinstance(result, tuple) else (result,)
    assert [value._spec() for value in results] == list(expected), op
    assert all(type(value._array) is ShapeOnlyArray for value in results), op
