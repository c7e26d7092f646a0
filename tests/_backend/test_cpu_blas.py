"""What is said of the library that multiplies matrices."""

import os
import subprocess
import sys

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._backend import cpu_blas
from tests.support import source_tree

AVX2 = frozenset({'sse2', 'avx2', 'fma'})
AVX512 = AVX2 | {'avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl'}


def run(program: str, **variables: str) -> str:
    """What a fresh process prints, in which OpenBLAS chooses by itself unless told."""
    ours = ('OPENBLAS_', 'OMP_', 'GOTO_')
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    finished = subprocess.run(
        [sys.executable, '-W', 'error', '-c', program],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        env={**kept, **variables, 'PYTHONPATH': str(source_tree.ROOT)},
    )
    assert finished.stderr == ''
    return finished.stdout.strip()


def test_it_tells_what_numpy_uses() -> None:
    found = tv.config.cpu_blas()
    assert found.name
    assert found.threads is None or found.threads >= 1


needs_openblas = pytest.mark.skipif(
    tv.config.cpu_blas().core_type is None, reason='this NumPy has another library'
)


@needs_openblas
@pytest.mark.parametrize('first', ['numpy', 'tensorvar'])
def test_the_choice_of_openblas_is_left_alone(first: str) -> None:
    own = run('from tensorvar._backend import cpu_blas; print(cpu_blas.cpu_blas().core_type)')
    program = (
        f'import {first}, os, tensorvar as tv\n'
        'found = tv.config.cpu_blas()\n'
        'print(found.name, found.core_type, "OPENBLAS_CORETYPE" in os.environ)\n'
        'assert not found.advice or found.advice.startswith(("OpenBLAS took", "it shares"))\n'
    )
    assert run(program) == f'OpenBLAS {own} False'


@needs_openblas
@pytest.mark.parametrize('first', ['numpy', 'tensorvar'])
def test_a_core_type_that_is_set_stays(first: str) -> None:
    program = (
        f'import {first}, os, tensorvar as tv\n'
        'found = tv.config.cpu_blas()\n'
        'print(found.core_type, os.environ["OPENBLAS_CORETYPE"], "=Haswell" in found.advice)\n'
    )
    has_avx512 = cpu_blas._cpu_flags() >= cpu_blas._AVX512
    assert run(program, OPENBLAS_CORETYPE='Haswell') == f'Haswell Haswell {has_avx512}'


@needs_openblas
def test_products_are_the_same_within_rounding() -> None:
    program = (
        'import numpy as np, tensorvar as tv\n'
        'x = np.random.default_rng(1).standard_normal((130, 130)).astype(np.float32)\n'
        'with tv.device("CPU:0"):\n'
        '    print((tv.constant(x) @ tv.constant(x)).numpy().tobytes().hex())\n'
    )
    first, second = (
        np.frombuffer(bytes.fromhex(run(program, **variables)), np.float32)
        for variables in ({}, {'OPENBLAS_CORETYPE': 'Haswell'})
    )
    np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-4)


@needs_openblas
def test_threads_are_those_in_force() -> None:
    program = 'import tensorvar as tv; print(tv.config.cpu_blas().threads)'
    assert run(program, OPENBLAS_NUM_THREADS='1') == '1'


def advice(core_type: str, flags: frozenset[str], **variables: str) -> str:
    return cpu_blas.advice(core_type, 2, 2, flags, variables)


@pytest.mark.parametrize('core_type', ['SkylakeX', 'Cooperlake', 'SapphireRapids'])
def test_nothing_is_better_than_avx512(core_type: str) -> None:
    assert advice(core_type, AVX512) == ''
    assert advice(core_type, AVX512, OPENBLAS_CORETYPE=core_type) == ''


@pytest.mark.parametrize('core_type', ['Haswell', 'Zen', 'Nehalem', 'armv8'])
def test_nothing_is_advised_without_avx512(core_type: str) -> None:
    assert advice(core_type, AVX2, OPENBLAS_CORETYPE=core_type) == ''
    assert advice(core_type, AVX512 - {'avx512vl'}) == ''
    assert advice(core_type, frozenset()) == ''


def test_a_variable_that_slows_is_named() -> None:
    text = advice('Haswell', AVX512, OPENBLAS_CORETYPE='haswell')
    assert text.startswith('OPENBLAS_CORETYPE=haswell is set')
    assert text.endswith('unset it before Python starts')


def test_a_processor_taken_for_an_older_one() -> None:
    text = advice('Zen', AVX512)
    assert text.startswith('OpenBLAS took this processor for Zen when NumPy was imported')
    assert text.endswith('set OPENBLAS_CORETYPE=SkylakeX before Python starts')


def test_a_variable_set_too_late() -> None:
    text = advice('Haswell', AVX512, OPENBLAS_CORETYPE='SkylakeX')
    assert 'OPENBLAS_CORETYPE=SkylakeX came after that' in text


def test_a_limit_of_threads_is_named() -> None:
    def limited(threads: int, **variables: str) -> str:
        return cpu_blas.advice('SkylakeX', threads, 4, AVX512, variables)

    assert limited(1) == ''
    assert limited(4, OMP_NUM_THREADS='1') == ''
    assert 'uses 1 of 4 processors because OMP_NUM_THREADS=1' in limited(1, OMP_NUM_THREADS='1')
    both = limited(2, OMP_NUM_THREADS='1', OPENBLAS_NUM_THREADS='2')
    assert 'OPENBLAS_NUM_THREADS=2' in both


def test_another_library_is_named_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {'Build Dependencies': {'blas': {'name': 'mkl', 'version': '2026.1'}}}
    monkeypatch.setattr(cpu_blas, '_loaded', lambda: iter(()))
    monkeypatch.setattr(np, 'show_config', lambda mode: known)
    assert tv.config.cpu_blas() == cpu_blas.CpuBlas('mkl', '2026.1', None, None, '')
    monkeypatch.setattr(np, 'show_config', lambda mode: {})
    assert tv.config.cpu_blas().name == 'unknown'


def test_more_threads_than_processors_are_named() -> None:
    found = cpu_blas.advice('SkylakeX', 64, 2, AVX512, {})
    assert found.startswith('it shares a product among 64 threads')
    assert found.endswith('set OPENBLAS_NUM_THREADS=2 before Python starts')
    assert cpu_blas.advice('SkylakeX', 2, 2, AVX512, {}) == ''
