"""Which devices get kernels, what a card is asked for them, and what is said without them."""

import logging
import pathlib
import struct
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import _optional, errors, pytest_fixtures
from tensorvar._backend import cupy_streams, peer
from tensorvar._core import device_kernels, index_reports, kernels, variable_write
from tensorvar._core.op_registry import OPS, ChangedCopy
from tensorvar._cuda import cublas, launch, matmul_problem, nvrtc
from tensorvar._device import physical, registry
from tests.support import fake_cublas, fake_cupy, fake_driver

START = np.arange(4, dtype=np.float32)
# Destination, source and count: the parameters of every kernel launched here.
LAYOUT = ((0, 8), (8, 8), (16, 8))


class Compiler:
    """Stands for NVRTC; ``broken`` makes it refuse every text."""

    version = (13, 0)

    def __init__(self) -> None:
        self.targets: list[str] = []
        self.broken = False

    def compile(self, text: str, target: str, *, name: str) -> nvrtc.Compiled:
        self.targets.append(target)
        if self.broken:
            raise errors.InternalError(f'[nvrtc] {name} does not compile\na long log')
        return nvrtc.Compiled(name.encode(), '')


class Machine:
    """A computer with a pretended card, driver and compiler."""

    def __init__(self) -> None:
        self.cuda = fake_cupy.FakeCuda(1)
        self.library = fake_driver.FakeLibrary(LAYOUT)
        self.compiler = Compiler()

    @property
    def launched(self) -> list[fake_driver.Launched]:
        return self.library.launched


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> Iterator[Machine]:
    made = Machine()
    card = physical.PhysicalGpu(0, 'Fake Card', compute_capability=(9, 0))
    monkeypatch.setenv('TENSORVAR_KERNEL_CACHE', str(tmp_path / 'kernels'))
    load = _optional.load

    def load_fake(name: str, extra: str) -> Any:
        return made.cuda.module if name == 'cupy' else load(name, extra)

    monkeypatch.setattr(_optional, 'load', load_fake)
    monkeypatch.setattr(peer, 'table', peer.PeerTable(peer.check_pair))
    monkeypatch.setattr(launch, 'driver', lambda: launch.Driver(made.library))
    monkeypatch.setattr(nvrtc, 'compiler', lambda first: made.compiler)
    monkeypatch.setattr(device_kernels, '_told', set())
    kernels.shared_cache.cache_clear()
    pytest_fixtures.reset_devices()
    discover = registry._discover
    registry.set_gpu_discovery(lambda: physical.Discovery((card,)))
    yield made
    pytest_fixtures.reset_devices()
    registry.set_gpu_discovery(discover)
    kernels.shared_cache.cache_clear()


def variables() -> tuple[tv.Variable, tv.Tensor]:
    v, delta = tv.Variable(START), tv.constant(START)
    assert v.device.endswith('GPU:0')
    return v, delta


def session_of(v: tv.Variable) -> cupy_streams.Session:
    session: cupy_streams.Session = v._device.backend._session
    return session


def test_a_card_launches_on_its_compute_stream(machine: Machine) -> None:
    v, delta = variables()
    assert v.assign_add(delta) is v
    assert v.assign_add(delta).version == 2
    v.assign(delta)
    first, second, third = machine.launched
    assert first == second
    assert first.stream == session_of(v).compute.ptr
    addresses = v._array.data.ptr, delta._array.data.ptr
    assert first.arguments == third.arguments == struct.pack('<3Q', *addresses, 4)
    assert first.grid == (1, 1, 1)
    assert machine.compiler.targets == ['sm_90a'] * 2
    assert v._device.backend.kernels.assign._chip == ('sm_90a', 132)


def test_a_cache_that_keeps_nothing_is_told_of_in_one_line(
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    tmp_path: pathlib.Path,
) -> None:
    (tmp_path / 'file').write_text('')
    monkeypatch.setenv('TENSORVAR_KERNEL_CACHE', str(tmp_path / 'file' / 'kernels'))
    v, delta = variables()
    v.assign_add(delta)
    v.assign_sub(delta)
    assert len(machine.launched) == 2
    [line] = [record.getMessage() for record in caplog.records]
    assert line.startswith('compiled kernels are kept for this process alone')
    assert str(tmp_path / 'file' / 'kernels') in line


