"""The CUDA kernels of one device, which the ops' ``kernel`` functions launch.

This joins ``_backend``, which knows devices, and ``_cuda``, which knows kernels.

A launch is asynchronous, and nothing here keeps its operands alive until it is done.
Nothing has to: a kernel runs on the compute stream, and memory that dies goes back to
CuPy's pool, which hands it out again for work on the stream that it was taken for. That
is the compute stream, where such work comes after the kernel, or the incoming one, which
is made to wait for the compute stream first (``cupy_streams._Landed``).
"""

import functools
import weakref
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np

from tensorvar import errors
from tensorvar._backend.base import Array, Backend
from tensorvar._backend.cupy_backend import CupyBackend
from tensorvar._core import device_kernels, index_reports, matrix_products
from tensorvar._core.device_kernels import Choice
from tensorvar._core.op_registry import ChangedCopy, Forward, OpDef
from tensorvar._cuda import (
    arguments,
    assign,
    cache,
    cublas,
    fused,
    launch,
    matmul,
    nvrtc,
    optimizers,
    rows,
    scatter_plan,
    source,
    targets,
)

AnyBackend = TypeVar('AnyBackend', bound=Backend)


def _nothing() -> None:
    return None


class Hardware(NamedTuple):
    """What a device gives to its kernels.

    Attributes:
        target: compiles and launches.
        words: ``index_reports.WORDS`` uint64 zeros that the host and kernels share.
        shared: the same memory as an array of the device.
        load_cublas: gives cuBLAS on the device, or None where it cannot be loaded.
        argument_bytes: bytes of arguments that a kernel takes.
    """

    target: targets.Target
    words: np.ndarray[Any, Any]
    shared: Array
    load_cublas: Callable[[], cublas.CublasMatmul | None] = _nothing
    argument_bytes: int = arguments.MAX_BYTES


class Kernels:
    """The kernels of one device: the first argument of ``OpDef.kernel``.

    A family of kernels is one attribute.

    Args:
        backend: of the device.
        hardware: what the kernels need of it.

    Attributes:
        usable: that there are kernels.
        why: empty.
        xp: the array module of the device.
        assign: writes of whole arrays, or of parts by slices.
        rows: gather and scatter.
        fused: chains of elementwise ops.
        matmul: products of matrices by kernels of ours.
        products: products of matrices by whoever is fastest.
        optimizers: optimizer steps for many variables at once.
        reports: where kernels report indices out of range.
    """

    usable: ClassVar[bool] = True
    why: ClassVar[str] = ''

    def __init__(self, backend: Backend, hardware: Hardware) -> None:
        # The backend holds this object, so this holds the backend weakly.
        mine = weakref.ref(backend)
        self._device = backend.device
        self._hardware = hardware
        self._chosen: dict[OpDef, Choice] = {}
        self.xp = backend.array_module
        self.assign = assign.AssignKernels(hardware.target, lambda a: _living(mine).copy(a))
        self.rows = rows.RowKernels(hardware.target, self.xp.empty)
        self.fused = fused.FusedKernels(hardware.target)
        self.reports = index_reports.IndexReports(
            backend.device,
            hardware.words,
            hardware.shared,
            lambda: _living(mine).synchronize(),
            lambda: _living(mine).is_capturing(),
        )
        self._upload = lambda host: _living(mine).from_host(host)

    # What many programs do without is made on first use.

    @functools.cached_property
    def matmul(self) -> matmul.MatmulKernels:
        """Products of matrices by kernels of ours."""
        return matmul.MatmulKernels(self._hardware.target)

    @functools.cached_property
    def products(self) -> matrix_products.MatrixProducts:
        """Products of matrices by whoever is fastest."""
        return matrix_products.MatrixProducts(self.matmul, self._hardware.load_cublas(), self.xp)

    @functools.cached_property
    def optimizers(self) -> optimizers.OptimizerKernels:
        """Optimizer steps for many variables at once."""
        hardware = self._hardware
        return optimizers.OptimizerKernels(hardware.target, self._upload, hardware.argument_bytes)

    def choose(self, op: OpDef) -> Choice:
        """What runs an op that has a kernel: that, and the op's array code for the rest."""
        choice = self._chosen.get(op)
        if choice is None:
            choice = self._chosen[op] = self._choice(op)
        return choice

    def run(self, op: OpDef, *arrays: Array, **attributes: Any) -> Any:
        """What the kernel of an op gives; NotImplemented where there is no such kernel."""
        assert op.kernel is not None
        try:
            return op.kernel(self, *arrays, **attributes)
        except targets.NoKernelError as error:
            what = f'{op.name} on {self._device} runs without a kernel of its own'
            device_kernels.tell(f'{what}: {error}')
            return NotImplemented

    def scatters(self, op: str, dtype: np.dtype[Any]) -> bool:
        """Whether ``rows`` knows an op of ``scatter_plan`` for a table's dtype."""
        return dtype in scatter_plan.ALLOWED[op]

    def needs_order(self, op: str, dtype: np.dtype[Any]) -> bool:
        """Whether such a scatter has to be sorted."""
        return scatter_plan.needs_order(op, dtype)

    def scatter_scratch(self, op: str, dtype: np.dtype[Any], count: int, width: int) -> int:
        """Bytes that a sorted scatter of ``count`` rows of ``width`` values takes beside."""
        dtype, per_value = scatter_plan.elements(op, dtype)
        return scatter_plan.scratch_bytes(op, dtype, count, width * per_value)

    def _choice(self, op: OpDef) -> Choice:
        if op.in_place is None:
            return Choice(self._or_else(op, op.forward), None)
        in_place = self._or_else(op, op.in_place)
        # A write to a fresh buffer that is no change of the old one takes one pass anyway.
        partial = isinstance(op.forward, ChangedCopy)
        return Choice(ChangedCopy(in_place) if partial else op.forward, in_place)

    def _or_else(self, op: OpDef, array_code: Forward) -> Forward:
        def compute(xp: Any, *arrays: Array, **attributes: Any) -> Any:
            result = self.run(op, *arrays, **attributes)
            return array_code(xp, *arrays, **attributes) if result is NotImplemented else result

        return compute


def equip_card(backend: CupyBackend) -> Hardware:
    """What a card gives to its kernels; to be called through ``call``.

    Raises:
        NotFoundError: the driver's library, the compiler or the sources are missing.
    """
    capability, multiprocessors, stream, cuda = backend.chip()
    # Asked first, so that what is missing is said once, not by each kernel.
    nvrtc.compiler(cuda)
    source.folder()
    target = targets.DeviceTarget(capability, multiprocessors, shared_cache(), stream, cuda)
    return Hardware(
        target,
        *backend.shared_words(index_reports.WORDS),
        functools.partial(_load_cublas, weakref.ref(backend), target, cuda),
        arguments.most_bytes(launch.driver().version()),
    )


def _load_cublas(
    backend: 'weakref.ref[CupyBackend]', target: targets.Target, cuda: int
) -> cublas.CublasMatmul | None:
    try:
        library = cublas.library(cuda)
    except errors.NotFoundError as error:
        device_kernels.tell(f'CuPy alone asks cuBLAS on {_living(backend).device}: {error}')
        return None
    return cublas.CublasMatmul(
        target, library, lambda nbytes: _living(backend).library_memory(nbytes)
    )


@functools.cache
def shared_cache() -> cache.Cache:
    """The compiled kernels of all cards."""
    return cache.Cache(tell=device_kernels.tell)


def _living(backend: 'weakref.ref[AnyBackend]') -> AnyBackend:
    found = backend()
    assert found is not None, 'who uses a kernel holds the backend'
    return found
