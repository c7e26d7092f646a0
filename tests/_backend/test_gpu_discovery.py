"""Which GPUs are found, in which order, and what is said where there are none."""

import importlib.metadata
import os
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tensorvar import _optional
from tensorvar._backend import cupy_process, gpu_discovery
from tests.support import fake_cupy


class NvmlError(Exception):
    pass


class Machine:
    """A driver, its cards, and the packages that are installed.

    Attributes:
        cards: PCI bus number of each card, in NVML's order.
        loaded: names that were loaded, in order.
    """

    def __init__(self) -> None:
        self.driver = True
        self.cuda_version = 13000
        self.cards = [0x17, 0x18]
        self.total = 1 << 30
        self.cupy = fake_cupy.FakeCuda(2).module
        self.headers: str | None = '/include'
        self.packages = {'cupy-cuda13x'}
        self.loaded: list[str] = []

    def load(self, name: str, extra: str) -> Any:
        if name == 'importlib.metadata':
            return importlib.metadata
        self.loaded.append(name)
        if name == 'pynvml':
            return self._nvml()
        if name == 'cuda.pathfinder':
            return SimpleNamespace(find_nvidia_header_directory=lambda library: self.headers)
        assert name == 'cupy'
        if isinstance(self.cupy, Exception):
            raise self.cupy
        return self.cupy

    def distribution(self, name: str) -> str:
        if name not in self.packages:
            raise importlib.metadata.PackageNotFoundError(name)
        return name

    def _init(self) -> None:
        if not self.driver:
            raise NvmlError('NVML Shared Library Not Found')

    def _nvml(self) -> Any:
        return SimpleNamespace(
            NVMLError=NvmlError,
            nvmlInit=self._init,
            nvmlDeviceGetCount=lambda: len(self.cards),
            nvmlDeviceGetHandleByIndex=lambda index: self.cards[index],
            nvmlDeviceGetPciInfo=lambda bus: SimpleNamespace(domain=0, bus=bus, device=0),
            nvmlDeviceGetUUID=lambda bus: f'GPU-{bus:x}',
            nvmlDeviceGetMemoryInfo=lambda bus: SimpleNamespace(free=bus, total=self.total),
            nvmlSystemGetCudaDriverVersion_v2=lambda: self.cuda_version,
            nvmlSystemGetDriverVersion=lambda: b'580.65.06',
        )


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()
    monkeypatch.setattr(_optional, 'load', made.load)
    monkeypatch.setattr(_optional, 'is_installed', lambda name: bool(made.packages))
    monkeypatch.setattr(importlib.metadata, 'distribution', made.distribution)
    monkeypatch.setattr(gpu_discovery, '_extra', 'cuda13')
    monkeypatch.setattr(gpu_discovery, '_CONTAINER_MARKS', ())
    monkeypatch.setattr(cupy_process, '_initialised', False)
    # Set first, so that whatever the code under test leaves is taken back.
    for name in ('CUDA_DEVICE_ORDER', 'CUDA_VISIBLE_DEVICES'):
        monkeypatch.setenv(name, '')
        monkeypatch.delenv(name)
    return made


def why() -> str:
    found = gpu_discovery.discover()
    assert found.gpus == ()
    return found.why


def fail_with(error: Exception) -> Callable[..., Any]:
    def fail(*args: object) -> Any:
        raise error

    return fail


def test_cards_come_in_cudas_order_and_are_joined_by_pci_id(machine: Machine) -> None:
    machine.cards = [0x18, 0x40, 0x17]  # NVML has another order, and a card that is hidden
    found = gpu_discovery.discover()
    assert found.why == ''
    assert [gpu.ordinal for gpu in found.gpus] == [0, 1]
    assert [gpu.uuid for gpu in found.gpus] == ['GPU-17', 'GPU-18']
    assert [gpu.pci_bus_id for gpu in found.gpus] == ['00000000:17:00.0', '00000000:18:00.0']
    assert [gpu.free_memory() for gpu in found.gpus] == [0x17, 0x18]
    first = found.gpus[0]
    assert (first.name, first.compute_capability) == ('Fake Card', (9, 0))
    assert (first.driver_version, first.total_memory) == ('580.65.06', 1 << 30)


def test_a_card_that_nvml_does_not_list_is_still_a_gpu(machine: Machine) -> None:
    machine.cards = [0x17]
    second = gpu_discovery.discover().gpus[1]
    assert (second.uuid, second.free_memory()) == ('', None)


def test_a_slice_of_a_card_has_not_the_memory_of_the_whole(machine: Machine) -> None:
    machine.total = 8 << 30
    first = gpu_discovery.discover().gpus[0]
    assert (first.uuid, first.free_memory(), first.total_memory) == ('', None, 1 << 30)


