"""A card as a target, with a driver that only pretends; the CPU as a target."""

import pathlib
import struct
import types

import numpy as np
import pytest

from tensorvar import errors
from tensorvar._cuda import assign, cache, host_emulation, launch, nvrtc, targets
from tests.support import fake_driver


class CardArray:
    """What a wrapper sees of an array on a card."""

    def __init__(self, address: int, like: np.ndarray) -> None:
        self.data = types.SimpleNamespace(ptr=address)
        self.dtype, self.shape, self.strides = like.dtype, like.shape, like.strides
        self.size = like.size


class Compiler:
    """Counts what it is asked to compile."""

    version = (13, 5)

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.preferred: list[int] = []

    def compile(self, text: str, target: str, *, name: str) -> nvrtc.Compiled:
        self.texts.append(text)
        return nvrtc.Compiled(f'{target} {name}'.encode(), '')


@pytest.fixture
def library() -> fake_driver.FakeLibrary:
    return fake_driver.FakeLibrary(((0, 8), (8, 8), (16, 8)))


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch) -> Compiler:
    made = Compiler()

    def load(first: int = 13) -> Compiler:
        made.preferred.append(first)
        return made

    monkeypatch.setattr(nvrtc, 'compiler', load)
    return made


@pytest.fixture
def card(
    library: fake_driver.FakeLibrary,
    compiler: Compiler,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: pathlib.Path,
) -> targets.DeviceTarget:
    monkeypatch.setattr(launch, 'driver', lambda: launch.Driver(library))
    return targets.DeviceTarget((9, 0), 132, cache.Cache(tmp_path / 'kernels'), lambda: 99)


def test_an_assign_on_a_card(
    card: targets.DeviceTarget, library: fake_driver.FakeLibrary, compiler: Compiler
) -> None:
    assert card.name == 'sm_90a'
    kernels = assign.AssignKernels(card)
    many = np.empty(1 << 24, np.float32)
    for _ in range(2):
        kernels.assign('assign_add', CardArray(1 << 40, many), CardArray(1 << 41, many))
    first, second = library.launched
    assert first == second
    assert first.grid == (132 * 8, 1, 1)
    assert first.block == (256, 1, 1)
    assert first.stream == 99
    assert first.arguments == struct.pack('<3Q', 1 << 40, 1 << 41, 1 << 24)
    assert library.calls == ['cuModuleLoadData', 'cuModuleGetFunction']
    [text] = compiler.texts
    assert 'TV_ASSIGN_CONTIGUOUS(assign_add_contiguous_f32_f32_f32, Add, float,' in text


def test_a_small_assign_takes_one_block(
    card: targets.DeviceTarget, library: fake_driver.FakeLibrary
) -> None:
    four = np.empty(4, np.float32)
    assign.AssignKernels(card).assign('assign', CardArray(512, four), CardArray(1024, four))
    assert library.launched[0].grid == (1, 1, 1)


def test_a_compiled_kernel_is_taken_from_the_cache(
    card: targets.DeviceTarget, compiler: Compiler, tmp_path: pathlib.Path
) -> None:
    four = np.empty(4, np.float32)
    for _ in range(2):
        fresh = targets.DeviceTarget((9, 0), 132, cache.Cache(tmp_path / 'kernels'), lambda: 0)
        assign.AssignKernels(fresh).assign('assign', CardArray(512, four), CardArray(1024, four))
    assert len(compiler.texts) == 1
    other = targets.DeviceTarget((8, 0), 108, cache.Cache(tmp_path / 'kernels'), lambda: 0)
    assign.AssignKernels(other).assign('assign', CardArray(512, four), CardArray(1024, four))
    assert len(compiler.texts) == 2


def test_the_compiler_is_that_of_the_cards_cuda(
    card: targets.DeviceTarget, compiler: Compiler, tmp_path: pathlib.Path
) -> None:
    four = np.empty(4, np.float32)
    older = targets.DeviceTarget((9, 0), 132, cache.Cache(tmp_path / 'older'), lambda: 0, 12)
    for target in (card, older):
        assign.AssignKernels(target).assign('assign', CardArray(512, four), CardArray(1024, four))
    assert compiler.preferred == [13, 12]


def test_an_empty_destination_is_not_launched(
    card: targets.DeviceTarget, library: fake_driver.FakeLibrary
) -> None:
    none = np.empty(0, np.float32)
    assign.AssignKernels(card).assign('assign', CardArray(0, none), CardArray(0, none))
    assert library.launched == []


def test_no_gxx_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setenv('CXX', 'a compiler that does not exist')
    with pytest.raises(errors.NotFoundError, match='install g'):
        host_emulation.HostTarget(cache.Cache(tmp_path))


def test_what_does_not_compile_is_not_tried_again(
    card: targets.DeviceTarget, compiler: Compiler, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(text: str, target: str, *, name: str) -> nvrtc.Compiled:
        compiler.texts.append(text)
        raise errors.InternalError(f'[nvrtc] {name} does not compile')

    monkeypatch.setattr(compiler, 'compile', refuse)
    kernels = assign.AssignKernels(card)
    four = CardArray(512, np.empty(4, np.float32))
    for _ in range(2):
        with pytest.raises(targets.NoKernelError, match='for sm_90a: .* does not compile'):
            kernels.assign('assign', four, CardArray(1024, np.empty(4, np.float32)))
    assert len(compiler.texts) == 1


def test_a_card_that_was_full_is_asked_again(
    card: targets.DeviceTarget, library: fake_driver.FakeLibrary, compiler: Compiler
) -> None:
    kernels = assign.AssignKernels(card)
    four = np.empty(4, np.float32)
    library.fails['cuModuleLoadData'] = 2
    with pytest.raises(targets.NoKernelError, match='cuModuleLoadData failed'):
        kernels.assign('assign', CardArray(512, four), CardArray(1024, four))
    del library.fails['cuModuleLoadData']
    kernels.assign('assign', CardArray(512, four), CardArray(1024, four))
    assert len(library.launched) == 1
    assert len(compiler.texts) == 1


def test_an_operand_that_overlaps_is_copied_by_who_knows_how(
    card: targets.DeviceTarget, library: fake_driver.FakeLibrary
) -> None:
    four = np.empty(4, np.float32)
    kernels = assign.AssignKernels(card, lambda array: CardArray(4096, four))
    kernels.assign('assign', CardArray(512, four), CardArray(516, four))
    [launched] = library.launched
    assert launched.arguments == struct.pack('<3Q', 512, 4096, 4)
