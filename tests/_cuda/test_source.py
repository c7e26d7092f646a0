"""The text of a kernel holds all that it depends on, and errors name the right lines."""

import pathlib
import re

import pytest

from tensorvar import errors
from tensorvar._cuda import source, wgmma

EXPORT = source.Export('assign.cu', 'TV_ASSIGN_SCALAR', 'fill', ('Set', 'float', 'float', '2'))


def test_includes_are_inlined_once() -> None:
    text = source.render('assign.cu', [EXPORT])
    assert '#include' not in text
    assert '#pragma once' not in text
    assert text.count('#line 1 "tv_core.cuh"') == 1
    assert text.endswith('TV_ASSIGN_SCALAR(fill, Set, float, float, 2)\n')


def test_the_text_for_the_cpu_has_the_emulation_in_front() -> None:
    text = source.render('assign.cu', [EXPORT], host=True)
    assert text.startswith('#line 1 "cpu/tv_cpu.h"')
    assert '#line 1 "cpu/tv_fibers.h"' in text
    assert re.findall('#include .*', text) == re.findall('#include <.*>', text)
    assert '#line 1 "cpu/' not in source.render('assign.cu', [EXPORT])


def test_the_text_for_a_chip_does_not_depend_on_the_emulation() -> None:
    device, host = (source.render('matmul_sm90.cu', [], host=host) for host in (False, True))
    assert '#line 1 "cpu/' not in device
    assert '#line 1 "cpu/tv_hopper_cpu.h"' in host


def test_what_no_file_holds_is_written() -> None:
    text = source.render('matmul_sm90.cu', [])
    assert text.count('#line 1 "tv_wgmma.cuh"') == 1
    for width in wgmma.WIDTHS:
        assert f'wgmma.mma_async.sync.aligned.m64n{width}k8.f32.tf32.tf32 ' in text
        assert f'template <> struct Wgmma<BFloat16, {width}>' in text


@pytest.mark.parametrize('host', [False, True])
def test_every_line_keeps_its_file_and_number(host: bool) -> None:
    place: tuple[str, int] = ('', 0)
    for line in source.render('transpose.cu', [], host=host).splitlines():
        marker = re.match(r'#line (\d+) "(.*)"', line)
        if marker is not None:
            place = marker[2], int(marker[1])
            continue
        file, number = place
        original = (source.folder() / file).read_text().splitlines()[number - 1]
        assert line == original or original == '#pragma once'
        place = file, number + 1


def test_another_header_is_another_text(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    for name, text in (('tv_core.cuh', '// one\n'), ('k.cu', '#include "tv_core.cuh"\n')):
        (tmp_path / name).write_text(text)
    monkeypatch.setenv(source.FOLDER_VARIABLE, str(tmp_path))
    assert source.folder() == tmp_path
    assert '// one' in source.render('k.cu', [])


def test_no_kernel_files_says_where_it_looked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    monkeypatch.setenv(source.FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(errors.NotFoundError, match=str(tmp_path)):
        source.folder()


def test_kernels_are_found_in_the_package_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    repository = source.folder()
    assert repository.name in ('kernels', '_kernel_sources')
    installed = tmp_path / '_kernel_sources'
    installed.mkdir()
    (installed / 'tv_core.cuh').write_text('')
    monkeypatch.setattr(source, '_PACKAGE', tmp_path)
    assert source.folder() == installed