def test_without_a_driver_cupy_is_not_loaded(machine: Machine) -> None:
    machine.driver = False
    assert 'no NVIDIA driver' in why()
    assert machine.loaded == ['pynvml']


def test_in_a_container_the_missing_driver_may_be_a_missing_option(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.driver = False
    monkeypatch.setattr(gpu_discovery, '_CONTAINER_MARKS', (__file__,))
    assert '--gpus all' in why()


def test_without_a_card_cupy_is_not_loaded(machine: Machine) -> None:
    machine.cards = []
    assert why().startswith('no card is visible')
    assert machine.loaded == ['pynvml']


@pytest.mark.parametrize(
    ('version', 'extra'), [(12040, 'cuda12'), (13000, 'cuda13'), (14010, 'cuda13')]
)
def test_the_missing_cupy_is_named_by_the_driver(
    machine: Machine, version: int, extra: str
) -> None:
    machine.cuda_version = version
    machine.packages = set()
    assert why() == f'CuPy is missing; run: pip install "tensorvar[{extra}]"'
    assert gpu_discovery.cupy_requirement() == f'tensorvar[{extra}]'


def test_an_old_driver_is_named(machine: Machine) -> None:
    machine.cuda_version = 11080
    assert 'supports CUDA 11.8' in why()


def test_two_cupy_packages_are_one_too_many(machine: Machine) -> None:
    machine.packages = {'cupy-cuda12x', 'cupy-cuda13x'}
    assert 'pip uninstall cupy-cuda12x cupy-cuda13x' in why()
    assert machine.loaded == ['pynvml']


def test_a_broken_cupy_is_a_reason(machine: Machine) -> None:
    machine.cupy = ImportError('libcublas.so.13: cannot open')
    assert 'libcublas.so.13' in why()


def test_a_missing_nvrtc_is_a_reason(machine: Machine) -> None:
    machine.cupy.cuda.nvrtc.getVersion = fail_with(RuntimeError('No such file: libnvrtc.so.13'))
    assert 'NVRTC' in why()
    assert 'pip install "tensorvar[cuda13]"' in why()


def test_missing_headers_are_a_reason(machine: Machine) -> None:
    machine.headers = None
    assert 'CUDA headers' in why()


def test_hidden_cards_are_named(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    error = fake_cupy.CUDARuntimeError(100, 'cudaErrorNoDevice: no CUDA-capable device')
    machine.cupy.cuda.runtime.getDeviceCount = fail_with(error)
    assert why() == 'no card is visible to CUDA'
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '')
    assert why().endswith("CUDA_VISIBLE_DEVICES is ''")


def test_a_cupy_that_is_newer_than_the_driver_is_named(machine: Machine) -> None:
    machine.cuda_version = 12040
    error = fake_cupy.CUDARuntimeError(35, 'cudaErrorInsufficientDriver')
    machine.cupy.cuda.runtime.getDeviceCount = fail_with(error)
    assert 'pip uninstall cupy-cuda13x; then: pip install "tensorvar[cuda12]"' in why()


def test_cuda_that_does_not_start_is_a_reason(machine: Machine) -> None:
    error = fake_cupy.CUDARuntimeError(802, 'cudaErrorSystemNotReady')
    machine.cupy.cuda.runtime.getDeviceCount = fail_with(error)
    assert why() == 'CUDA does not start: cudaErrorSystemNotReady'


def test_whatever_goes_wrong_is_a_reason(machine: Machine) -> None:
    machine.cupy.cuda.runtime.getDeviceProperties = fail_with(ZeroDivisionError('odd'))
    assert why() == 'looking for GPUs failed: ZeroDivisionError: odd'


def test_a_forked_child_is_told_so(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cupy_process, '_inherited', True)
    assert 'spawn' in why()


@pytest.mark.parametrize(
    ('name', 'value'), [('CUDA_VISIBLE_DEVICES', '1'), ('CUDA_DEVICE_ORDER', 'FASTEST_FIRST')]
)
def test_pci_order_is_asked_for_unless_the_user_chose(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    before = dict(os.environ)
    monkeypatch.setenv(name, value)
    gpu_discovery.discover()
    assert os.environ == {**before, name: value}
    monkeypatch.delenv(name)
    monkeypatch.delitem(gpu_discovery.sys.modules, 'cupy', raising=False)
    gpu_discovery.discover()
    assert os.environ['CUDA_DEVICE_ORDER'] == 'PCI_BUS_ID'


def test_a_cupy_loaded_before_keeps_its_order(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(gpu_discovery.sys.modules, 'cupy', machine.cupy)
    gpu_discovery.discover()
    assert 'CUDA_DEVICE_ORDER' not in os.environ
