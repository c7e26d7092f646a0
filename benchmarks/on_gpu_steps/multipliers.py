"""Has plans be made as if a table called cuBLAS, or kernels of ours, the fastest."""

import contextlib
from collections.abc import Iterator
from unittest import mock

from benchmarks.on_gpu_steps import operands
from tensorvar._cuda import matmul_problem, matmul_table

ALL = CUBLAS, OWN = 'cublas', 'own kernels'
_RANKED = {CUBLAS: (matmul_table.CUBLAS,), OWN: ('gemv', 'sm90', 'mma', 'simt', 'cublas')}


@contextlib.contextmanager
def preferred(who: str) -> Iterator[None]:
    """Lets one of ``ALL`` multiply wherever it can.

    What is planned inside, and run once, keeps to that afterwards.
    """
    times = {name: 1.0 + place for place, name in enumerate(_RANKED[who])}
    row = matmul_table.Row((1, 1, 1, 1), times, 0.0)

    def find(problem: matmul_problem.Problem, chip: str) -> matmul_table.Row:
        return row

    _forget()
    try:
        with mock.patch.object(matmul_table, 'find', find):
            yield
    finally:
        _forget()


def _forget() -> None:
    """Gives the device new kernels, as they keep whom they have chosen; plans keep the old."""
    with operands.tv.device(operands.DEVICE):
        operands.tv.zeros([])._device.backend.kernels = None
