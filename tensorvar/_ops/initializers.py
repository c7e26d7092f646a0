"""Makers of first values for variables."""

from typing import Any, Self

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._core import conversion
from tensorvar._core.tensor import Tensor
from tensorvar._ops import creation, random_ops, stateless_random

_PARTITION = ('partition_shape', 'partition_offset')


class Initializer:
    """Base of the initializers: called with a shape and a dtype, gives a tensor."""

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor, for ``from_config``."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """An initializer with the arguments that ``get_config`` gave.

        Args:
            config: those arguments; a ``dtype`` among them is passed over.
        """
        return cls(**{key: value for key, value in config.items() if key != 'dtype'})

    def _part(self, shape: Any, keywords: dict[str, Any], partitions: bool = True) -> Any:
        """The shape to fill: that of a part of the variable, if one is asked for."""
        for keyword in keywords:
            if keyword not in _PARTITION:
                raise errors.InvalidTypeError(
                    f'[initializer] Keyword argument should be one of {list(_PARTITION)}; '
                    f'got {keyword!r}'
                )
            if not partitions:
                raise errors.InvalidArgumentError(
                    f"[initializer] {type(self).__name__} doesn't support partition-related "
                    f'arguments; got {keyword!r}'
                )
        return keywords.get('partition_shape', shape)


def _checked_dtype(dtype: Any, allowed: frozenset[np.dtype[Any]], what: str) -> dtypes.DType:
    wanted = dtypes.as_dtype(dtype)
    if wanted.numpy not in allowed:
        raise errors.InvalidArgumentError(
            f'[initializer] Argument `dtype` expected to be {what}; got {wanted.name}'
        )
    return wanted


_NUMBERS = dtypes.NUMERIC | dtypes.BOOLEAN


class Zeros(Initializer):
    """Fills with zeros.

    Example:
        >>> import tensorvar as tv
        >>> print(tv.zeros_initializer()([2]))
        tv.Tensor([0. 0.], shape=(2,), dtype=float32)
    """

    def __call__(self, shape: Any, dtype: Any = dtypes.float32, **kwargs: Any) -> Tensor:
        """A tensor of zeros.

        Args:
            shape: its shape.
            dtype: its element type: numbers or bool.
            **kwargs: ``partition_shape`` and ``partition_offset`` of one part of a variable.
        """
        shape = self._part(shape, kwargs)
        return creation.zeros(shape, _checked_dtype(dtype, _NUMBERS, 'numeric or boolean'))


class Ones(Initializer):
    """Fills with ones."""

    def __call__(self, shape: Any, dtype: Any = dtypes.float32, **kwargs: Any) -> Tensor:
        """A tensor of ones. See ``zeros_initializer``."""
        shape = self._part(shape, kwargs)
        return creation.ones(shape, _checked_dtype(dtype, _NUMBERS, 'numeric or boolean'))


class Constant(Initializer):
    """Fills with given values.

    Args:
        value: a number, which fills any shape, or as many values as the shape has.
        support_partition: whether the keywords for parts of a variable are allowed.

    Raises:
        TypeError: ``value`` is neither a Python or NumPy scalar, a list nor an array.
    """

    def __init__(self, value: Any = 0, support_partition: bool = False) -> None:
        if not (np.isscalar(value) or isinstance(value, list | tuple | np.ndarray)):
            raise errors.InvalidTypeError(
                f'[initializer] Invalid type for initial value: {type(value).__name__}; allowed '
                f'are a Python scalar, a list or tuple of values, and an array'
            )
        self.value = value
        self.support_partition = support_partition

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
        """A tensor of the values.

        Args:
            shape: its shape.
            dtype: its element type; None for the natural one of the values.
            **kwargs: ``partition_shape`` and ``partition_offset``, which change nothing.

        Raises:
            TypeError: there are fewer values or more, or they do not fit the dtype.
        """
        self._part(shape, kwargs, self.support_partition)
        return conversion.constant(self.value, dtype=dtype, shape=shape)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor, for ``from_config``."""
        return {'value': self.value}


class RandomNormal(Initializer):
    """Fills with numbers of a normal distribution.

    Args:
        mean: its mean.
        stddev: its standard deviation.
        seed: an integer: every call gives the same numbers, those of ``stateless_normal``
            with ``[seed, 0]``. None draws new ones, as ``tv.random.normal`` does.
    """

    def __init__(self, mean: Any = 0.0, stddev: Any = 0.05, seed: int | None = None) -> None:
        self.mean = mean
        self.stddev = stddev
        self.seed = seed

    def __call__(self, shape: Any, dtype: Any = dtypes.float32, **kwargs: Any) -> Tensor:
        """A tensor of random numbers.

        Args:
            shape: its shape.
            dtype: its element type: a float.
            **kwargs: ``partition_shape`` and ``partition_offset`` of one part of a variable.
        """
        shape = self._part(shape, kwargs)
        kind = _checked_dtype(dtype, dtypes.FLOATING, 'floating point')
        if self.seed is None:
            return random_ops.normal(shape, self.mean, self.stddev, kind)
        return stateless_random.stateless_normal(
            shape, [self.seed, 0], self.mean, self.stddev, kind
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor, for ``from_config``."""
        return {'mean': self.mean, 'stddev': self.stddev, 'seed': self.seed}


class RandomUniform(Initializer):
    """Fills with numbers of a uniform distribution.

    Args:
        minval: the lowest number.
        maxval: the end of the interval, which is not drawn.
        seed: an integer: every call gives the same numbers, those of ``stateless_uniform``
            with ``[seed, 0]``. None draws new ones, as ``tv.random.uniform`` does.
    """

    def __init__(self, minval: Any = -0.05, maxval: Any = 0.05, seed: int | None = None) -> None:
        self.minval = minval
        self.maxval = maxval
        self.seed = seed

    def __call__(self, shape: Any, dtype: Any = dtypes.float32, **kwargs: Any) -> Tensor:
        """A tensor of random numbers.

        Args:
            shape: its shape.
            dtype: its element type: a float or an integer.
            **kwargs: ``partition_shape`` and ``partition_offset`` of one part of a variable.
        """
        shape = self._part(shape, kwargs)
        kind = _checked_dtype(dtype, dtypes.REAL, 'a float or an integer')
        if self.seed is None:
            return random_ops.uniform(shape, self.minval, self.maxval, kind)
        return stateless_random.stateless_uniform(
            shape, [self.seed, 0], self.minval, self.maxval, kind
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor, for ``from_config``."""
        return {'minval': self.minval, 'maxval': self.maxval, 'seed': self.seed}
