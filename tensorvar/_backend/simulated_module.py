"""NumPy's functions for the arrays of one simulated device.

Array code written for a module like NumPy or CuPy runs unchanged: every function
found here takes the data out of its arguments, lets NumPy compute, and wraps and
charges what comes back. Host arrays and arrays of another device are refused, as a
card refuses them.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tensorvar import errors
from tensorvar._backend import memory_ledger
from tensorvar._backend.simulated_array import SimulatedArray
from tensorvar._backend.simulated_namespace import SimulatedNamespace

_PLAIN_TYPES = frozenset({int, float, bool, complex, str, bytes, slice, type, type(None)})
"""Types of arguments that cannot hold an array."""

_BOOLEAN_RESULTS = frozenset({'allclose', 'array_equal', 'array_equiv'})
"""NumPy answers these with a Python bool, a card's library with a 0-d array."""

_HOST_ONLY_KINDS = frozenset('OSUTMm')
"""Kinds of dtypes (objects, text, dates) that no card holds."""


class SimulatedModule(SimulatedNamespace):
    """The array module of one simulated device.

    Args:
        device: short name of the device, for errors.
        ledger: what charges the arrays.
    """

    ndarray = SimulatedArray

    def __init__(self, device: str, ledger: memory_ledger.MemoryLedger) -> None:
        super().__init__(self, np)
        self.device = device
        self.ledger = ledger
        self._refused_kinds = frozenset() if device.startswith('CPU') else _HOST_ONLY_KINDS

    def namespace(self, source: Any) -> SimulatedNamespace:
        """Returns the functions of another module, such as scipy.special."""
        return SimulatedNamespace(self, source)

    # Creation: the size is known, so that what does not fit is never made.

    def empty(
        self, shape: int | Sequence[int], dtype: Any = float, order: Any = 'C'
    ) -> SimulatedArray:
        """``numpy.empty``."""
        return self._create(np.empty, shape, dtype, order)

    def zeros(
        self, shape: int | Sequence[int], dtype: Any = float, order: Any = 'C'
    ) -> SimulatedArray:
        """``numpy.zeros``."""
        return self._create(np.zeros, shape, dtype, order)

    def ones(
        self, shape: int | Sequence[int], dtype: Any = None, order: Any = 'C'
    ) -> SimulatedArray:
        """``numpy.ones``."""
        return self._create(np.ones, shape, dtype, order)

    def full(
        self, shape: int | Sequence[int], fill_value: Any, dtype: Any = None, order: Any = 'C'
    ) -> SimulatedArray:
        """``numpy.full``."""
        if dtype is None:
            dtype = np.asarray(self._unwrap(fill_value, 'full', [])).dtype
        filled = self._create(np.empty, shape, dtype, order)
        filled[...] = fill_value
        return filled

    def copy_in(self, data: np.ndarray[Any, Any]) -> SimulatedArray:
        """Returns the device's own copy of data of the host, in C order.

        This is the backend's way in; array code has no such function.
        """
        return self._reserve(data.nbytes, data.dtype, lambda: np.array(data, order='C'))

    def look(self, array: SimulatedArray) -> np.ndarray[Any, Any]:
        """The data of an array, for checks that a card's kernel would make itself.

        Nothing computed from it may reach a result.
        """
        return array._data

    def _create(
        self, function: Callable[..., Any], shape: int | Sequence[int], dtype: Any, order: Any
    ) -> SimulatedArray:
        dtype = np.dtype(dtype)
        lengths = (shape,) if isinstance(shape, int) else shape
        nbytes = dtype.itemsize
        for length in lengths:
            nbytes *= int(length)
        return self._reserve(nbytes, dtype, lambda: function(shape, dtype, order))

    def _reserve(
        self, nbytes: int, dtype: np.dtype[Any], make: Callable[[], np.ndarray[Any, Any]]
    ) -> SimulatedArray:
        self._check_dtype(dtype)
        charged = self.ledger.charge(max(nbytes, 0))
        try:
            data = make()
        except BaseException:
            self.ledger.release(charged)
            raise
        return SimulatedArray(self, data, None, charged)

    # Everything else.

    def apply(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Calls a function of NumPy on the data inside of simulated arrays.

        Args:
            function: any function, ufunc or unbound method of ndarray.
            args: its positional arguments, which may hold arrays in tuples and lists.
            kwargs: its keyword arguments, likewise.

        Returns:
            What NumPy returned, with arrays and NumPy scalars wrapped. Arrays that
            share memory with an argument become views of its owner.

        Raises:
            TypeError: an argument is a host array.
            InvalidArgumentError: an argument lies on another device.
            ResourceExhaustedError: the results do not fit; none is kept.
        """
        name = getattr(function, '__name__', 'call')
        inputs: list[SimulatedArray] = []
        plain_args = [self._unwrap(value, name, inputs) for value in args]
        plain_kwargs = {key: self._unwrap(value, name, inputs) for key, value in kwargs.items()}
        result = function(*plain_args, **plain_kwargs)
        if name in _BOOLEAN_RESULTS:
            result = np.asarray(result)
        return self._wrap(result, inputs)

    def _unwrap(self, value: Any, function: str, inputs: list[SimulatedArray]) -> Any:
        if type(value) in _PLAIN_TYPES:
            return value
        if isinstance(value, SimulatedArray):
            if value._module is not self:
                self._refuse_device(value, function)
            inputs.append(value)
            return value._data
        if isinstance(value, tuple):
            return tuple(self._unwrap(item, function, inputs) for item in value)
        if isinstance(value, list):
            return [self._unwrap(item, function, inputs) for item in value]
        if hasattr(type(value), '__array__') and not isinstance(value, np.generic):
            self._refuse_host(value, function)
        return value

    def _wrap(self, result: Any, inputs: list[SimulatedArray]) -> Any:
        if isinstance(result, np.ndarray):
            return self._wrap_array(result, inputs)
        if isinstance(result, np.generic):
            return self._own(np.asarray(result))
        if isinstance(result, bytes):
            return self._own(np.asarray(result, object))
        if isinstance(result, (tuple, list)):
            return self._wrap_sequence(result, inputs)
        if isinstance(result, (np.random.Generator, np.random.RandomState)):
            return SimulatedNamespace(self, result)
        return result

    def _wrap_sequence(
        self, results: tuple[Any, ...] | list[Any], inputs: list[SimulatedArray]
    ) -> Any:
        wrapped: list[Any] = []
        try:
            for result in results:
                wrapped.append(self._wrap(result, inputs))
                if isinstance(wrapped[-1], SimulatedArray):
                    # A later result may be a view of this one's memory.
                    inputs.append(wrapped[-1])
        except errors.ResourceExhaustedError:
            # The traceback keeps both lists alive; what they hold shall go now.
            wrapped.clear()
            inputs.clear()
            raise
        if hasattr(results, '_fields'):
            return type(results)(*wrapped)
        return type(results)(wrapped)

    def _wrap_array(
        self, data: np.ndarray[Any, Any], inputs: list[SimulatedArray]
    ) -> SimulatedArray:
        same = _find_wrapper(data, inputs)
        if same is not None:
            return same
        owner = _find_owner(data, inputs) if data.base is not None else None
        if owner is not None:
            return SimulatedArray(self, data, owner, 0)
        return self._own(data)

    def _own(self, data: np.ndarray[Any, Any]) -> SimulatedArray:
        self._check_dtype(data.dtype)
        charged = self.ledger.charge(_memory_of(data).nbytes)
        return SimulatedArray(self, data, None, charged)

    # Refusals.

    def _check_dtype(self, dtype: np.dtype[Any]) -> None:
        if dtype.kind in self._refused_kinds:
            raise errors.InvalidTypeError(
                f'[allocate] an array of dtype {dtype} was asked for on {self.device}; a GPU '
                'holds numbers and booleans; keep text and objects on CPU:0'
            )

    def _refuse_host(self, value: Any, function: str) -> None:
        shape = getattr(value, 'shape', None)
        raise TypeError(
            f'[{function}] a {type(value).__name__} of the host with shape {shape} was given '
            f'together with arrays of {self.device}; all arrays lie on one device; copy it '
            'there first, with tv.constant or the from_host of its backend'
        )

    def _refuse_device(self, array: SimulatedArray, function: str) -> None:
        raise errors.InvalidArgumentError(
            f'[{function}] an array of {array.device} with shape {array.shape} was given to '
            f'{self.device}; all arrays lie on one device; copy it there first, with the '
            'copy_from of its backend'
        )


def _memory_of(data: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Returns the array that owns the memory behind a chain of views."""
    owner = data
    base: Any = data.base
    while base is not None:
        if isinstance(base, np.ndarray):
            owner = base
        # NumPy's stride tricks put an object of their own between two arrays.
        base = getattr(base, 'base', None)
    return owner


def _find_wrapper(
    data: np.ndarray[Any, Any], arrays: list[SimulatedArray]
) -> SimulatedArray | None:
    """Returns the array that wraps exactly this data, such as an ``out`` argument."""
    for array in arrays:
        if array._data is data:
            return array
    return None


def _find_owner(data: np.ndarray[Any, Any], arrays: list[SimulatedArray]) -> SimulatedArray | None:
    """Returns the owner of the memory that this data is a view of."""
    memory = _memory_of(data)
    for array in arrays:
        owner = array if array._base is None else array._base
        if _memory_of(owner._data) is memory:
            return owner
    return None
