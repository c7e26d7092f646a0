"""What the families of kernels that multiply matrices have in common.

A family turns a problem into a function that launches it. All that does not change from call
to call is worked out and packed then, so that a call packs four addresses and launches.
"""

import abc
import struct
from collections.abc import Callable

from tensorvar._cuda import (
    arguments,
    launch,
    matmul_problem,
    matmul_types,
    remembered,
    splitk_reduce,
    targets,
)

Start = Callable[[int, int, int, int, int], None]
"""Launches a product: addresses of A, B, C, the bias and the workspace, 0 for none."""

_pack_addresses = struct.Struct('<4Q').pack
_NUMBERS = struct.Struct('<15Q')


def signature(numbers: struct.Struct) -> arguments.Signature:
    """One argument: the addresses of A, B, C and the bias, and numbers."""
    return arguments.Signature(arguments.by_value(4 * 8 + numbers.size, 8))


PRODUCT = signature(_NUMBERS)
"""The argument of a kernel that takes a ``tv::Product``."""


def numbers(
    problem: matmul_problem.Problem,
    *,
    batch: int,
    terms: int,
    tiles: tuple[int, int],
    vectors: bool,
) -> bytes:
    """``tv::Product`` after the addresses.

    Args:
        problem: what is multiplied.
        batch: matrices in this launch; others of the problem may be in another.
        terms: added up by one block.
        tiles: down and across.
        vectors: whether groups of results may be stored at once.
    """
    a, b, c = problem.a, problem.b, problem.c
    return _NUMBERS.pack(
        problem.m, problem.n, problem.k, batch,
        a.leading, b.leading, c.leading,
        a.stride, b.stride, c.stride,
        terms, problem.size, *tiles, vectors,
    )  # fmt: skip


class MatmulFamily(abc.ABC):
    """Kernels of one kind, on one device.

    Args:
        target: the device.
    """

    def __init__(self, target: targets.Target) -> None:
        self._target = target
        self._prepared: dict[tuple[matmul_problem.Problem, bool], Start] = {}

    @abc.abstractmethod
    def supports(self, problem: matmul_problem.Problem) -> bool:
        """Whether the kernels can do this."""

    @abc.abstractmethod
    def workspace(self, problem: matmul_problem.Problem) -> int:
        """Bytes of scratch that a product needs, or is faster with."""

    @abc.abstractmethod
    def prepare(self, problem: matmul_problem.Problem, *, split: bool) -> Start:
        """What launches a product that ``supports`` said yes to, and waits for nothing.

        Args:
            problem: what is multiplied; there are results. Of its addresses only what they
                are modulo 16 is read, and what is returned takes any that are the same.
            split: whether there will be a workspace, of as many bytes as ``workspace`` says
                and at a multiple of 16. Without one a product may take longer.

        Raises:
            NoKernelError: a kernel could not be compiled or loaded.
            InvalidArgumentError: this one needs a workspace.
        """

    def multiply(self, problem: matmul_problem.Problem, workspace: int = 0) -> None:
        """Launches a product that ``supports`` said yes to; see ``prepare``.

        Args:
            problem: what is multiplied, and where.
            workspace: address of the workspace, or 0 to do without.
        """
        if not problem.size:
            # A launch of no blocks is an error of the driver's.
            return
        key = matmul_types.describe(problem), workspace != 0
        start = self._prepared.get(key)
        if start is None:
            made = self.prepare(key[0], split=key[1])
            start = remembered.remember(self._prepared, key, made)
        a, b, c = problem.a.address, problem.b.address, problem.c.address
        start(a, b, c, problem.bias or 0, workspace)

    def _launched(self, kernel: launch.Kernel, grid: launch.Grid, numbers: bytes) -> Start:
        """What launches a kernel whose one argument is the addresses and these numbers."""
        run, stream = kernel.bind(grid), self._target.stream

        def start(a: int, b: int, c: int, bias: int, _: int) -> None:
            run(stream(), _pack_addresses(a, b, c, bias) + numbers)

        return start

    def _reduced(self, problem: matmul_problem.Problem, start: Start, splits: int) -> Start:
        """What also adds up the sums of splits.

        Args:
            problem: of the whole product.
            start: launches ``matmul_types.first_step`` of it.
            splits: how many sums there are of each result.
        """
        if splits == 1:
            return start
        reduce = splitk_reduce.prepare(self._target, problem, splits)

        def start_and_reduce(a: int, b: int, c: int, bias: int, workspace: int) -> None:
            start(a, b, workspace, 0, 0)
            reduce(workspace, c, bias)

        return start_and_reduce
