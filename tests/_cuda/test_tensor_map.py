"""Tensor maps: what the driver is asked for, what the emulation gets, what is refused."""

import struct

import ml_dtypes
import numpy as np
import pytest

from tensorvar import errors
from tensorvar._cuda import arguments, host_emulation, launch, tensor_map
from tests.support import fake_driver

TILED = tensor_map.Tiled(
    np.dtype(ml_dtypes.bfloat16), 1 << 40, (1000, 300, 7), (2048, 640_000), (64, 128)
)


@pytest.fixture
def library() -> fake_driver.FakeLibrary:
    return fake_driver.FakeLibrary(((0, 8),))


@pytest.fixture
def driver(library: fake_driver.FakeLibrary) -> launch.Driver:
    return launch.Driver(library)


@pytest.mark.parametrize(
    ('dtype', 'code'), [(ml_dtypes.bfloat16, 9), (np.float16, 6), (np.float32, 7)]
)
def test_the_driver_gets_twelve_arguments(
    driver: launch.Driver, library: fake_driver.FakeLibrary, dtype: type, code: int
) -> None:
    box = (128 // np.dtype(dtype).itemsize, 128)
    tiled = TILED._replace(dtype=np.dtype(dtype), box=box)
    assert tensor_map.encode(driver, tiled) == b'\1' * 128
    [(got, rank, address, extents, strides, boxes, steps, *rest)] = library.encoded
    assert got == code
    assert rank == 3
    assert address == 1 << 40
    assert extents == (1000, 300, 7)
    assert strides == (2048, 640_000)
    assert boxes == (*box, 1)
    assert steps == (1, 1, 1)
    no_interleave, swizzle_128_bytes, promote_256_bytes, zeros = 0, 3, 3, 0
    assert rest == [no_interleave, swizzle_128_bytes, promote_256_bytes, zeros]
    assert library.calls == ['cuTensorMapEncodeTiled']


def test_a_refusal_names_the_function(
    driver: launch.Driver, library: fake_driver.FakeLibrary
) -> None:
    library.fails['cuTensorMapEncodeTiled'] = 700
    with pytest.raises(errors.InternalError, match='cuTensorMapEncodeTiled failed: CUDA_ERROR_IL'):
        tensor_map.encode(driver, TILED)


def test_the_emulation_gets_the_same_facts() -> None:
    packed = tensor_map.pack_for_host(TILED)
    assert len(packed) == 128
    facts = struct.unpack_from('<Q3Q2Q3II', packed)
    assert facts == (1 << 40, 1000, 300, 7, 2048, 640_000, 64, 128, 1, 2)
    assert packed == host_emulation.HostTarget.tensor_map(None, TILED)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    'wrong',
    [
        {'address': 8},
        {'strides': (2050, 640_000)},
        {'strides': (2048, 640_008)},
        {'strides': (1 << 40, 640_000)},
        {'extents': (0, 300, 7)},
        {'extents': (1000, (1 << 31) + 1, 7)},
        {'box': (65, 128)},
        {'box': (64, 257)},
        {'dtype': np.dtype(np.float64)},
    ],
)
def test_what_the_copy_engine_cannot_reach_is_refused(
    driver: launch.Driver, library: fake_driver.FakeLibrary, wrong: dict[str, object]
) -> None:
    tiled = TILED._replace(**wrong)  # type: ignore[arg-type]
    for make in (lambda: tensor_map.encode(driver, tiled), lambda: tensor_map.pack_for_host(tiled)):
        with pytest.raises(errors.InvalidArgumentError, match='copy the operand'):
            make()
    assert library.encoded == []


def test_the_driver_puts_wide_arguments_in_place() -> None:
    wide = arguments.Signature(arguments.by_value(128, 128), arguments.POINTER)
    # The memory of the parameters need not begin at a multiple of 128.
    library = fake_driver.FakeLibrary(((112, 128), (240, 8)))
    driver = launch.Driver(library)
    kernel = launch.DeviceKernel(driver, driver.load(b'cubin'), 'copy', wide)
    bound = kernel.bind(launch.Grid(1, 32))
    for byte in (b'\5', b'\6'):
        bound(0, byte * 128, 1 << 33)
    expected = [bytes(112) + byte * 128 + struct.pack('<Q', 1 << 33) for byte in (b'\5', b'\6')]
    assert [launched.arguments for launched in library.launched] == expected
    library.fails['cuLaunchKernelEx'] = 700
    with pytest.raises(errors.InternalError, match='copy on 1 blocks of 32.*ILLEGAL_ADDRESS'):
        bound(0, bytes(128), 0)


def test_wide_arguments_of_other_sizes_are_refused() -> None:
    wide = arguments.Signature(arguments.by_value(128, 128), arguments.POINTER)
    driver = launch.Driver(fake_driver.FakeLibrary(((112, 128), (240, 4))))
    with pytest.raises(errors.InternalError, match='would be packed for the parameters'):
        launch.DeviceKernel(driver, 11, 'copy', wide)
