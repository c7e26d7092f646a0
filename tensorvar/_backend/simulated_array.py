"""An array in the memory of a simulated device.

It computes with NumPy but behaves as a card's array does: it wraps an ndarray
privately, nothing on the host can read it by accident, and its memory is charged to
its device until the last reference goes.
"""

from collections.abc import Iterator
from typing import Any, NoReturn, Self

import numpy as np

from tensorvar._backend.simulated_methods import SimulatedMethods
from tensorvar._backend.simulated_operators import SimulatedOperators

HostData = np.ndarray[tuple[int, ...], np.dtype[Any]]
"""The array inside."""


class SimulatedArray(SimulatedOperators, SimulatedMethods):
    """An array of a simulated device; made only by its array module.

    An array either owns memory, and is charged, or is a view of an owner, which it
    keeps alive. The charge ends with the owner's last reference, without the cycle
    collector.

    Args:
        module: the array module of the device.
        data: the values.
        base: the owner this is a view of, or None for an owner.
        charged: bytes that the ledger charged for it; 0 for a view.
    """

    __slots__ = ('__weakref__', '_base', '_charged', '_data', '_module')

    # Lets an ndarray on the left hand side leave the operator to this class.
    __array_ufunc__ = None

    def __init__(
        self,
        module: Any,
        data: HostData,
        base: Self | None,
        charged: int,
    ) -> None:
        self._module = module
        self._data = data
        self._base = base
        self._charged = charged

    def __del__(self) -> None:
        if self._charged:
            self._module.ledger.release(self._charged)

    # What may be known without reading values.

    @property
    def device(self) -> str:
        """Short name of the device."""
        return str(self._module.device)

    @property
    def base(self) -> Self | None:
        """The owner this is a view of, or None."""
        return self._base

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return self._data.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Element type."""
        return self._data.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._data.ndim

    @property
    def size(self) -> int:
        """Number of elements."""
        return self._data.size

    @property
    def nbytes(self) -> int:
        """Bytes of the elements."""
        return self._data.nbytes

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return self._data.itemsize

    @property
    def strides(self) -> tuple[int, ...]:
        """Bytes from one element to the next, for each axis."""
        return self._data.strides

    @property
    def flags(self) -> Any:
        """Memory layout, such as ``flags.c_contiguous``."""
        return self._data.flags

    def __len__(self) -> int:
        return len(self._data)

    def __repr__(self) -> str:
        return f'<SimulatedArray {self.device} shape={self.shape} dtype={self.dtype}>'

    # Parts of it.

    @property
    def T(self) -> Any:
        """The array with its axes reversed; a view."""
        return self._module.transpose(self)

    @property
    def real(self) -> Any:
        """The real part; a view."""
        return self._module.real(self)

    @property
    def imag(self) -> Any:
        """The imaginary part; a view if the array is complex."""
        return self._module.imag(self)

    def __getitem__(self, index: Any) -> Any:
        parts = index if isinstance(index, tuple) else (index,)
        if not any(part is Ellipsis for part in parts):
            # With an ellipsis NumPy returns a 0-d view where it would return a scalar.
            parts = (*parts, Ellipsis)
        return self._module.apply(np.ndarray.__getitem__, (self, parts), {})

    def __setitem__(self, index: Any, value: Any) -> None:
        self._module.apply(np.ndarray.__setitem__, (self, index, value), {})

    def __iter__(self) -> Iterator[Any]:
        for index in range(len(self)):
            yield self[index]

    # Looks at values, which the copy path alone may take.

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        self._refuse('numpy.asarray')

    def __bool__(self) -> NoReturn:
        self._refuse('bool')

    def __int__(self) -> NoReturn:
        self._refuse('int')

    def __float__(self) -> NoReturn:
        self._refuse('float')

    def __complex__(self) -> NoReturn:
        self._refuse('complex')

    def __index__(self) -> NoReturn:
        self._refuse('index')

    def item(self, *args: Any) -> NoReturn:
        """Refuses: a value reaches the host through ``to_host`` alone."""
        self._refuse('item')

    def tolist(self) -> NoReturn:
        """Refuses: values reach the host through ``to_host`` alone."""
        self._refuse('tolist')

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        self._refuse('pickle')

    def _refuse(self, op: str) -> NoReturn:
        raise TypeError(
            f'[{op}] an array of {self.device} with shape {self.shape} and dtype '
            f'{self.dtype} was given; only host data can be read here; copy it to the '
            "host first, with .numpy() of its tensor or its backend's to_host"
        )
