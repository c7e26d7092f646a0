"""Values without data, for running a function through its ops' shape rules alone."""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from tensorvar import errors
from tensorvar._backend.base import Array, Backend, MemoryInfo


class ShapeOnlyArray:
    """A shape and a dtype that stand for an array.

    Args:
        shape: lengths of the axes; None for a length that is not known.
        dtype: element type.
    """

    __slots__ = ('__weakref__', 'dtype', 'shape')

    __array_ufunc__ = None

    def __init__(self, shape: Sequence[int | None], dtype: np.dtype[Any]) -> None:
        self.shape = tuple(shape)
        self.dtype = dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int | None:
        """Number of elements, or None where a length is not known."""
        size = 1
        for length in self.shape:
            if length is None:
                return None
            size *= length
        return size

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes that the elements would take; 0 where a length is not known."""
        return (self.size or 0) * self.dtype.itemsize

    def __repr__(self) -> str:
        return f'<ShapeOnlyArray shape={self.shape} dtype={self.dtype}>'

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        self.refuse('numpy')

    def __bool__(self) -> NoReturn:
        self.refuse('bool')

    def __int__(self) -> NoReturn:
        self.refuse('int')

    def __float__(self) -> NoReturn:
        self.refuse('float')

    def __complex__(self) -> NoReturn:
        self.refuse('complex')

    def __index__(self) -> NoReturn:
        self.refuse('index')

    def __iter__(self) -> NoReturn:
        self.refuse('iteration')

    def __len__(self) -> NoReturn:
        self.refuse('len')

    def __getitem__(self, index: Any) -> NoReturn:
        self.refuse('getitem')

    def item(self, *args: Any) -> NoReturn:
        """Refuses: there is no data."""
        self.refuse('item')

    def __getattr__(self, name: str) -> NoReturn:
        # Methods of arrays, such as `astype`: forward computations call them.
        if name.startswith('_'):
            raise AttributeError(name)
        self.refuse(name)

    def refuse(self, op: str) -> NoReturn:
        """Raises the error of an operation that needs data.

        Args:
            op: what needs it, such as ``'numpy'``.

        Raises:
            OperatorNotAllowedInGraphError: always.
        """
        raise errors.OperatorNotAllowedInGraphError(
            f'[{op}] a value without data was given, shape {self.shape} and dtype '
            f'{self.dtype}; while shapes are inferred nothing may look at values; compute '
            'with tensors instead, or call the function with real values'
        )


class _ShapeOnlyModule:
    """Stands where an array module is expected and has no function."""

    ndarray = ShapeOnlyArray

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith('__'):
            raise AttributeError(name)
        raise errors.OperatorNotAllowedInGraphError(
            f'[{name}] an array function was called on values without data; while shapes are '
            "inferred, ops run through their shape rule; use the rule's result"
        )


class ShapeOnlyBackend(Backend):
    """Hands out shapes; takes no memory and knows no values."""

    array_module = _ShapeOnlyModule()
    array_type = ShapeOnlyArray

    def empty(self, shape: Sequence[int | None], dtype: np.dtype[Any]) -> Array:
        return ShapeOnlyArray(shape, dtype)

    def from_host(self, host: np.ndarray[Any, Any]) -> Array:
        return ShapeOnlyArray(host.shape, host.dtype)

    def to_host(self, array: Array) -> np.ndarray[Any, Any]:
        """Refuses with ``OperatorNotAllowedInGraphError``: there is no data."""
        return np.asarray(array)

    def copy(self, array: Array) -> Array:
        return ShapeOnlyArray(array.shape, array.dtype)

    def copy_from(self, other: Backend, array: Array) -> Array:
        return ShapeOnlyArray(array.shape, array.dtype)

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    def refresh(self, target: Array, source: Array) -> None:
        """Changes nothing: the shape and dtype are the same."""

    def synchronize(self) -> None:
        """Waits for nothing."""

    def memory_info(self) -> MemoryInfo:
        return MemoryInfo(0, 0, None, 0)

    def reset_memory_stats(self) -> None:
        """Changes nothing: no memory is used."""

    def set_memory_limit(self, nbytes: int | None) -> None:
        """Changes nothing: every limit holds."""

    def release_memory(self) -> int:
        return 0
