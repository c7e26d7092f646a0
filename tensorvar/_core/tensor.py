"""``Tensor``: an immutable array on a device."""

from collections.abc import Callable
from typing import Any

from tensorvar import errors
from tensorvar._backend import transfer
from tensorvar._backend.base import Array
from tensorvar._core import interop, printing, rebuild
from tensorvar._core.array_value import ArrayValue, CopyNeed
from tensorvar._device import registry, scope
from tensorvar._device.device import Device


class Tensor(ArrayValue):
    """An immutable array with a dtype, a shape and a device.

    Tensors come from ``tv.constant``, ``tv.convert_to_tensor`` and from operations;
    the class itself is not called.
    """

    __slots__ = ('__weakref__', '_array', '_assign', '_device', '_where')

    _array: Array
    _assign: Callable[..., Any]
    _where: str

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        raise TypeError(
            '[Tensor] tensors are not made by calling the class; '
            'use tv.constant or tv.convert_to_tensor'
        )

    def _read(self) -> Array:
        return self._array

    def _located(self) -> tuple[Array, Device]:
        return self._array, self._device

    def _on_device(self, device: Device, need: CopyNeed) -> Array:
        if self._device is device:
            return self._array
        if need.state is not None and need.state.trace is not None:
            return need.state.trace.copy(self, device, need)
        return self._copied_to(device, need)

    def _copied_to(self, device: Device, need: CopyNeed) -> Array:
        return transfer.to_device(
            self._array,
            self._device,
            device,
            explicit=need.explicit,
            op=need.op,
            operand=need.operand,
            state=need.state,
            created=self._created(),
            copies=need.copies,
            record_id=need.record_id,
        )

    def _snapshot(self) -> 'Tensor':
        return self

    def _created(self) -> str | None:
        return getattr(self, '_where', None)

    @property
    def _shape(self) -> tuple[int, ...]:
        shape: tuple[int, ...] = self._array.shape
        return shape

    @property
    def assign(self) -> Callable[..., Any]:
        """Writes into the part of the variable that this tensor was indexed from.

        Only the result of indexing a variable has it; AttributeError for other tensors.
        """
        try:
            return self._assign
        except AttributeError:
            raise AttributeError(
                '[Tensor] a tensor has no attribute `assign`; only variables, and parts of them '
                'such as variable[0], can be assigned'
            ) from None

    def __setitem__(self, key: Any, value: Any) -> None:
        raise errors.InvalidTypeError(
            f'[Tensor] `tensor[{key!r:.40}] = value` was written; a tensor does not support item '
            f'assignment, as it never changes; use tv.tensor_scatter_nd_update or tv.where for a '
            f'new one, or a tv.Variable'
        )

    @property
    def backing_device(self) -> str:
        """The same as ``device``."""
        return self._device.full

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self._array.shape)

    def item(self) -> Any:
        """The one element as a Python value: an explicit copy.

        Raises:
            ValueError: there is not exactly one element.
        """
        return self._to_host('item', explicit=True).item()

    def to_device(self, name: Any) -> 'Tensor':
        """The value on another device: an explicit copy; the tensor itself if it is there.

        Args:
            name: a device name or device.

        Raises:
            InvalidArgumentError: there is no such device.
        """
        device = registry.require('to_device', name)
        if device is self._device:
            return self
        need = CopyNeed('to_device', 'value', scope.current(), explicit=True)
        return wrap(self._on_device(device, need), device)

    def cpu(self) -> 'Tensor':
        """The value on ``CPU:0``; deprecated in TensorFlow, the same as ``to_device``."""
        return self.to_device('CPU:0')

    def gpu(self, gpu_index: int = 0) -> 'Tensor':
        """The value on a GPU; deprecated in TensorFlow, the same as ``to_device``.

        Args:
            gpu_index: number of the GPU.

        Raises:
            RuntimeError: there is no such GPU.
        """
        if registry.lookup('GPU', gpu_index) is None:
            raise errors.FailedPreconditionError(
                f'[gpu] GPU:{gpu_index} is an unknown device; the devices here are '
                f'{", ".join(d.short for d in registry.devices())}; use one of them'
            )
        return self.to_device(f'GPU:{gpu_index}')

    def consumers(self) -> Any:
        """Not defined for eager tensors; raises NotImplementedError."""
        raise errors.UnimplementedError(
            '[Tensor] consumers is undefined when eager execution is enabled; there are no graphs; '
            'leave it out'
        )

    def set_shape(self, shape: Any) -> None:
        """Checks that the shape is compatible with ``shape``.

        Args:
            shape: anything that ``tv.TensorShape`` takes.

        Raises:
            ValueError: it is not.
        """
        self.shape.assert_is_compatible_with(shape)

    @property
    def name(self) -> str:
        """Not defined for eager tensors; raises AttributeError."""
        raise AttributeError('Tensor.name is undefined when eager execution is enabled.')

    @property
    def op(self) -> Any:
        """Not defined for eager tensors; raises AttributeError."""
        raise AttributeError('Tensor.op is undefined when eager execution is enabled.')

    @property
    def graph(self) -> Any:
        """Not defined for eager tensors; raises AttributeError."""
        raise AttributeError('Tensor.graph is undefined when eager execution is enabled.')

    def __len__(self) -> int:
        if not self._array.shape:
            raise TypeError('[len] Scalar tensor has no `len()`; give a value of rank 1 or more')
        return int(self._array.shape[0])

    def __hash__(self) -> int:
        raise TypeError('[hash] Tensor is unhashable. Instead, use tensor.ref() as the key.')

    def __index__(self) -> int:
        if not self.dtype.is_integer and self._array.shape == ():
            raise errors.MissingMethodError(
                f'[index] a tensor of dtype {self.dtype.name} was given; only integer scalar '
                f'tensors can be converted to a scalar index; use int() or tv.cast first'
            )
        return int(self._scalar('index'))

    def __round__(self, digits: int | None = None) -> Any:
        raise errors.MissingMethodError(
            f'[round] a tensor of dtype {self.dtype.name} was given; Python rounds numbers; '
            f'use tv.round, or round(float(tensor))'
        )

    def __format__(self, spec: str) -> str:
        host = self._to_host('format', explicit=True)
        return format(host if host.shape else host[()], spec)

    def __copy__(self) -> 'Tensor':
        return self

    def __deepcopy__(self, memo: Any) -> 'Tensor':
        scope.leave_trace('a tensor is copied by copy.deepcopy')
        return wrap(self._device.backend.copy(self._array), self._device)

    def __reduce__(self) -> tuple[Any, ...]:
        host = self._to_host('pickle', explicit=True)
        return (_unpickle, (host, self.dtype.name, self._device.short))

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        """CUDA's array interface; AttributeError for tensors that no card holds."""
        scope.leave_trace('a value is exported by __cuda_array_interface__')
        return interop.cuda_array_interface(self._array, self._device)

    def __repr__(self) -> str:
        return printing.tensor_repr(self._to_host('repr', explicit=True), self.dtype)

    def __str__(self) -> str:
        return printing.tensor_text(self._to_host('print', explicit=True), self.dtype)


_new = Tensor.__new__


def wrap(array: Array, device: Device) -> Tensor:
    """A tensor around an array that nobody will write to."""
    tensor = _new(Tensor)
    tensor._array = array
    tensor._device = device
    return tensor


def _unpickle(host: Any, dtype: str, device_name: str) -> Tensor:
    device = rebuild.device_for(device_name)
    return wrap(device.backend.from_host(rebuild.with_dtype(host, dtype)), device)
