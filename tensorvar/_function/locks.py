"""Runs plans under the locks of the variables that they write."""

import collections
import itertools
import threading
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

_acquire = type(threading.RLock()).acquire
_release = type(threading.RLock()).release
_consume = collections.deque[None](maxlen=0).extend
"""Runs an iterator to its end."""

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


def in_order(written: References) -> tuple['ref[Variable]', ...]:
    """The variables, each once, in the order in which every thread takes their locks."""
    by_number = {id(reference()): reference for reference in written}
    return tuple(by_number[number] for number in sorted(by_number))


def under_locks(variables: Sequence[Variable], function: Callable[..., Any], *args: Any) -> Any:
    """Calls a function under the locks of variables, which are in their order."""
    locks = [variable._lock for variable in variables]
    taken: list[bool] = []
    # It looks at what was taken when it runs.
    releases = map(_release, itertools.compress(locks, taken))
    try:
        # An interrupt comes between two steps of Python only, so that each lock which this
        # one takes is noted, and the one call in the end gives all of them back.
        taken.extend(map(_acquire, locks))
        return function(*args)
    finally:
        _consume(releases)


def _call_under_locks(names: Sequence[str], given: str) -> str:
    """The line that calls ``segment`` under the locks of variables: ``with`` is faster for few."""
    if not names:
        return f'results = segment({given})'
    if len(names) <= MOST_NESTED:
        locks = ', '.join(f'{name}._lock' for name in names)
        return f'with {locks}: results = segment({given})'
    return f'results = under_locks(({", ".join(names)}), segment, {given})'


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


def straight_run(program: Program, written: References, handlers: Handlers) -> Callable[..., Any]:
    """Runs a plan without branches within one frame: a call costs as much as a small op.

    Args:
        program: the only one of the plan.
        written: the variables whose locks it takes, in their order.
        handlers: what is done in the end.

    Returns:
        A function of the arrays of the arguments and the scopes.
    """
    known: dict[str, Any] = {
        'segment': program.run, 'template': program.template, 'MOVED': MOVED,
        'spare': program.spare, 'new_buffers': program.new_buffers,
        'state_set': floating_point.state.set, 'state_reset': floating_point.state.reset,
        'QUIET': floating_point.QUIET, 'under_locks': under_locks, **handlers._asdict(),
    }  # fmt: skip
    names: dict[int, str] = {}
    for reference in (*program.variables, *written):
        # By identity: weak references compare by what they refer to.
        name = names.setdefault(id(reference), f'v{len(names)}')
        known[f'r{name}'] = reference
    used = ''.join(f'{names[id(reference)]}, ' for reference in program.variables)
    locked = [names[id(reference)] for reference in written]
    given = f'values, ({used}), buffers, state'
    lines = ['def run(arrays, state):']
    for name in names.values():
        lines += [f'    {name} = r{name}()', f'    if {name} is None: return move()']
    lines += ['    values = arrays + template', '    token = state_set(QUIET)', '    try:']
    if program.spare is None:
        lines.append('        buffers = ()')
    else:
        # Another thread may take the last one in between.
        lines += [
            '        try: buffers = spare.pop()',
            '        except IndexError: buffers = new_buffers()',
        ]
    lines += [
        f'        {_call_under_locks(locked, given)}',
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
