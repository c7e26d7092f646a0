"""Exchange of arrays with other libraries: DLPack and CUDA's array interface.

A tensor's capsule shares its buffer and holds it. A variable exports a snapshot, because
who takes a capsule may write to it.
"""

from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import dlpack_capsule
from tensorvar._device import registry
from tensorvar._device.device import Device

DLPACK_CPU = 1
DLPACK_CUDA = 2


def export_dlpack(array: Array, device: Device, **keywords: Any) -> Any:
    """A DLPack capsule of an array.

    Args:
        array: the array to share.
        device: where it lives.
        **keywords: ``stream``, ``max_version``, ``dl_device`` and ``copy`` of the protocol.

    Raises:
        UnimplementedError: the array is simulated, or its dtype has no DLPack code.
    """
    may_copy = device.kind == 'CPU' and keywords.get('copy') is not False
    if may_copy and not hasattr(array, '__dlpack__'):
        # A logical CPU wraps its arrays to charge them; outside they are copies.
        return device.backend.to_host(array).__dlpack__(**keywords)
    if not hasattr(array, '__dlpack__'):
        raise errors.UnimplementedError(
            f'[dlpack] an array on {device.short} ({type(array).__name__}) was given; simulated '
            f'and traced arrays have no address to share; use .numpy()'
        )
    try:
        return device.backend.call(array.__dlpack__, **keywords)
    except BufferError as error:
        raise errors.UnimplementedError(
            f'[dlpack] an array of dtype {array.dtype} on {device.short} cannot be exported '
            f'({error}); cast it first'
        ) from error


def dlpack_device(array: Array, device: Device) -> tuple[int, int]:
    """DLPack's device type and number; for a card CUDA's ordinal, as CuPy says it."""
    if not hasattr(array, '__dlpack_device__'):
        return (DLPACK_CPU, 0)
    kind, number = array.__dlpack_device__()
    return (int(kind), int(number))


def cuda_array_interface(array: Array, device: Device) -> dict[str, Any]:
    """CUDA's array interface of an array on a card.

    Raises:
        AttributeError: the array is on no card, which is how the protocol says so.
    """
    interface = getattr(array, '__cuda_array_interface__', None)
    if interface is None:
        raise AttributeError(f'{device.short} holds no CUDA memory')
    described: dict[str, Any] = dict(interface)
    described['data'] = (described['data'][0], True)
    return described


def import_dlpack(value: Any) -> tuple[Array, Device]:
    """An array that shares the buffer of another library's array.

    Args:
        value: an object with ``__dlpack__`` and ``__dlpack_device__``, or a bare capsule.

    Returns:
        The array and the device of ours whose memory holds it.

    Raises:
        InvalidArgumentError: the object's device is none of ours.
    """
    if dlpack_capsule.is_capsule(value):
        value = dlpack_capsule.Capsule(value)
    if not hasattr(value, '__dlpack__') or not hasattr(value, '__dlpack_device__'):
        raise errors.InvalidTypeError(
            f'[from_dlpack] a {type(value).__name__} was given; allowed are objects with '
            f'__dlpack__ and __dlpack_device__, and capsules; use tv.constant for other data'
        )
    kind, number = value.__dlpack_device__()
    device = _device_at(int(kind), int(number))
    if device is None:
        raise errors.InvalidArgumentError(
            f'[from_dlpack] the array lives on DLPack device ({int(kind)}, {number}); the devices '
            f'here are {", ".join(d.short for d in registry.devices())}; copy it to one of them'
        )
    if kind == DLPACK_CPU:
        return _on_cpu(np.from_dlpack(value), device), device
    array = device.backend.call(device.backend.array_module.from_dlpack, value)
    return _canonical(array), device


def _on_cpu(host: np.ndarray[Any, Any], device: Device) -> Array:
    host = _canonical(host)
    # A logical CPU wraps its arrays to charge them, which takes a copy.
    return host if device.backend.array_type is np.ndarray else device.backend.from_host(host)


def _canonical(array: Array) -> Array:
    dtype = dtypes.canonical(array.dtype)
    return array if array.dtype is dtype else array.view(dtype)


def _device_at(kind: int, number: int) -> Device | None:
    if kind == DLPACK_CPU:
        return registry.cpu()
    for device in registry.devices():
        physical = None if device.simulated else device.physical
        if kind == DLPACK_CUDA and physical is not None and physical.ordinal == number:
            return device
    return None
