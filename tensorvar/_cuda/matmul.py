"""Multiplies arrays by the kernel that is fastest, or says that cuBLAS is.

Who multiplies is decided in this order:

1. Nobody of ours can, or the factors lie in a way that would take many launches: cuBLAS.
2. cuBLAS cannot (``cublas.can_multiply``): the fastest family in the chip's table of
   measurements (``matmul_table``), or where it says nothing the first that can.
3. The table has a product like it: who was the fastest there, cuBLAS among them.
4. Otherwise cuBLAS, and also in place of a chosen kernel that does not compile.

A bias and an activation change nothing of that, so that the sums are the same to the bit with
and without them. cuBLAS is asked for the product alone: what has a bias or an activation, and
is not ours, is left to whoever asks. A product that cuBLAS is to do, and then cannot, is left
to the operation's array code.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from tensorvar import errors
from tensorvar._cuda import (
    cublas,
    gemv,
    matmul_batch,
    matmul_family,
    matmul_mma,
    matmul_problem,
    matmul_simt,
    matmul_sm90,
    matmul_table,
    matmul_types,
    remembered,
    targets,
)

CUBLAS = matmul_table.CUBLAS
NOTHING = 'nothing'
_UNIT = matmul_types.VECTOR_BYTES
_MOST_LAUNCHES = 64

Allocate = Callable[[int], targets.Array]


class Choice(NamedTuple):
    """Who multiplies.

    Attributes:
        family: a family, ``'cublas'`` where nothing was launched and the caller has to have
            it done, or ``'nothing'`` where there are no results.
        why: the reason, in words.
    """

    family: str
    why: str


class _Step(NamedTuple):
    """One launch: where its operands begin, bytes after those of the arrays, and scratch."""

    start: matmul_family.Start
    offsets: tuple[int, int, int]
    nbytes: int


class Plan:
    """How arrays are multiplied that lie alike; it holds none of them.

    A class of its own and no tuple, so that it is a key by what it is and not by what it has.

    Attributes:
        choice: who does it.
        pieces: the problems that it comes to, with addresses 0.
        steps: launches of ours; none where the choice is not a family.
    """

    __slots__ = ('choice', 'pieces', 'steps')

    def __init__(
        self,
        choice: Choice,
        pieces: tuple[matmul_batch.Piece, ...] = (),
        steps: tuple[_Step, ...] = (),
    ) -> None:
        self.choice = choice
        self.pieces = pieces
        self.steps = steps


class MatmulKernels:
    """Products of arrays on one device.

    Attributes:
        target: the device.
        families: by name, those first that are to be preferred where nothing is measured.
    """

    def __init__(self, target: targets.Target) -> None:
        self.target = target
        self.families: dict[str, matmul_family.MatmulFamily] = {
            'gemv': gemv.GemvMatmul(target),
            'sm90': matmul_sm90.Sm90Matmul(target),
            'mma': matmul_mma.MmaMatmul(target),
            'simt': matmul_simt.SimtMatmul(target),
        }
        self._plans: dict[tuple[Any, ...], Plan] = {}
        self._choices: dict[matmul_problem.Problem, Choice] = {}

    def multiply(
        self,
        a: targets.Array,
        b: targets.Array,
        out: targets.Array,
        *,
        allocate: Allocate,
        transpose_a: bool = False,
        transpose_b: bool = False,
        precision: matmul_problem.Precision = 'ieee',
        bias: targets.Array | None = None,
        activation: matmul_problem.Activation = 'none',
    ) -> Choice:
        """Does ``out = activation(a b + bias)``, unless cuBLAS is to do it.

        Args:
            a: (..., m, k), or (..., k, m) if transposed.
            b: (..., k, n), or (..., n, k) if transposed; of the dtype of ``a``. The
                dimensions before the last two broadcast.
            out: (..., m, n), in rows; overlaps nothing. Of the dtype of ``a``, or float32
                for 16-bit floats, or int32 for int8.
            allocate: gives an array of so many bytes at a multiple of 16, whose memory stays
                alone until what is launched now is done.
            transpose_a: whether the last two dimensions of ``a`` are swapped.
            transpose_b: the same of ``b``.
            precision: of float32.
            bias: (n,), dense, of the dtype of ``out``.
            activation: applied to the sums; see ``matmul_problem``.

        Returns:
            Who did it. With ``'cublas'`` nothing was launched.

        Raises:
            InvalidTypeError: the dtypes do not go together.
            InvalidArgumentError: the shapes do not go together.
        """
        pointer = self.target.pointer
        starts = pointer(a), pointer(b), pointer(out)
        plan = self.plan(
            a,
            b,
            out,
            starts,
            transpose_a=transpose_a,
            transpose_b=transpose_b,
            precision=precision,
            bias=bias,
            activation=activation,
        )
        self.launch(plan, starts, bias, allocate)
        return plan.choice

    def plan(
        self,
        a: targets.Array,
        b: targets.Array,
        out: targets.Array,
        starts: tuple[int, int, int],
        *,
        transpose_a: bool = False,
        transpose_b: bool = False,
        precision: matmul_problem.Precision = 'ieee',
        bias: targets.Array | None = None,
        activation: matmul_problem.Activation = 'none',
    ) -> Plan:
        """How arrays are to be multiplied; the same object for arrays that lie alike.

        ``starts`` are the addresses of ``a``, ``b`` and ``out``; see ``multiply`` for the
        other arguments and for errors.
        """
        at_a, at_b, at_out = starts
        row = added = None
        if bias is not None:
            row = self.target.pointer(bias)
            added = bias.shape, bias.strides, bias.dtype, row % _UNIT
        # All that a plan depends on but for the chip and its tables, which stay as they are.
        key = (
            a.shape, a.strides, a.dtype, at_a % _UNIT, b.shape, b.strides, b.dtype, at_b % _UNIT,
            out.shape, out.strides, out.dtype, at_out % _UNIT, transpose_a, transpose_b,
            precision, activation, added,
        )  # fmt: skip
        plan = self._plans.get(key)
        if plan is None:
            _check_bias(bias, out)
            pieces = matmul_batch.arrange(
                a,
                b,
                out,
                transpose_a=transpose_a,
                transpose_b=transpose_b,
                precision=precision,
                activation=activation,
            )
            plan = remembered.remember(self._plans, key, self._planned(pieces, starts, row))
        return plan

    def launch(
        self,
        plan: Plan,
        starts: tuple[int, int, int],
        bias: targets.Array | None,
        allocate: Allocate,
    ) -> None:
        """Launches what of a plan is ours; see ``multiply`` and ``plan``."""
        a, b, c = starts
        row = 0 if bias is None else self.target.pointer(bias)
        for start, (from_a, from_b, from_c), nbytes in plan.steps:
            if nbytes:
                scratch = allocate(nbytes)
                workspace = self.target.pointer(scratch)
                start(a + from_a, b + from_b, c + from_c, row, workspace)
            else:
                start(a + from_a, b + from_b, c + from_c, row, 0)

    def choose(self, problem: matmul_problem.Problem) -> Choice:
        """Who is to multiply; ``'cublas'`` also where no kernel of ours can.

        The bias and the activation of the problem are not looked at.
        """
        key = matmul_types.describe(problem)._replace(bias=None, activation='none')
        choice = self._choices.get(key)
        if choice is None:
            choice = remembered.remember(self._choices, key, self._decide(key))
        return choice

    def _planned(
        self,
        pieces: tuple[matmul_batch.Piece, ...] | None,
        starts: tuple[int, int, int],
        bias: int | None,
    ) -> Plan:
        if pieces is None or len(pieces) > _MOST_LAUNCHES:
            why = 'the factors lie in a way that would take many launches'
            return Plan(Choice(CUBLAS, why))
        if not pieces:
            return Plan(Choice(NOTHING, 'there are no results'))
        problems = [piece.at(starts, bias) for piece in pieces]
        choices = [self.choose(problem) for problem in problems]
        for choice, problem in zip(choices, problems, strict=True):
            if choice.family == CUBLAS:
                return Plan(choice, pieces)
            if not self.families[choice.family].supports(problem):
                why = f'{choice.family} adds no such bias or has no such activation'
                return Plan(Choice(CUBLAS, why), pieces)
        try:
            steps = [
                self._step(choice.family, problem, piece.offsets)
                for choice, problem, piece in zip(choices, problems, pieces, strict=True)
            ]
        except targets.NoKernelError as error:
            if not cublas.can_multiply(problems[0]):
                raise
            return Plan(Choice(CUBLAS, str(error)), pieces)
        return Plan(choices[0], pieces, tuple(steps))

    def _step(
        self, name: str, problem: matmul_problem.Problem, offsets: tuple[int, int, int]
    ) -> _Step:
        family = self.families[name]
        nbytes = family.workspace(problem)
        return _Step(family.prepare(problem, split=nbytes > 0), offsets, nbytes)

    def _decide(self, problem: matmul_problem.Problem) -> Choice:
        able = [name for name, each in self.families.items() if each.supports(problem)]
        if not able:
            return Choice(CUBLAS, 'no kernel of ours does this')
        if not cublas.can_multiply(problem):
            return self._without_cublas(problem, able)
        row = matmul_table.find(problem, self.target.name)
        if row is not None and CUBLAS in row.microseconds:
            fastest = next(name for name in row.ranking() if name in (*able, CUBLAS))
            return Choice(fastest, f'measured at {row.sizes}')
        return Choice(CUBLAS, f'not measured on {self.target.name}')

    def _without_cublas(self, problem: matmul_problem.Problem, able: list[str]) -> Choice:
        row = matmul_table.find(problem, self.target.name)
        ranking = row.ranking() if row is not None else []
        fastest = next((name for name in ranking if name in able), able[0])
        return Choice(fastest, 'cuBLAS does not do this')


def _check_bias(bias: targets.Array | None, out: targets.Array) -> None:
    if bias is None:
        return
    if bias.dtype != out.dtype:
        raise errors.InvalidTypeError(
            f'[matmul] a bias of {bias.dtype} for results of {out.dtype}; cast it'
        )
    dense = bias.ndim == 1 and (bias.size <= 1 or bias.strides == (bias.dtype.itemsize,))
    if not dense or bias.shape != out.shape[-1:]:
        raise errors.InvalidArgumentError(
            f'[matmul] a bias of shape {bias.shape} with the strides {bias.strides} for '
            f'results of shape {out.shape}; it must be dense and have the shape '
            f'{out.shape[-1:]}'
        )
