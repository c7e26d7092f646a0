"""``tv.config.cpu_blas``: which library multiplies NumPy's matrices, and with which kernels."""

import ctypes
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tensorvar._backend import host_threads

_CORE_TYPE = 'OPENBLAS_CORETYPE'
_THREADS = ('OPENBLAS_NUM_THREADS', 'GOTO_NUM_THREADS', 'OMP_NUM_THREADS')
"""What OpenBLAS reads, the first one first."""

_BEST = 'SkylakeX'
_WITH_AVX512 = frozenset({_BEST, 'Cooperlake', 'SapphireRapids'})
_AVX512 = frozenset({'avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl'})
"""What the kernels named ``_BEST`` are compiled for."""


class CpuBlas(NamedTuple):
    """What ``tv.config.cpu_blas`` tells.

    Attributes:
        name: of the library, such as ``'OpenBLAS'``.
        version: of the library.
        core_type: the processor that its kernels are made for, as it calls it; None where
            it does not say.
        threads: that work on one product at most; None where it does not say.
        advice: what would be faster and why it is not in force; empty if nothing is known.
    """

    name: str
    version: str
    core_type: str | None
    threads: int | None
    advice: str


def cpu_blas() -> CpuBlas:
    """The library that multiplies matrices on the CPU, and whether it is at its best.

    OpenBLAS, which NumPy's wheels bring, picks kernels for the processor when NumPy is
    imported, and picks well unless OPENBLAS_CORETYPE names another processor: with
    ``Haswell`` on one that has AVX-512, products take twice as long. tensorvar changes none
    of this: such a variable was set for a reason, and NumPy's own products depend on it. The
    advice names it.

    Returns:
        Name, version, core type, threads and advice.
    """
    for path in _loaded():
        library = ctypes.CDLL(str(path), mode=os.RTLD_NOLOAD | os.RTLD_NOW)
        for prefix, suffix in (('scipy_', '64_'), ('scipy_', ''), ('', '64_'), ('', '')):
            name = f'{prefix}openblas_get_%s{suffix}'
            if hasattr(library, name % 'corename'):
                return _describe(library, name)
    known: Any = np.show_config(mode='dicts')
    blas = known.get('Build Dependencies', {}).get('blas', {})
    return CpuBlas(str(blas.get('name', 'unknown')), str(blas.get('version', '')), None, None, '')


def _describe(library: ctypes.CDLL, name: str) -> CpuBlas:
    corename, config = library[name % 'corename'], library[name % 'config']
    corename.restype = config.restype = ctypes.c_char_p
    core_type = corename().decode()
    threads = int(library[name % 'num_threads']())
    version = config().decode().split()[1]
    found = advice(core_type, threads, host_threads.processors(), _cpu_flags(), os.environ)
    return CpuBlas('OpenBLAS', version, core_type, threads, found)


def advice(
    core_type: str,
    threads: int,
    processors: int,
    flags: frozenset[str],
    environment: Mapping[str, str],
) -> str:
    """What would make OpenBLAS faster.

    Args:
        core_type: the one in force.
        threads: likewise.
        processors: how many this process may use.
        flags: what the processor and the system support, as Linux names it.
        environment: the variables of the process.
    """
    sentences = []
    if core_type not in _WITH_AVX512 and flags >= _AVX512:
        given = environment.get(_CORE_TYPE)
        if given is None or given.lower() != core_type.lower():
            late = '' if given is None else f'; {_CORE_TYPE}={given} came after that'
            sentences.append(
                f'OpenBLAS took this processor for {core_type} when NumPy was imported, but it '
                f'has AVX-512, with which products are about twice as fast{late}; set '
                f'{_CORE_TYPE}={_BEST} before Python starts'
            )
        else:
            sentences.append(
                f'{_CORE_TYPE}={given} is set, which keeps OpenBLAS from using AVX-512, with '
                f'which products are about twice as fast here; unset it before Python starts'
            )
    limits = [f'{each}={environment[each]}' for each in _THREADS if environment.get(each)]
    if threads < processors and limits:
        sentences.append(
            f'it uses {threads} of {processors} processors because {limits[0]} is set; unset it '
            f'before Python starts'
        )
    if threads > processors:
        sentences.append(
            f'it shares a product among {threads} threads, but this process may use '
            f'{processors} processors, and a thread that waits for another one keeps its '
            f'processor busy; set {_THREADS[0]}={processors} before Python starts'
        )
    return '. '.join(sentences)


def _loaded() -> Iterator[Path]:
    """The copies of OpenBLAS in this process; NumPy's own first, never SciPy's."""
    try:
        lines = Path('/proc/self/maps').read_text(errors='replace').splitlines()
    except OSError:
        return
    paths = {Path(line[line.index('/') :]) for line in lines if 'openblas' in line and '/' in line}
    own = {path for path in paths if path.parent.name == 'numpy.libs'}
    others = {path for path in paths - own if path.parent.name != 'scipy.libs'}
    yield from (*sorted(own), *sorted(others))


def _cpu_flags() -> frozenset[str]:
    """What the processor and the system support; nothing where Linux does not say."""
    try:
        with open('/proc/cpuinfo') as file:
            for line in file:
                name, _, value = line.partition(':')
                if name.strip() == 'flags':
                    return frozenset(value.split())
    except OSError:
        return frozenset()
    return frozenset()
