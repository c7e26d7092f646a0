"""Why a gradient is None."""

from collections.abc import Sequence
from typing import Any

from tensorvar._core import backward
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.op_registry import NotDifferentiable
from tensorvar._core.tape_entries import ASSIGN, READ, WATCH, Entry


def explain(
    entries: Sequence[Entry], target: Any, source: Any, watch_accessed: bool
) -> str:
    """A sentence about the way from ``source`` to ``target`` on a tape.

    Args:
        entries: what the tape recorded.
        target: the value differentiated.
        source: the value differentiated by.
        watch_accessed: whether reads of trainable variables count as watched.
    """
    for value, role in ((source, 'source'), (target, 'target')):
        if not isinstance(value, ArrayValue):
            return f'None: the {role} is a {type(value).__name__}, not a tensor or variable'
        if not backward.is_differentiable(value):
            return f'None: the {role} has dtype {value.dtype.name}, which has no derivatives'
    leading = backward.leads_from(entries, (source,), watch_accessed)
    if id(source) not in leading:
        return f'None: {_why_not_watched(entries, source, watch_accessed)}'
    if id(target) in leading:
        return 'connected: the target depends on the source'
    return f'None: {_why_cut(entries, target, source, leading)}'


def _name(value: Any) -> str:
    label = value._label()
    return 'the source' if label is None else f'variable {label!r}'


def _why_not_watched(entries: Sequence[Entry], source: Any, watch_accessed: bool) -> str:
    name = _name(source)
    used = any(any(value is source for value in inputs) for _, inputs, _, _ in entries)
    if source._label() is None:
        if used:
            return f'{name} is a tensor that was not watched; call tape.watch(x) before its use'
        return f'{name} was not used while the tape recorded'
    if not any(op is READ and inputs[0] is source for op, inputs, _, _ in entries):
        return f'{name} was not read while the tape recorded'
    if not source.trainable:
        return f'{name} is not trainable and was not watched; call tape.watch(v)'
    if not watch_accessed:
        return f'{name} was not watched, and the tape has watch_accessed_variables=False'
    return f'{name} was not watched before it was read'


def _why_cut(
    entries: Sequence[Entry], target: Any, source: Any, leading: set[int]
) -> str:
    produced = any(any(out is target for out in outputs) for _, _, outputs, _ in entries)
    for op, inputs, outputs, attributes in entries:
        touched = any(id(value) in leading for value in inputs)
        if touched and op is not WATCH and isinstance(op.gradient, NotDifferentiable):
            if op is ASSIGN:
                return (
                    f'variable {inputs[0].name!r} was assigned at {attributes["where"]}; '
                    f'assignments are not differentiable'
                )
            if (outputs and not produced) or _reaches(entries, outputs, target):
                return f'the way from {_name(source)} passes {op.name}, which has no gradient'
    assigned = [
        f'{inputs[0].name!r} at {attributes["where"]}'
        for op, inputs, _, attributes in entries
        if op is ASSIGN
    ]
    if assigned:
        return (
            f'the target does not depend on the source except through assignments '
            f'({", ".join(assigned)}), which are not differentiable'
        )
    if not produced:
        return 'the target was not computed while the tape recorded, or left through NumPy'
    return 'the target does not depend on the source; a value may have left through NumPy'


def _reaches(entries: Sequence[Entry], outputs: Sequence[Any], target: Any) -> bool:
    """Whether the target was computed from ``outputs``, by whatever ops."""
    reached = {id(output) for output in outputs}
    for _, inputs, results, _ in entries:
        if any(id(value) in reached for value in inputs):
            reached.update(map(id, results))
    return id(target) in reached
