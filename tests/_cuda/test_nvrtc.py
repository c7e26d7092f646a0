"""NVRTC: the target of a chip, what the log says, and errors of the compiler."""

import ctypes
import pathlib
import types
from typing import Any

import pytest

from tensorvar import errors
from tensorvar._cuda import libraries, nvrtc

LOG = """ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'first' for 'sm_90a'
ptxas info    : Function properties for first
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 30 registers, used 0 barriers
ptxas info    : Compile time = 1.000 ms
ptxas info    : Compiling entry function 'second' for 'sm_90a'
ptxas info    : Function properties for second
    512 bytes stack frame, 8 bytes spill stores, 16 bytes spill loads
ptxas info    : Used 168 registers, used 1 barriers, 4224 bytes smem
"""

with_nvrtc = pytest.mark.skipif(
    not nvrtc.is_available(), reason='NVRTC is not installed; see: make kernels'
)


@pytest.mark.parametrize(
    ('capability', 'target'),
    [((7, 5), 'sm_75'), ((8, 9), 'sm_89'), ((9, 0), 'sm_90a'), ((10, 0), 'sm_100a'),
     ((12, 0), 'sm_120')],
)  # fmt: skip
def test_targets(capability: tuple[int, int], target: str) -> None:
    assert nvrtc.architecture(*capability) == target


def test_reports() -> None:
    assert nvrtc.reports(LOG) == (
        nvrtc.Report('first', 30, 0, 0, 0, 0),
        nvrtc.Report('second', 168, 512, 8, 16, 4224),
    )
    assert nvrtc.reports('') == ()
    with pytest.raises(errors.InternalError, match='no report of first'):
        nvrtc.reports(LOG[: LOG.index('Used')])


def test_complaints() -> None:
    assert nvrtc.complaints(LOG) == []
    ignored = "ptxas info    : (C7508) Potential Performance Loss: 'setmaxnreg' ignored"
    warning = 'assign.cu(3): warning #128-D: loop is not reachable'
    assert nvrtc.complaints(f'{LOG}{ignored}\n{warning}\n') == [ignored, warning]


def test_no_nvrtc_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, 'paths', lambda *_: iter(['libnvrtc_not_there.so']))
    nvrtc.compiler.cache_clear()
    with pytest.raises(errors.NotFoundError, match=r'pip install "tensorvar\[kernels\]"'):
        nvrtc.compiler()
    assert not nvrtc.is_available()


@pytest.mark.parametrize('place', ['wheel', ''])
def test_builtins_are_loaded_from_beside_the_compiler(
    place: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # NVRTC of the wheels for 13.0 opens them by name, and has no path to look in.
    beside = tmp_path / 'libnvrtc-builtins.so.13.5'
    beside.touch()
    name = str(tmp_path / 'libnvrtc.so.13') if place else 'libnvrtc.so.13'
    library = types.SimpleNamespace(
        _name=name, nvrtcVersion=_version, nvrtcGetErrorString=_reason, nvrtcGetCUBIN=_reason
    )
    opened: list[str] = []

    def load(path: str) -> Any:
        opened.append(path)
        if path != name:
            raise OSError('not a library')
        return library

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(libraries, 'paths', lambda *_: iter([name]))
    monkeypatch.setattr(ctypes, 'CDLL', load)
    nvrtc.compiler.cache_clear()
    try:
        assert nvrtc.compiler().version == (13, 5)
    finally:
        nvrtc.compiler.cache_clear()
    # The system's search knows where it found a library that has a name alone.
    assert opened == ([name, str(beside)] if place else [name])


def _version(major: Any, minor: Any) -> int:
    major._obj.value, minor._obj.value = 13, 5
    return 0


def _reason(status: int) -> bytes:
    return b'NVRTC_ERROR_OUT_OF_MEMORY'


def test_every_return_code_is_looked_at() -> None:
    library = types.SimpleNamespace(
        nvrtcVersion=_version,
        nvrtcGetErrorString=_reason,
        nvrtcCreateProgram=lambda *_: 1,
        nvrtcGetNumSupportedArchs=lambda *_: 1,
    )
    compiler = nvrtc.Compiler(library)
    assert compiler.version == (13, 5)
    with pytest.raises(errors.InternalError, match=r'nvrtcCreateProgram failed: NVRTC_.*\(1\)'):
        compiler.compile('', 'sm_90a')
    with pytest.raises(errors.InternalError, match='nvrtcGetNumSupportedArchs failed'):
        compiler.architectures()


@with_nvrtc
def test_a_text_that_does_not_compile() -> None:
    with pytest.raises(errors.InternalError, match=r'(?s)wrong for sm_80 .*identifier "x" is und'):
        nvrtc.compiler().compile('__global__ void k() { x = 1; }', 'sm_80', name='wrong')


@with_nvrtc
def test_a_text_that_compiles() -> None:
    text = 'extern "C" __global__ void k(int* p) { *p = 1; }'
    compiled = nvrtc.compiler().compile(text, 'sm_80')
    assert compiled.cubin.startswith(b'\x7fELF')
    assert [report.name for report in nvrtc.reports(compiled.log)] == ['k']
