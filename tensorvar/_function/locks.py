"""Runs plans under the locks of the variables that they write."""

import contextlib
import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from weakref import ref

from tensorvar._backend import floating_point
from tensorvar._backend.base import Array
from tensorvar._core.variable import Variable
from tensorvar._function.segment import Program
from tensorvar._function.steps import MOVED

MOST_NESTED = 16
"""How many ``with`` blocks Python allows in each other, less a few."""

References = Sequence['ref[Variable]']


def living(references: References) -> list[Variable] | None:
    """The variables, or None if one of them is gone."""
    variables = []
    for reference in references:
        variable = reference()
        if variable is None:
            return None
        variables.append(variable)
    return variables


class Locks(NamedTuple):
    """The locks that a plan takes.

    Attributes:
        written: the variables, in the order in which every thread takes their locks.
        run: ``run(held, variables, call, follow, arrays, state)`` gives
            ``call(follow, held, arrays, state)``, called under the locks.
    """

    written: tuple['ref[Variable]', ...]
    run: Callable[..., Any]


def locks_of(written: Sequence['ref[Variable]']) -> Locks:
    """The locks of some variables."""
    by_number = {id(reference()): reference for reference in written}
    ordered = tuple(by_number[number] for number in sorted(by_number))
    return Locks(ordered, _under_locks(len(ordered)))


def _with_locks(names: Sequence[str]) -> str:
    """A line that takes locks.

    ``with`` alone is safe against an interrupt between taking a lock and noting it.
    """
    return f'with {", ".join(f"{name}._lock" for name in names)}:' if names else 'if True:'


@functools.cache
def _under_locks(count: int) -> Any:
    if count > MOST_NESTED:
        return _under_many_locks
    names = [f'v{number}' for number in range(count)]
    lines = [
        'def under_locks(held, variables, call, follow, arrays, state):',
        f'    {", ".join(names)}, = variables' if names else '    pass',
        f'    {_with_locks(names)}',
        '        return call(follow, held, arrays, state)',
        '',
    ]
    made: dict[str, Any] = {}
    exec(compile('\n'.join(lines), '<locks of tv.function>', 'exec'), made)
    return made['under_locks']


def _under_many_locks(
    held: Locks, variables: list[Variable], call: Any, follow: Any, arrays: Any, state: Any
) -> Any:
    with contextlib.ExitStack() as locks:
        for variable in variables:
            locks.enter_context(variable._lock)
        return call(follow, held, arrays, state)


class Handlers(NamedTuple):
    """What a straight run does in the end.

    Attributes:
        give: takes the results, and gives what ``Plan.replay`` does.
        fail: takes the error and the values by slot, and does the same or raises.
        move: gives what ``Plan.replay`` does where a variable is not where it was.
    """

    give: Callable[[tuple[Array, ...]], Any]
    fail: Callable[[Exception, list[Array]], Any]
    move: Callable[[], Any]


def straight_run(program: Program, locks: Locks, handlers: Handlers) -> Callable[..., Any] | None:
    """Runs a plan without branches within one frame: a call costs as much as a small op.

    Args:
        program: the only one of the plan.
        locks: those of the plan.
        handlers: what is done in the end.

    Returns:
        A function of the arrays of the arguments and the scopes; None if there are too
        many locks.
    """
    if len(locks.written) > MOST_NESTED:
        return None
    known: dict[str, Any] = {
        'segment': program.run, 'template': program.template, 'MOVED': MOVED,
        'spare': program.spare, 'new_buffers': program.new_buffers,
        'state_set': floating_point.state.set, 'state_reset': floating_point.state.reset,
        'QUIET': floating_point.QUIET, **handlers._asdict(),
    }  # fmt: skip
    names: dict[int, str] = {}
    for reference in (*program.variables, *locks.written):
        # By identity: weak references compare by what they refer to.
        name = names.setdefault(id(reference), f'v{len(names)}')
        known[f'r{name}'] = reference
    used = ''.join(f'{names[id(reference)]}, ' for reference in program.variables)
    lines = ['def run(arrays, state):']
    for name in names.values():
        lines += [f'    {name} = r{name}()', f'    if {name} is None: return move()']
    if program.spare is None:
        lines.append('    buffers = ()')
    else:
        # Another thread may take the last one in between.
        lines += [
            '    try: buffers = spare.pop()',
            '    except IndexError: buffers = new_buffers()',
        ]
    lines += [
        '    values = arrays + template',
        '    token = state_set(QUIET)',
        '    try:',
        f'        {_with_locks([names[id(reference)] for reference in locks.written])}',
        f'            results = segment(values, ({used}), buffers, state)',
        '    except Exception as error:',
        '        return fail(error, values)',
        '    finally:',
        '        state_reset(token)',
        '    if results is MOVED: return move()',
        '    spare.append(buffers)' if program.spare is not None else '',
        '    return give(results)',
        '',
    ]
    exec(compile('\n'.join(lines), '<run of tv.function>', 'exec'), known)
    # Not left in its own globals, a circle that only the collector would find.
    run: Callable[..., Any] = known.pop('run')
    return run
