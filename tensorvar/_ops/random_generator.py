"""``tv.random.Generator``: a stream of random numbers whose state is a variable."""

import secrets
from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._core import conversion
from tensorvar._core.tensor import Tensor
from tensorvar._core.variable import Variable
from tensorvar._ops import (
    _random_arguments,
    _random_define,
    binomial_draws,
    distributions,
    generator_state,
    philox,
    stateless_random,
)
from tensorvar._ops.stateless_random import Algorithm


class Generator:
    """A stream of random numbers with a state of its own.

    The numbers are those of TensorFlow on its CPU, on every device. Generators do not
    depend on ``tv.random.set_seed``, and may be shared by threads.

    Differences from TensorFlow: the state variable lies on the CPU whatever the scope
    says, because a draw on a card takes the state as kernel arguments; draws run on the
    device of the scope, or on the default device. Arguments that make no generator
    raise ``InvalidArgumentError``, not ``AssertionError``.

    Args:
        copy_from: a generator, whose state and algorithm are copied.
        state: three integers (a 128-bit counter, low half first, and the key), or a
            variable that holds them, which the generator then uses itself.
        alg: ``'philox'``, ``'auto_select'`` or a ``tv.random.Algorithm``.

    Raises:
        ValueError: neither ``copy_from`` nor ``state`` and ``alg``, or a bad state.
        UnimplementedError: the algorithm is ThreeFry.

    Example:
        >>> import tensorvar as tv
        >>> generator = tv.random.Generator.from_seed(1234)
        >>> generator.normal([2, 3]).shape
        TensorShape([2, 3])
        >>> generator.state.numpy().tolist()
        [2770, 0, 0]
    """

    def __init__(
        self, copy_from: 'Generator | None' = None, state: Any = None, alg: Any = None
    ) -> None:
        if copy_from is not None:
            if state is not None or alg is not None:
                raise errors.InvalidArgumentError(
                    '[Generator] copy_from was given together with state or alg; a copy takes '
                    'both from the other generator; give one or the other'
                )
            state, alg = copy_from.state.numpy(), copy_from.algorithm
        elif state is None or alg is None:
            raise errors.InvalidArgumentError(
                f'[Generator] state={state!r} and alg={alg!r} were given; both are needed; '
                f'use Generator.from_seed(1) or Generator.from_non_deterministic_state()'
            )
        algorithm = stateless_random.read_algorithm('Generator', alg)
        stateless_random.check_philox('Generator', algorithm)
        self._algorithm = algorithm
        self._state_var = generator_state.variable(state, algorithm)
        self._stream = generator_state.StateStream(self._state_var)

    @classmethod
    def from_state(cls, state: Any, alg: Any) -> 'Generator':
        """A generator with a given state; see the class for ``state`` and ``alg``."""
        return cls(state=state, alg=alg)

    @classmethod
    def from_seed(cls, seed: Any, alg: Any = None) -> 'Generator':
        """A generator that starts from a seed.

        Args:
            seed: an integer of any size, or a list of integers.
            alg: see the class; None for Philox.
        """
        algorithm = Algorithm.PHILOX if alg is None else alg
        return cls(state=generator_state.of_seed(seed, algorithm), alg=algorithm)

    @classmethod
    def from_non_deterministic_state(cls, alg: Any = None) -> 'Generator':
        """A generator that the operating system's randomness starts.

        Args:
            alg: see the class; None for Philox.
        """
        return cls.from_seed(secrets.randbits(192), alg)

    @classmethod
    def from_key_counter(cls, key: Any, counter: Any, alg: Any) -> 'Generator':
        """A generator with a given key and counter.

        Args:
            key: an integer of 64 bits.
            counter: two integers of 64 bits, the low half first.
            alg: see the class.
        """
        return cls(state=generator_state.of_key(key, counter), alg=alg)

    def reset(self, state: Any) -> None:
        """Sets the state; see the class for ``state``."""
        self._set(generator_state.checked(state, self._algorithm))

    def reset_from_seed(self, seed: Any) -> None:
        """Starts anew from a seed; see ``from_seed``."""
        self._set(generator_state.of_seed(seed, self._algorithm))

    def reset_from_key_counter(self, key: Any, counter: Any) -> None:
        """Starts anew from a key and a counter; see ``from_key_counter``."""
        self._set(generator_state.of_key(key, counter))

    def _set(self, state: generator_state.State) -> None:
        self._state_var.assign(generator_state.as_int64(state))

    @property
    def state(self) -> Variable:
        """The variable that holds the state: int64, shape ``(3,)``."""
        return self._state_var

    @property
    def algorithm(self) -> int:
        """The number of the algorithm in ``tv.random.Algorithm``."""
        return self._algorithm.value

    @property
    def key(self) -> Tensor:
        """The key, an int64 scalar: two keys start two independent streams."""
        return conversion.constant(self._state_var.numpy()[-1])

    def skip(self, delta: Any) -> Tensor:
        """Moves on as if ``delta`` values had been drawn.

        Args:
            delta: how many; a negative number moves back.

        Returns:
            The state before, int64 of shape ``(3,)``.
        """
        count = conversion.host_integers(delta, 'skip', 'delta')
        key, counter = self._stream.reserve(count * _random_define.COUNTERS_PER_VALUE)
        state = counter & philox.MASK_64, counter >> 64, key
        return conversion.constant(generator_state.as_int64(state))

    def normal(
        self,
        shape: Any,
        mean: Any = 0.0,
        stddev: Any = 1.0,
        dtype: Any = dtypes.float32,
        name: str | None = None,
    ) -> Tensor:
        """Draws from a normal distribution; arguments as in ``tv.random.normal``."""
        op = stateless_random.STATELESS_NORMAL
        values = stateless_random.draw(op, shape, dtype, self._stream)
        return _random_arguments.scale(values, stddev, mean)

    def truncated_normal(
        self,
        shape: Any,
        mean: Any = 0.0,
        stddev: Any = 1.0,
        dtype: Any = dtypes.float32,
        name: str | None = None,
    ) -> Tensor:
        """Draws as ``tv.random.truncated_normal`` does; same arguments."""
        op = stateless_random.STATELESS_TRUNCATED_NORMAL
        values = stateless_random.draw(op, shape, dtype, self._stream)
        return _random_arguments.scale(values, stddev, mean)

    def uniform(
        self,
        shape: Any,
        minval: Any = 0,
        maxval: Any = None,
        dtype: Any = dtypes.float32,
        name: str | None = None,
    ) -> Tensor:
        """Draws evenly from [minval, maxval).

        Arguments as in ``tv.random.stateless_uniform``; unsigned dtypes may have bounds
        here (TensorFlow has no kernel for that).
        """
        kind = dtypes.as_dtype(dtype)
        if kind.is_integer:
            return stateless_random.draw_integers(
                'Generator.uniform', shape, kind, self._stream, minval, maxval
            )
        op = stateless_random.STATELESS_UNIFORM
        values = stateless_random.draw(op, shape, kind, self._stream)
        high = 1 if maxval is None else maxval
        return _random_arguments.scale_to_range(values, minval, high)

    def uniform_full_int(
        self, shape: Any, dtype: Any = dtypes.uint64, name: str | None = None
    ) -> Tensor:
        """Draws from all integers of a dtype.

        Args:
            shape: the shape of the result, 1-D.
            dtype: int32, int64, uint32 or uint64.
            name: accepted for TensorFlow's sake.
        """
        return stateless_random.draw_integers(
            'uniform_full_int', shape, dtypes.as_dtype(dtype), self._stream, None, None
        )

    def binomial(
        self,
        shape: Any,
        counts: Any,
        probs: Any,
        dtype: Any = dtypes.int32,
        name: str | None = None,
    ) -> Tensor:
        """Draws numbers of hits; arguments as in ``tv.random.stateless_binomial``."""
        return binomial_draws.draw(shape, counts, probs, dtype, self._stream)

    def make_seeds(self, count: int = 1) -> Tensor:
        """Seeds for the ``stateless_*`` functions.

        Args:
            count: how many.

        Returns:
            An int64 tensor of shape ``(2, count)``, a column for each seed.
        """
        keys = self._new_keys(count)
        return conversion.constant(np.stack([keys, np.zeros_like(keys)]))

    def split(self, count: int = 1) -> 'list[Generator]':
        """New generators, independent of each other and of this one, which moves on.

        Args:
            count: how many.
        """
        keys = self._new_keys(count)
        return [Generator(state=(0, 0, int(key)), alg=self._algorithm) for key in keys]

    def _new_keys(self, count: int) -> np.ndarray[Any, Any]:
        """What ``uniform_full_int([count], int64)`` gives, for the host."""
        key, counter = self._stream.reserve(count * _random_define.COUNTERS_PER_VALUE)
        keys: np.ndarray[Any, Any] = distributions.integers(
            np, key, counter, (count,), dtypes.int64.numpy, 0, 1 << 64
        )
        return keys


_global_generator: Generator | None = None


def get_global_generator() -> Generator:
    """The generator shared by the whole program; made on first use.

    Returns:
        It, started by the operating system's randomness unless it was set.
    """
    global _global_generator
    if _global_generator is None:
        _global_generator = Generator.from_non_deterministic_state()
    return _global_generator


def set_global_generator(generator: Generator | None) -> None:
    """Replaces the generator that ``get_global_generator`` returns.

    Args:
        generator: the new one; None forgets the old one, and the next use makes another.
    """
    global _global_generator
    _global_generator = generator
