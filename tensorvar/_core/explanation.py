"""Why a gradient is None."""

from collections.abc import Sequence
from typing import Any

from tensorvar import dtypes
from tensorvar._core import backward
from tensorvar._core.op_registry import NotDifferentiable
from tensorvar._core.tape_entries import ASSIGN, LOOK, READ, WATCH, Entry
from tensorvar._core.variable import Variable


def explain(entries: Sequence[Entry], target: Any, source: Any, watch_accessed: bool) -> str:
    """A sentence about the way from ``source`` to ``target`` on a tape.

    Args:
        entries: what the tape recorded.
        target: the value differentiated.
        source: the value differentiated by.
        watch_accessed: whether reads of trainable variables count as watched.
    """
    if target is source and target.dtype is not dtypes.string:
        return 'connected: the target is the source'
    for value, role in ((source, 'source'), (target, 'target')):
        if not backward.is_differentiable(value):
            return f'None: the {role} has dtype {value.dtype.name}, which has no derivatives'
    leading = backward.leads_from(entries, (source,), watch_accessed)
    if id(source) not in leading:
        return f'None: {_why_not_watched(entries, source, watch_accessed)}'
    if id(target) in leading:
        return 'connected: the target depends on the source'
    return f'None: {_why_cut(entries, target, source, leading)}'


def _name(value: Any) -> str:
    return f'variable {value.name!r}' if isinstance(value, Variable) else 'the source'


def _why_not_watched(entries: Sequence[Entry], source: Any, watch_accessed: bool) -> str:
    name = _name(source)
    used = any(any(value is source for value in inputs) for _, inputs, _, _ in entries)
    if not isinstance(source, Variable):
        if used:
            return f'{name} is a tensor that was not watched; call tape.watch(x) before its use'
        return f'{name} was not used while the tape recorded'
    if not any(op is READ and inputs[0] is source for op, inputs, _, _ in entries):
        looks = [entry for entry in entries if entry[0] is LOOK and entry[1][0] is source]
        if looks:
            return f'the way from {name} {_say(looks[-1])}'
        return f'{name} was not read while the tape recorded'
    if not source.trainable:
        return f'{name} is not trainable and was not watched; call tape.watch(v)'
    # A trainable variable that was read is watched, unless the tape was told not to.
    return f'{name} was not watched, and the tape has watch_accessed_variables=False'


def _why_cut(entries: Sequence[Entry], target: Any, source: Any, leading: set[int]) -> str:
    """Why the target is not differentiable by the source, which is watched.

    Follows the source's values beyond the first entry that has no derivative.
    """
    name = _name(source)
    cuts: dict[int, Entry] = {}
    look: Entry | None = None
    for entry in entries:
        op, inputs, outputs, _ = entry
        before = next((cuts[id(value)] for value in inputs if id(value) in cuts), None)
        if before is None and not any(id(value) in leading for value in inputs):
            continue
        if op is LOOK:
            look = entry
            continue
        # An assignment has no result; the variable itself depends on the source then.
        reached = inputs[:1] if op is ASSIGN else outputs
        for value in reached:
            if id(value) not in leading:
                cuts.setdefault(id(value), before or entry)
    if id(target) in cuts:
        return f'the way from {name} {_say(cuts[id(target)])}'
    if look is not None:
        return f'the way from {name} {_say(look)}'
    if not any(any(out is target for out in outputs) for _, _, outputs, _ in entries):
        return 'the target was not computed while the tape recorded'
    return 'the target does not depend on the source'


def _say(entry: Entry) -> str:
    op, inputs, outputs, attributes = entry
    if op is ASSIGN:
        return (
            f'passes variable {inputs[0].name!r}, which was assigned at {attributes["where"]}; '
            f'assignments are not differentiable'
        )
    if op is LOOK:
        return (
            f'left the tape by {attributes["look"]} at {attributes["where"]}; what NumPy and '
            f'Python compute is not recorded'
        )
    if op is WATCH or isinstance(op.gradient, NotDifferentiable):
        return f'passes {op.name}, which has no gradient'
    return f'passes {op.name}, which gives {outputs[0].dtype.name} without derivatives'