def test_a_launch_like_the_variable_switches_nothing(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    v, delta = variables()
    v.assign_add(delta)
    entered: list[Any] = []
    with monkeypatch.context() as patch:
        patch.setattr(cupy_streams.Activation, '__enter__', entered.append)
        v.assign_add(delta)
        v.assign(delta)
    assert not entered
    assert len(machine.launched) == 3


def test_another_thread_makes_its_context_first(machine: Machine) -> None:
    v, delta = variables()
    v.assign_add(delta)
    switched = len(machine.cuda.set_devices)

    def write() -> None:
        machine.cuda.begin_thread()
        v.assign_add(delta)
        v.assign_add(delta)

    thread = threading.Thread(target=write)
    thread.start()
    thread.join()
    assert len(machine.launched) == 3
    assert machine.cuda.set_devices[switched:] == [0]


def test_a_held_buffer_is_not_written(machine: Machine) -> None:
    v, delta = variables()
    v.assign_add(delta)
    held = v.value()
    backend = v._device.backend
    assert not variable_write.launch_direct(v, OPS['AssignAddVariableOp'], delta)
    del held
    assert variable_write.launch_direct(v, OPS['AssignAddVariableOp'], delta)
    assert backend.kernels.usable


def test_the_words_are_page_locked_memory_of_the_host(machine: Machine) -> None:
    v, delta = variables()
    v.assign_add(delta)
    word = v._device.backend.kernels.reports.word('GatherV2', (3,), 'in [0, 2)')
    assert word.dtype == np.uint64
    word.values()[0] = 2
    with pytest.raises(errors.InvalidIndexError, match=r'indices\[1\]'):
        delta.numpy()
    assert delta.numpy().tolist() == START.tolist()
    word.values()[0] = 3
    with pytest.raises(errors.InvalidIndexError, match=r'indices\[2\]'):
        v._device.backend.synchronize()


def test_details_say_whose_kernels_run(machine: Machine) -> None:
    [gpu] = tv.config.list_physical_devices('GPU')
    assert tv.config.get_device_details(gpu)['kernels'] == 'not used yet'
    v, delta = variables()
    assert tv.config.get_device_details(gpu)['kernels'] == 'not used yet'
    v.assign_add(delta)
    assert tv.config.get_device_details(gpu)['kernels'] == 'own'


@pytest.mark.parametrize(
    ('module', 'name'), [(launch, 'driver'), (nvrtc, 'compiler')], ids=['driver', 'compiler']
)
def test_what_is_missing_is_said_once(
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    module: Any,
    name: str,
) -> None:
    def missing(*_: int) -> None:
        raise errors.NotFoundError(f'[{name}] it was not found; install it\nmore')

    monkeypatch.setattr(module, name, missing)
    v, _ = variables()
    backend = v._device.backend
    with caplog.at_level(logging.WARNING, 'tensorvar.kernels'):
        for _ in range(2):
            found = device_kernels.find(backend)
            assert not found.usable
            backend.kernels = None
    message = f'CuPy alone computes on GPU:0: [{name}] it was not found; install it'
    assert caplog.messages == [message]
    op = OPS['AssignAddVariableOp']
    assert device_kernels.choose(op, backend) == (op.forward, op.in_place)
    [gpu] = tv.config.list_physical_devices('GPU')
    assert 'it was not found' in tv.config.get_device_details(gpu)['kernels']


def test_a_kernel_that_does_not_compile_is_said_once_and_not_tried_again(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    machine.compiler.broken = True
    v, delta = variables()
    found = device_kernels.find(v._device.backend)
    assert found.usable
    with caplog.at_level(logging.WARNING, 'tensorvar.kernels'):
        for _ in range(3):
            op = OPS['AssignAddVariableOp']
            assert found.run(op, v._array, delta._array) is NotImplemented
    [line] = caplog.messages
    assert line.startswith('AssignAddVariableOp on GPU:0 runs without a kernel of its own: ')
    assert 'does not compile' in line
    assert '\n' not in line
    assert len(machine.compiler.targets) == 1


def test_a_refused_launch_is_an_error_and_a_lost_card_is_called_so(machine: Machine) -> None:
    v, delta = variables()
    v.assign_add(delta)
    machine.library.fails['cuLaunchKernelEx'] = 1
    text = failure(v, delta)
    assert text.startswith('InternalError: [launch] assign_add_contiguous_f32')
    machine.library.fails['cuLaunchKernelEx'] = 700
    text = failure(v, delta)
    assert text.startswith('UnavailableError: [GPU:0] CUDA reported ')
    assert 'CUDA_ERROR_ILLEGAL_ADDRESS' in text
    assert v.version == 3


def failure(v: tv.Variable, delta: tv.Tensor) -> str:
    """How a write fails; without the error, whose traceback would hold the buffer."""
    try:
        v.assign_add(delta)
    except errors.OpError as error:
        return f'{type(error).__name__}: {error}'
    raise AssertionError('it did not fail')


def test_cublas_is_loaded_for_the_first_product_and_its_workspace_is_not_charged(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def load(major: int) -> cublas.Library:
        asked.append(major)
        return cublas.Library(fake_cublas.FakeCublas())

    monkeypatch.setattr(cublas, 'library', load)
    v, delta = variables()
    v.assign_add(delta)
    backend = v._device.backend
    assert not asked
    products = backend.kernels.products
    assert asked == [13]
    before = backend.memory_info().current
    matrices = matmul_problem.Matrices(0, 4)
    problem = matmul_problem.Problem(1, 1, 4, 1, matrices, matrices, matrices, *[START.dtype] * 2)
    product = products._cublas.prepare(problem)
    a, b, c = np.full(1, 2, np.float32), START, np.zeros(4, np.float32)
    backend.call(products._cublas.multiply, product, *(each.ctypes.data for each in (a, b, c)))
    assert c.tolist() == [0, 2, 4, 6]
    assert backend.memory_info().current == before


def test_a_forked_child_forgets_the_kernels(machine: Machine) -> None:
    v, delta = variables()
    v.assign_add(delta)
    backend = v._device.backend
    session = backend._session
    backend.abandon()
    assert backend.kernels is None
    assert backend.on_wait is None
    session.abandoned = False
    backend._session = session


def test_cpus_and_simulated_gpus_have_none(
    simulated_gpus: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    for name in ('CPU:0', 'GPU:0'):
        backend = registry.require('test', name).backend
        for op in OPS.values():
            assert device_kernels.choose(op, backend) == (op.forward, op.in_place)
    [gpu, _] = tv.config.list_physical_devices('GPU')
    assert 'kernels' not in tv.config.get_device_details(gpu)
    assert not caplog.messages


def test_ops_with_kernels() -> None:
    found = {op.name for op in OPS.values() if op.kernel is not None}
    scatters = ('Update', 'Add', 'Sub', 'Mul', 'Div', 'Min', 'Max')
    assert found >= {
        'AssignVariableOp', 'AssignAddVariableOp', 'AssignSubVariableOp',
        'ResourceStridedSliceAssign', 'GatherV2', 'GatherV2Grad', 'GatherNd', 'ScatterNd',
        'UnsortedSegmentSum', 'MatMul', 'BatchMatMulV2',
        *(f'TensorScatter{name}' for name in ('Update', 'Add', 'Sub', 'Min', 'Max')),
        *(f'ResourceScatter{name}' for name in scatters),
        *(f'ResourceScatterNd{name}' for name in scatters if name not in ('Mul', 'Div')),
    }  # fmt: skip


def test_a_changed_copy_leaves_the_first_array_alone() -> None:
    def write(xp: Any, target: Any, value: int) -> None:
        target[0] = value

    before = np.zeros(2)
    assert ChangedCopy(write)(np, before, 5).tolist() == [5, 0]
    assert before.tolist() == [0, 0]


def test_words_are_few() -> None:
    # All are looked at after each wait of the host.
    assert index_reports.WORDS * 8 <= 4096
