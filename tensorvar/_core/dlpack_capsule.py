"""Bare DLPack capsules, as ``torch.utils.dlpack.to_dlpack`` and TensorFlow hand them out.

A capsule says where its data lies, but only to C. The layout read here is fixed by the
DLPack standard: ``DLManagedTensor`` starts with the array's address and its device;
``DLManagedTensorVersioned`` has a version, two pointers and flags before them.
"""

import ctypes
from typing import Any

from tensorvar import errors

_PLAIN = b'dltensor'
_VERSIONED = b'dltensor_versioned'


class _Version(ctypes.Structure):
    _fields_ = (('major', ctypes.c_uint32), ('minor', ctypes.c_uint32))


class _Head(ctypes.Structure):
    """The start of ``DLTensor``, with which ``DLManagedTensor`` starts."""

    _fields_ = (
        ('data', ctypes.c_void_p),
        ('device_type', ctypes.c_int32),
        ('device_id', ctypes.c_int32),
    )


class _VersionedHead(ctypes.Structure):
    _fields_ = (
        ('version', _Version),
        ('manager', ctypes.c_void_p),
        ('deleter', ctypes.c_void_p),
        ('flags', ctypes.c_uint64),
        ('tensor', _Head),
    )


_is_valid = ctypes.pythonapi.PyCapsule_IsValid
_is_valid.restype = ctypes.c_int
_is_valid.argtypes = (ctypes.py_object, ctypes.c_char_p)
_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype = ctypes.c_void_p
_pointer.argtypes = (ctypes.py_object, ctypes.c_char_p)


class Capsule:
    """Gives a bare capsule the two methods of the protocol.

    Args:
        capsule: a capsule that nobody has consumed yet.

    Raises:
        InvalidTypeError: it is no DLPack capsule, or was consumed.
    """

    def __init__(self, capsule: Any) -> None:
        self._capsule = capsule
        head = _head(capsule)
        self._device = (int(head.device_type), int(head.device_id))

    def __dlpack__(self, **keywords: Any) -> Any:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._device


def is_capsule(value: Any) -> bool:
    """Whether a value is a capsule, of whatever content."""
    return type(value).__name__ == 'PyCapsule'


def _head(capsule: Any) -> _Head:
    if _is_valid(capsule, _PLAIN):
        return _Head.from_address(_pointer(capsule, _PLAIN))
    if _is_valid(capsule, _VERSIONED):
        head: _Head = _VersionedHead.from_address(_pointer(capsule, _VERSIONED)).tensor
        return head
    raise errors.InvalidTypeError(
        f'[from_dlpack] {capsule!r} was given; allowed is a DLPack capsule that was not consumed '
        f'yet; a capsule can be read once, make another one'
    )
