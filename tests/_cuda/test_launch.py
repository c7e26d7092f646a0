"""Launches reach the driver with configuration and arguments by value; codes are checked."""

import ctypes
import struct
import threading

import pytest

from tensorvar import errors
from tensorvar._cuda import arguments, launch
from tests.support import fake_driver

SIGNATURE = arguments.Signature(arguments.POINTER, arguments.by_value(4, 4), arguments.COUNT)
FLOAT = struct.pack('<f', 2.5)


@pytest.fixture
def library() -> fake_driver.FakeLibrary:
    return fake_driver.FakeLibrary(SIGNATURE.layout)


@pytest.fixture
def driver(library: fake_driver.FakeLibrary) -> launch.Driver:
    return launch.Driver(library)


@pytest.fixture
def kernel(driver: launch.Driver) -> launch.DeviceKernel:
    return launch.DeviceKernel(driver, driver.load(b'cubin'), 'scale', SIGNATURE)


def test_a_launch(kernel: launch.DeviceKernel, library: fake_driver.FakeLibrary) -> None:
    kernel.bind(launch.Grid(3, 256))(77, 2**40, FLOAT, 1000)
    [launched] = library.launched
    assert launched.grid == (3, 1, 1)
    assert launched.block == (256, 1, 1)
    assert (launched.shared, launched.stream, launched.attributes) == (0, 77, [])
    assert launched.function == 2**40 + 22
    assert launched.arguments == struct.pack('<QfxxxxQ', 2**40, 2.5, 1000)


def test_cluster_and_programmatic_launch_are_attributes(
    kernel: launch.DeviceKernel, library: fake_driver.FakeLibrary
) -> None:
    kernel.bind(launch.Grid(8, 128, cluster=2, programmatic=True))(0, 1, FLOAT, 2)
    [launched] = library.launched
    (cluster, extents), (programmatic, value) = launched.attributes
    assert (cluster, programmatic) == (4, 6)
    assert struct.unpack_from('<3I', extents) == (2, 1, 1)
    assert struct.unpack_from('<i', value) == (1,)
    assert len(value) == 64


def test_the_version_of_the_driver_limits_the_arguments(
    driver: launch.Driver, library: fake_driver.FakeLibrary
) -> None:
    assert arguments.most_bytes(driver.version()) == 4096
    assert arguments.most_bytes(12010) == arguments.most_bytes(13000) == arguments.MAX_BYTES
    library.fails['cuDriverGetVersion'] = 700
    with pytest.raises(errors.InternalError, match='cuDriverGetVersion'):
        driver.version()


def test_much_shared_memory_is_allowed_once(
    kernel: launch.DeviceKernel, library: fake_driver.FakeLibrary
) -> None:
    for stream in (0, 1):
        kernel.bind(launch.Grid(1, 32, shared=100_000))(stream, 1, FLOAT, 2)
    kernel.bind(launch.Grid(1, 32, shared=1_000))(0, 1, FLOAT, 2)
    assert [call for call in library.calls if 'Set' in call] == ['cuFuncSetAttribute 8 100000']
    assert [launched.shared for launched in library.launched] == [100_000, 100_000, 1_000]


