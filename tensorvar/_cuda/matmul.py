"""Multiplies arrays by the kernel that is fastest, or says that cuBLAS is.

What is fastest is known from measurements alone (``matmul_table``). Where there are none,
our kernels do what cuBLAS cannot, and small products with a bias or an activation, which
they do in one launch; all else is left to cuBLAS.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from tensorvar import dtypes, errors
from tensorvar._cuda import (
    gemv,
    matmul_batch,
    matmul_mma,
    matmul_problem,
    matmul_simt,
    matmul_sm90,
    matmul_table,
    matmul_types,
    targets,
)

CUBLAS = matmul_table.CUBLAS
NOTHING = 'nothing'
_MOST_PLANS = 4096
_MOST_LAUNCHES = 64
# Products of up to so many terms take about as long as their launch, whoever does them.
_SMALL = 128**3

Allocate = Callable[[int], targets.Array]


class Family(Protocol):
    """Kernels that multiply; see the classes."""

    def supports(self, problem: matmul_problem.Problem) -> bool:
        """Whether the kernels can do this."""

    def workspace(self, problem: matmul_problem.Problem) -> int:
        """Bytes of scratch that ``multiply`` needs, or would use."""

    def multiply(self, problem: matmul_problem.Problem, workspace: int = 0) -> None:
        """Launches a product that ``supports`` said yes to."""


class Choice(NamedTuple):
    """Who multiplies.

    Attributes:
        family: a family, ``'cublas'`` where nothing was launched and the caller has to have
            it done, or ``'nothing'`` where there are no results.
        why: the reason, in words.
    """

    family: str
    why: str


_Arrangement = tuple[matmul_batch.Piece, ...] | None


class MatmulKernels:
    """Products of arrays on one device.

    Attributes:
        target: the device.
        families: by name, those first that are to be preferred where nothing is measured.
    """

    def __init__(self, target: targets.Target) -> None:
        self.target = target
        self.families: dict[str, Family] = {
            'gemv': gemv.GemvMatmul(target),
            'sm90': matmul_sm90.Sm90Matmul(target),
            'mma': matmul_mma.MmaMatmul(target),
            'simt': matmul_simt.SimtMatmul(target),
        }
        self._arrangements: dict[tuple[Any, ...], _Arrangement] = {}
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
            activation: applied to the sums before they are rounded.

        Returns:
            Who did it. With ``'cublas'`` nothing was launched.

        Raises:
            InvalidTypeError: the dtypes do not go together.
            InvalidArgumentError: the shapes do not go together.
        """
        _check_bias(bias, out)
        problems = self.problems(
            a,
            b,
            out,
            transpose_a=transpose_a,
            transpose_b=transpose_b,
            precision=precision,
            bias=bias,
            activation=activation,
        )
        if not out.size:
            return Choice(NOTHING, 'there are no results')
        if not problems:
            return Choice(CUBLAS, 'the factors lie in a way that would take many launches')
        choices = [self.choose(problem) for problem in problems]
        for choice in choices:
            if choice.family == CUBLAS:
                return choice
        try:
            for problem, choice in zip(problems, choices, strict=True):
                self._launch(self.families[choice.family], problem, allocate)
        except targets.NoKernelError as error:
            if not _cublas_can(problems[0]):
                raise
            return Choice(CUBLAS, str(error))
        return choices[0]

    def problems(
        self,
        a: targets.Array,
        b: targets.Array,
        out: targets.Array,
        *,
        transpose_a: bool = False,
        transpose_b: bool = False,
        precision: matmul_problem.Precision = 'ieee',
        bias: targets.Array | None = None,
        activation: matmul_problem.Activation = 'none',
    ) -> list[matmul_problem.Problem]:
        """What the kernels would be given; see ``multiply`` for the arguments.

        Returns:
            The problems, none where there are no results, or where there would be many.
        """
        pieces = self._arrange(
            a, b, out, transpose_a, transpose_b, precision=precision, activation=activation
        )
        if pieces is None or len(pieces) > _MOST_LAUNCHES:
            return []
        starts = [self.target.pointer(each) for each in (a, b, out)]
        row = None if bias is None else self.target.pointer(bias)
        return [_placed(piece, starts, row) for piece in pieces]

    def choose(self, problem: matmul_problem.Problem) -> Choice:
        """Who is to multiply; ``'cublas'`` also where no kernel of ours can."""
        key = matmul_types.describe(problem)
        choice = self._choices.get(key)
        if choice is None:
            if len(self._choices) >= _MOST_PLANS:
                self._choices.clear()
            choice = self._choices[key] = self._decide(problem)
        return choice

    def _decide(self, problem: matmul_problem.Problem) -> Choice:
        able = [name for name, each in self.families.items() if each.supports(problem)]
        if not able:
            return Choice(CUBLAS, 'no kernel of ours does this')
        if not _cublas_can(problem):
            return self._without_cublas(problem, able)
        row = matmul_table.find(problem, self.target.name)
        if row is not None and CUBLAS in row.microseconds:
            fastest = next(name for name in row.ranking() if name in (*able, CUBLAS))
            return Choice(fastest, f'measured at {row.sizes}')
        fused = problem.bias is not None or problem.activation != 'none'
        terms = problem.batch * problem.m * problem.n * problem.k
        if fused and terms <= _SMALL:
            return Choice(able[0], 'small, and one launch in place of several')
        return Choice(CUBLAS, f'not measured on {self.target.name}')

    def _without_cublas(self, problem: matmul_problem.Problem, able: list[str]) -> Choice:
        row = matmul_table.find(problem, self.target.name)
        ranking = row.ranking() if row is not None else []
        fastest = next((name for name in ranking if name in able), able[0])
        return Choice(fastest, 'cuBLAS does not do this')

    def _launch(self, family: Family, problem: matmul_problem.Problem, allocate: Allocate) -> None:
        nbytes = family.workspace(problem)
        if not nbytes:
            family.multiply(problem)
            return
        scratch = allocate(nbytes)
        family.multiply(problem, self.target.pointer(scratch))

    def _arrange(
        self,
        a: targets.Array,
        b: targets.Array,
        out: targets.Array,
        transpose_a: bool,
        transpose_b: bool,
        *,
        precision: matmul_problem.Precision,
        activation: matmul_problem.Activation,
    ) -> _Arrangement:
        key = (
            a.shape, a.strides, a.dtype, b.shape, b.strides, b.dtype,
            out.shape, out.strides, out.dtype, transpose_a, transpose_b, precision, activation,
        )  # fmt: skip
        if key in self._arrangements:
            return self._arrangements[key]
        if len(self._arrangements) >= _MOST_PLANS:
            self._arrangements.clear()
        pieces = matmul_batch.arrange(
            a,
            b,
            out,
            transpose_a=transpose_a,
            transpose_b=transpose_b,
            precision=precision,
            activation=activation,
        )
        self._arrangements[key] = pieces
        return pieces


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


def _placed(
    piece: matmul_batch.Piece, starts: list[int], bias: int | None
) -> matmul_problem.Problem:
    problem = piece.problem
    a, b, c = (start + offset for start, offset in zip(starts, piece.offsets, strict=True))
    return problem._replace(
        a=problem.a._replace(address=a),
        b=problem.b._replace(address=b),
        c=problem.c._replace(address=c),
        bias=bias,
    )


def _cublas_can(problem: matmul_problem.Problem) -> bool:
    """Whether CuPy's product is cuBLAS's: not for integers, nor for other results."""
    floats = dtypes.FLOATING | dtypes.COMPLEX
    return problem.dtype in floats and problem.result == problem.dtype and problem.k > 0
