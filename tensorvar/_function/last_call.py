"""Recognises a call that is like the last one without building its key."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tensorvar._backend import faults
from tensorvar._backend.base import Array
from tensorvar._core import function_mode
from tensorvar._core.tensor import Tensor
from tensorvar._device import precision, registry, scope, switches
from tensorvar._device.device import Device
from tensorvar._function import layout

MOST_ARGUMENTS = 8

Match = Callable[[tuple[Any, ...], scope.ContextState | None], 'list[Array] | None']


def never(args: tuple[Any, ...], state: scope.ContextState | None) -> None:
    """Recognises no call."""


def matcher(args: Sequence[Any], device: Device | None) -> Match:
    """What tells whether a call has the signature of one that was just made.

    Args:
        args: the arguments of that call.
        device: the device of its scope, or None.

    Returns:
        A function that takes arguments and scopes, and gives the arrays of the arguments;
        None for a call of another signature, or one that a plain replay does not serve. It
        is ``never`` if the arguments are not a few tensors of NumPy with an array each.
    """
    arrays = [value._array for value in args if type(value) is Tensor]
    if not len(arrays) == len(args) <= MOST_ARGUMENTS:
        return never
    if any(type(array) is not np.ndarray for array in arrays):
        return never
    if len(set(map(id, arrays))) != len(arrays):
        return never
    known: dict[str, Any] = {
        'Tensor': Tensor, 'ndarray': np.ndarray, 'switches': switches, 'faults': faults,
        'mode': function_mode, 'OTHERS': ~switches.VERIFY_RULES, 'place': device,
        'default': registry.default_device,
        # Another one each time the devices are configured.
        'DEFAULT': registry.default_device().backend,
        'precision': precision, 'PRECISION': precision.default,
    }  # fmt: skip
    lines = [
        'def match(args, state):',
        '    if switches.flags & OTHERS or faults.armed or mode.eager '
        'or default().backend is not DEFAULT or precision.default is not PRECISION:',
        '        return None',
        '    if state is None:',
        '        if place is not None: return None',
        '    elif not state.bare or state.device is not place: return None',
        '    elif state.gradient_device is not None: return None',
        f'    if len(args) != {len(args)}: return None',
    ]
    names: list[str] = []
    for number, value in enumerate(args):
        array = value._array
        known[f'D{number}'], known[f'T{number}'] = value._device, array.dtype
        lines += [
            f'    t = args[{number}]',
            f'    if type(t) is not Tensor or t._device is not D{number}: return None',
            f'    a{number} = t._array',
            f'    if type(a{number}) is not ndarray or a{number}.shape != {array.shape!r} '
            f'or a{number}.dtype is not T{number}: return None',
            *(f'    if a{number} is {other}: return None' for other in names),
            # Of another order in memory, or with gaps, which are looked at more closely.
            f'    if a{number}.strides != {array.strides!r}: return None'
            if layout.has_order(array.shape)
            else '',
        ]
        names.append(f'a{number}')
    lines += [f'    return [{", ".join(names)}]', '']
    exec(compile('\n'.join(lines), '<signature of tv.function>', 'exec'), known)
    match: Match = known.pop('match')
    return match
