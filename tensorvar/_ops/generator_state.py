"""The state of a random generator: three 64-bit integers in a variable.

The first two are the 128-bit counter, low half first; the third is the key.
"""

from typing import Any

import numpy as np

from tensorvar import errors
from tensorvar._core import conversion, name_scope
from tensorvar._core.tensor import Tensor
from tensorvar._core.variable import Variable
from tensorvar._device import device_scope
from tensorvar._ops import philox, stateless_random
from tensorvar._ops.stateless_random import Algorithm

# TensorFlow has shorter states for ThreeFry.
_STATE_SIZES = {Algorithm.PHILOX: 3, Algorithm.AUTO_SELECT: 3, Algorithm.THREEFRY: 2}

State = tuple[int, ...]


class StateStream:
    """A stream (see ``random_seed.Stream``) that goes on in a state variable."""

    __slots__ = ('_state',)

    def __init__(self, state: Variable) -> None:
        self._state = state

    def reserve(self, counters: int) -> tuple[int, int]:
        """The next counters; see ``random_seed.Stream``."""
        start: list[int] = []

        def advance(value: Tensor) -> np.ndarray[Any, Any]:
            low, high, key = (int(part) & philox.MASK_64 for part in value.numpy())
            start[:] = key, high << 64 | low
            after = philox.skip(start[1], counters)
            return as_int64((after & philox.MASK_64, after >> 64, key))

        self._state.update(advance)
        return start[0], start[1]

    def __repr__(self) -> str:
        return f'StateStream({self._state.name!r})'


def variable(state: Any, algorithm: Algorithm) -> Variable:
    """The variable for a state, on the CPU; a variable is taken as it is."""
    if isinstance(state, Variable):
        state.shape.assert_is_compatible_with([_STATE_SIZES[algorithm]])
        return state
    value = as_int64(checked(state, algorithm))
    with device_scope.device('CPU:0'), name_scope.name_scope('random_generator'):
        return Variable(value, trainable=False, name='StateVar')


def checked(state: Any, algorithm: Algorithm) -> State:
    """A state as unsigned integers.

    Raises:
        InvalidArgumentError: it has another size than the algorithm's states.
    """
    return _integers('state', state, _STATE_SIZES[algorithm])


def of_seed(seed: Any, alg: Any) -> State:
    """The state that TensorFlow makes of a seed, an integer or a list of integers."""
    size = _STATE_SIZES[stateless_random.read_algorithm('create_rng_state', alg)]
    read = conversion.host_integers(seed, 'create_rng_state', 'seed')
    if isinstance(read, int):
        return tuple(read >> 64 * part & philox.MASK_64 for part in range(size))
    # As in TensorFlow a short list ends in the key, so that it does not leave the key 0.
    return (0,) * (size - len(read)) + _integers('seed', read[:size], len(read[:size]))


def of_key(key: Any, counter: Any) -> State:
    """The state with a key, one integer, and a counter, two of them."""
    # A list for the key is a nested one here, and refused.
    return _integers('counter', counter, 2) + _integers('key', [key], 1)


def _integers(argument: str, value: Any, size: int) -> State:
    read = conversion.host_integers(value, 'Generator', argument)
    flat = isinstance(read, tuple) and all(isinstance(part, int) for part in read)
    if not flat or len(read) != size:
        raise errors.InvalidArgumentError(
            f'[Generator] {argument} was given as {value!r:.80}; it must have '
            f'{size} integers of 64 bits; give so many'
        )
    return tuple(part & philox.MASK_64 for part in read)


def as_int64(state: State) -> np.ndarray[Any, Any]:
    """A state as its variable holds it."""
    return np.array(state, np.uint64).view(np.int64)


def create_rng_state(seed: Any, alg: Any) -> Tensor:
    """The state with which a generator starts from a seed.

    Args:
        seed: an integer of any size, or a list of integers.
        alg: see ``Generator``; also ``'threefry'``.

    Returns:
        An int64 tensor of shape ``(3,)``, or ``(2,)`` for ThreeFry.
    """
    return conversion.constant(as_int64(of_seed(seed, alg)))
