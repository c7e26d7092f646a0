"""The families of kernels: for each one a small problem whose results are compared with NumPy's.

``python -m benchmarks.on_gpu_steps.families NAME...`` makes these checks, one after the other,
in this process. Each check draws its numbers, poisons what is to be written and raises where
something is wrong.
"""

from collections.abc import Callable
from typing import NamedTuple

from benchmarks.on_gpu_steps.families import plans, products, rows, steps, writes
from benchmarks.on_gpu_steps.families.machine import Machine


class Family(NamedTuple):
    """Kernels that are checked together.

    Attributes:
        name: for command lines and reports.
        check: raises where they are wrong.
    """

    name: str
    check: Callable[[Machine], None]


FAMILIES = (
    Family('assign', writes.check_assign),
    Family('transpose', writes.check_transpose),
    Family('gather', rows.check_gather),
    Family('scatter_atomic', rows.check_scatter_atomic),
    Family('scatter_16_bit', rows.check_scatter_16_bit),
    Family('scatter_sorted', rows.check_scatter_sorted),
    Family('scatter_bulk', rows.check_scatter_bulk),
    Family('optimizers', steps.check_optimizers),
    Family('reduce', steps.check_reduce),
    Family('simt', products.check_simt),
    Family('gemv', products.check_gemv),
    Family('split_k', products.check_split_k),
    Family('mma', products.check_mma),
    Family('sm90', products.check_sm90),
    Family('sm90_cluster', products.check_sm90_cluster),
    Family('sm90_split_k', products.check_sm90_split_k),
    Family('sm90_tf32', products.check_sm90_tf32),
    Family('fused', plans.check_fused),
    Family('graph', plans.check_graph),
    Family('cublas', products.check_cublas),
)

BY_NAME = {family.name: family for family in FAMILIES}
