"""Arguments lie where the driver's layout wants them, byte for byte."""

import ctypes
import struct
import threading

import pytest

from tensorvar import errors
from tensorvar._cuda import arguments

POINTER, COUNT = arguments.POINTER, arguments.COUNT


def packed(signature: arguments.Signature, *values: object) -> bytes:
    buffer = signature.pack(values)
    return ctypes.string_at(buffer.address, signature.size)


def test_numbers_and_structures_at_their_natural_alignment() -> None:
    two, one, sixteen_bytes = (arguments.by_value(size, size) for size in (2, 1, 16))
    signature = arguments.Signature(POINTER, two, COUNT, one, sixteen_bytes)
    assert signature.layout == ((0, 8), (8, 2), (16, 8), (24, 1), (32, 16))
    assert signature.size == 48
    sixteen = bytes(range(16))
    found = packed(signature, 2**63 + 5, b'\x34\x12', 7, b'\xff', sixteen)
    assert struct.unpack_from('<Q', found, 0) == (2**63 + 5,)
    assert found[8:10] == b'\x34\x12'
    assert struct.unpack_from('<Q', found, 16) == (7,)
    assert found[24] == 0xFF
    assert found[32:] == sixteen


def test_a_float_is_four_bytes_and_not_eight() -> None:
    signature = arguments.Signature(arguments.by_value(4, 4), arguments.by_value(4, 4))
    found = packed(signature, struct.pack('<f', 1.5), struct.pack('<f', -2))
    assert struct.unpack('<ff', found) == (1.5, -2)


def test_no_arguments() -> None:
    assert packed(arguments.Signature()) == b''


def test_the_address_table_of_the_driver() -> None:
    buffer = arguments.Signature(COUNT).pack((3,))
    first, address, second, size, last = buffer.extras[8]
    assert (first, address, second, last) == (1, buffer.address, 2, None)
    assert ctypes.c_size_t.from_address(size).value == 8
    assert buffer.address % 128 == 0
    assert buffer.extras[8] is buffer.extras[8] is not buffer.extras[16]


def test_each_thread_packs_into_its_own_buffer() -> None:
    signature = arguments.Signature(COUNT)
    mine = signature.pack((1,))
    theirs = []
    other = threading.Thread(target=lambda: theirs.append(signature.pack((2,)).address))
    other.start()
    other.join()
    assert theirs != [mine.address]
    assert ctypes.string_at(mine.address, 1) == b'\x01'


def test_the_largest_arguments_fit_and_more_are_refused() -> None:
    most = arguments.MAX_BYTES
    assert len(packed(arguments.Signature(arguments.by_value(most, 1)), bytes(most))) == most
    with pytest.raises(errors.InvalidArgumentError, match='32764 at most'):
        arguments.Signature(arguments.by_value(most + 1, 1))


def test_a_layout_of_the_compiler_that_differs() -> None:
    signature = arguments.Signature(POINTER, COUNT)
    signature.verify('k', [(0, 8), (8, 8)])
    with pytest.raises(errors.InternalError, match=r'k: arguments .*\(8, 4\)'):
        signature.verify('k', [(0, 8), (8, 4)])
