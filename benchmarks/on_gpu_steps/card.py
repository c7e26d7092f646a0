"""Our kernels on CuPy's arrays and stream, for steps that compare with CuPy directly."""

import importlib
from pathlib import Path
from typing import Any

from tensorvar._cuda import cache, cublas, targets


def target() -> targets.DeviceTarget:
    """The first card, with the stream that is CuPy's current one."""
    cupy: Any = importlib.import_module('cupy')
    facts = cupy.cuda.runtime.getDeviceProperties(0)
    return targets.DeviceTarget(
        (facts['major'], facts['minor']),
        facts['multiProcessorCount'],
        cache.Cache(),
        lambda: cupy.cuda.get_current_stream().ptr,
    )


def own_cublas(target: targets.Target) -> cublas.CublasMatmul:
    """cuBLAS as ``tv.matmul`` calls it.

    Raises:
        NotFoundError: there is none.
    """
    cupy: Any = importlib.import_module('cupy')
    library = cublas.library(cupy.cuda.runtime.runtimeGetVersion() // 1000)
    return cublas.CublasMatmul(target, library, cupy.cuda.Memory)


def table_path(folder: Path, chip: str) -> Path:
    """Where a run leaves what it measured of matrix products on a chip."""
    return folder / f'matmul-{chip}.json'
