"""Exchange of tensors with other libraries without a copy."""

from typing import Any

from tensorvar._core import array_value, conversion, interop, tensor

__all__ = ['from_dlpack', 'to_dlpack']


def to_dlpack(tf_tensor: Any) -> Any:
    """A DLPack capsule of a tensor or of a variable's current value.

    A tensor's capsule shares its buffer, which nobody may write to. A variable's holds a
    snapshot of its own.

    Args:
        tf_tensor: a tensor or variable. TensorFlow refuses variables.

    Returns:
        A capsule, as ``__dlpack__`` gives it.

    Raises:
        UnimplementedError: the device is simulated, or the dtype has no DLPack code.
    """
    value = conversion.unwrap(tf_tensor)
    if not isinstance(value, array_value.ArrayValue):
        value = conversion.constant(value)
    return value.__dlpack__()


def from_dlpack(dlcapsule: Any) -> tensor.Tensor:
    """A tensor that shares the buffer of another library's array.

    Args:
        dlcapsule: an object with ``__dlpack__`` and ``__dlpack_device__``, such as a NumPy,
            CuPy, PyTorch or JAX array, or a capsule. The producer must not write to it
            any more.

    Returns:
        The tensor, on the device whose memory holds it.

    Raises:
        InvalidArgumentError: neither, a capsule that was read before, or an array on a
            device that is not there.
    """
    return tensor.wrap(*interop.import_dlpack(dlcapsule))