def test_the_configuration_is_built_once_per_stream(
    kernel: launch.DeviceKernel,
    library: fake_driver.FakeLibrary,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    built: list[int] = []
    configure = launch.configure

    def count(grid: launch.Grid, stream: int) -> launch.LaunchConfig:
        built.append(stream)
        return configure(grid, stream)

    monkeypatch.setattr(launch, 'configure', count)
    bound = kernel.bind(launch.Grid(3, 256))
    for stream in (0, 5, 0, 5):
        bound(stream, 1, FLOAT, 2)
    assert built == [0, 5]
    assert [launched.stream for launched in library.launched] == [0, 5, 0, 5]


def test_threads_launch_on_their_own_streams(
    kernel: launch.DeviceKernel, library: fake_driver.FakeLibrary
) -> None:
    bound = kernel.bind(launch.Grid(1, 32))

    def launch_many(stream: int) -> None:
        for _ in range(50):
            bound(stream, stream, FLOAT, stream)

    workers = [threading.Thread(target=launch_many, args=(n,)) for n in range(1, 5)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(library.launched) == 200
    for launched in library.launched:
        assert struct.unpack_from('<Q', launched.arguments) == (launched.stream,)


def test_a_refused_launch_names_kernel_launch_and_arguments(
    kernel: launch.DeviceKernel, library: fake_driver.FakeLibrary
) -> None:
    library.fails['cuLaunchKernelEx'] = 700
    wanted = (
        r'scale on 3 blocks of 256 threads with 0 bytes of shared memory and the arguments '
        r'\(0x10000000000, 0x00002040, 1000\) failed: CUDA_ERROR_ILLEGAL_ADDRESS: an illegal '
        r'memory access was encountered \(700\)'
    )
    with pytest.raises(errors.InternalError, match=wanted):
        kernel.bind(launch.Grid(3, 256))(0, 2**40, FLOAT, 1000)


@pytest.mark.parametrize('function', ['cuModuleLoadData', 'cuModuleGetFunction'])
def test_a_refused_load(library: fake_driver.FakeLibrary, function: str) -> None:
    library.fails[function] = 209
    driver = launch.Driver(library)
    with pytest.raises(errors.InternalError, match=rf'{function} failed: unknown error \(209\)'):
        launch.DeviceKernel(driver, driver.load(b'cubin'), 'scale', SIGNATURE)


def test_parameters_that_differ_are_found_when_loading(
    library: fake_driver.FakeLibrary, driver: launch.Driver
) -> None:
    library.layout = ((0, 8), (8, 8), (16, 8))
    with pytest.raises(errors.InternalError, match='scale: arguments'):
        launch.DeviceKernel(driver, 11, 'scale', SIGNATURE)
    library.fails['cuFuncGetParamInfo'] = 700
    with pytest.raises(errors.InternalError, match='cuFuncGetParamInfo: CUDA_ERROR_ILL'):
        launch.DeviceKernel(driver, 11, 'scale', SIGNATURE)


def test_a_driver_that_cannot_tell_the_parameters(
    library: fake_driver.FakeLibrary, driver: launch.Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``cuFuncGetParamInfo`` came with CUDA 12.4."""
    monkeypatch.delattr(fake_driver.FakeLibrary, 'cuFuncGetParamInfo')
    launch.DeviceKernel(driver, 11, 'scale', SIGNATURE).bind(launch.Grid(3, 256))(0, 1, FLOAT, 2)
    assert len(library.launched) == 1


def test_a_driver_that_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(fake_driver.FakeLibrary, 'cuLaunchKernelEx')
    with pytest.raises(errors.NotFoundError, match='too old .*cuLaunchKernelEx'):
        launch.Driver(fake_driver.FakeLibrary(()))


@pytest.mark.parametrize('blocks', [0, 1 << 31, (1 << 32) + 1])
def test_a_grid_that_there_is_not(kernel: launch.DeviceKernel, blocks: int) -> None:
    with pytest.raises(errors.InvalidArgumentError, match=f'scale on {blocks} blocks'):
        kernel.bind(launch.Grid(blocks, 256))


@pytest.mark.parametrize('nbytes', [4088, 4096, 30_000])
def test_many_arguments_are_handed_over_one_by_one(nbytes: int) -> None:
    signature = arguments.Signature(arguments.by_value(nbytes, 8), arguments.COUNT)
    library = fake_driver.FakeLibrary(signature.layout)
    driver = launch.Driver(library)
    table = bytes(range(256)) * 120
    launch.DeviceKernel(driver, 11, 'scale', signature).bind(launch.Grid(1, 32))(
        0, table[:nbytes], 7
    )
    [launched] = library.launched
    assert launched.arguments == table[:nbytes] + struct.pack('<Q', 7)
    assert launched.in_one == (nbytes == 4088)


def test_an_error_tells_of_clusters(
    kernel: launch.DeviceKernel, library: fake_driver.FakeLibrary
) -> None:
    library.fails['cuLaunchKernelEx'] = 700
    with pytest.raises(errors.InternalError, match='128 threads in clusters of 2 with'):
        kernel.bind(launch.Grid(8, 128, cluster=2))(0, 1, FLOAT, 2)


def test_structures_have_the_size_of_the_drivers() -> None:
    assert ctypes.sizeof(launch._Attribute) == 72
    assert ctypes.sizeof(launch.LaunchConfig) == 56
    assert launch.LaunchConfig.stream.offset == 32


def test_no_driver_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, '_LIBRARY', 'libcuda_that_is_not_there.so')
    launch.driver.cache_clear()
    with pytest.raises(errors.NotFoundError, match='install the NVIDIA driver'):
        launch.driver()
