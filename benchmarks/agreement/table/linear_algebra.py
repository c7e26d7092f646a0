"""Products, decompositions and solvers."""

from benchmarks.agreement import syntax
from benchmarks.agreement.draw import (
    ANY,
    COMPLEX,
    FLOATS,
    INDEX,
    INEXACT,
    NUMERIC,
    REAL,
    REALS,
    SIGNED,
    Draw,
)
from benchmarks.agreement.syntax import Expression
from benchmarks.agreement.table.row import Arguments, Row, Strategy, rows
from benchmarks.agreement.table.selection import filled_shape

DENSE = (*REALS, *COMPLEX)
DIAGONAL = ('float16', *DENSE, *INDEX)
PRODUCTS = (*INEXACT, 'int16', *INDEX)


def matrix(draw: Draw, dtype: str, shape: list[int]) -> Expression:
    """A well-conditioned square matrix or stack of them: values with a heavy diagonal."""
    size = shape[-1]
    values = draw.values(dtype, shape, 'unit')
    for at in range(len(values)):
        row, column = at // size % size, at % size
        if row == column:
            values[at] = [4.0 + row, 0.0] if dtype in COMPLEX else 4.0 + row
    return syntax.tensor(dtype, shape, values)


def symmetric(draw: Draw, dtype: str, shape: list[int]) -> Expression:
    """A positive definite matrix or stack of them, eigenvalues well apart."""
    square = matrix(draw, dtype, shape)
    return syntax.call('linalg.matmul', square, square, adjoint_b=True)


def square_shape(draw: Draw) -> list[int]:
    size = draw.integer(1, 3)
    return [*filled_shape(draw, 0, 1), size, size]


def square(draw: Draw, dtype: str) -> Arguments:
    return [matrix(draw, dtype, square_shape(draw))], {}


def definite(draw: Draw, dtype: str) -> Arguments:
    return [symmetric(draw, dtype, square_shape(draw))], {}


def matmul(draw: Draw, dtype: str) -> Arguments:
    lead = draw.shape(1 if dtype == 'int16' else 0, 1)
    rows_, inner, columns = draw.size(), draw.size(), draw.size()
    first, second = [rows_, inner], [inner, columns]
    keywords: dict[str, Expression] = {}
    if draw.chance(0.3):
        keywords['transpose_a'] = True
        first.reverse()
    if draw.chance(0.3):
        keywords['adjoint_b' if draw.chance(0.5) else 'transpose_b'] = True
        second.reverse()
    batch = lead if draw.chance(0.6) else []
    return [draw.tensor(dtype, lead + first), draw.tensor(dtype, batch + second)], keywords


def matvec(draw: Draw, dtype: str) -> Arguments:
    # TensorFlow multiplies int16 in stacks alone.
    first = draw.shape(3 if dtype == 'int16' else 2, 3)
    keywords = {'transpose_a': True} if draw.chance(0.3) else {}
    length = first[-2] if keywords else first[-1]
    return [draw.tensor(dtype, first), draw.tensor(dtype, [*first[:-2], length])], keywords


def tensordot(draw: Draw, dtype: str) -> Arguments:
    first = draw.shape(1)
    count = draw.integer(0, len(first))
    second = first[len(first) - count :] + draw.shape(0, 1)
    return [draw.tensor(dtype, first), draw.tensor(dtype, second), count], {}


def einsum(draw: Draw, dtype: str) -> Arguments:
    sizes = {letter: max(draw.size(), 1) for letter in 'bijkl'}
    equation = draw.choose(
        ['ij,jk->ik', 'bij,bjk->bik', 'ij->ji', 'ij->', 'i,j->ij', 'bij,jk->bik', 'ii->i',
         'ij,ij->i', '...ij,...jk->...ik', 'ijk,jil->kl']
    )  # fmt: skip
    operands = []
    for term in equation.split('->')[0].split(','):
        shape = [sizes[letter] for letter in term.replace('...', 'b')]
        operands.append(draw.tensor(dtype, shape))
    return [equation, *operands], {}


def cross(draw: Draw, dtype: str) -> Arguments:
    shape = [*draw.shape(0, 2), 3]
    return [draw.tensor(dtype, shape), draw.tensor(dtype, shape)], {}


def rectangular(low: int = 2) -> Strategy:
    """A matrix or stack of matrices."""

    def strategy(draw: Draw, dtype: str) -> Arguments:
        return [draw.tensor(dtype, draw.shape(low, 3))], {}

    return strategy


def full_rank(draw: Draw, dtype: str) -> Expression:
    """A tall or square matrix whose singular values are well apart."""
    value = matrix(draw, dtype, [3, 3])
    return syntax.index(value, syntax.grouped(['ellipsis'], syntax.span(None, draw.integer(1, 3))))


def decomposed(draw: Draw, dtype: str) -> Arguments:
    return [full_rank(draw, dtype)], {}


def singular_values(draw: Draw, dtype: str) -> Arguments:
    return [full_rank(draw, dtype)], {'compute_uv': False}


def band_part(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape(2, 3)
    return [draw.tensor(dtype, shape), draw.integer(-1, 1), draw.integer(-1, 1)], {}


def diag(draw: Draw, dtype: str) -> Arguments:
    keywords: dict[str, Expression] = {'k': draw.integer(-1, 1)} if draw.chance(0.4) else {}
    return [draw.tensor(dtype, filled_shape(draw, 1, 2))], keywords


def diag_part(draw: Draw, dtype: str) -> Arguments:
    return [draw.tensor(dtype, filled_shape(draw, 2, 3))], {}


def set_diag(draw: Draw, dtype: str) -> Arguments:
    shape = filled_shape(draw, 2, 3)
    diagonal = [*shape[:-2], min(shape[-2:])]
    return [draw.tensor(dtype, shape), draw.tensor(dtype, diagonal)], {}


def tensor_diag(draw: Draw, dtype: str) -> Arguments:
    return [draw.tensor(dtype, filled_shape(draw, 1, 2))], {}


def tensor_diag_part(draw: Draw, dtype: str) -> Arguments:
    half = filled_shape(draw, 1, 2)
    return [draw.tensor(dtype, half + half)], {}


def solve(draw: Draw, dtype: str) -> Arguments:
    shape = square_shape(draw)
    right = draw.tensor(dtype, [*shape[:-1], max(draw.size(), 1)])
    return [matrix(draw, dtype, shape), right], {'adjoint': True} if draw.chance(0.3) else {}


def triangular(draw: Draw, dtype: str) -> Arguments:
    arguments, keywords = solve(draw, dtype)
    return arguments, {**keywords, **({'lower': False} if draw.chance(0.4) else {})}


def cholesky_solve(draw: Draw, dtype: str) -> Arguments:
    shape = square_shape(draw)
    factor = syntax.call('linalg.cholesky', symmetric(draw, dtype, shape))
    return [factor, draw.tensor(dtype, [*shape[:-1], 2])], {}


def lstsq(draw: Draw, dtype: str) -> Arguments:
    return [matrix(draw, dtype, [3, 3]), draw.tensor(dtype, [3, 2])], {}


def norm(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape(1)
    keywords: dict[str, Expression] = {}
    if draw.chance(0.5):
        keywords['ord'] = draw.choose([1, 2, 'euclidean', float('inf'), 3])
        keywords['axis'] = draw.axis(len(shape))
    if draw.chance(0.3):
        keywords['keepdims'] = True
    return [draw.tensor(dtype, shape)], keywords


def whole_norm(draw: Draw, dtype: str) -> Arguments:
    return [draw.tensor(dtype, draw.shape(1))], {'ord': 1, 'axis': 0}


def global_norm(draw: Draw, dtype: str) -> Arguments:
    return [syntax.listed(*(draw.tensor(dtype, draw.shape()) for _ in range(2)))], {}


def clip_by_norm(draw: Draw, dtype: str) -> Arguments:
    return [draw.tensor(dtype, draw.shape(1)), draw.choose([0.5, 2.0])], {}


def clip_by_global_norm(draw: Draw, dtype: str) -> Arguments:
    tensors = syntax.listed(*(draw.tensor(dtype, draw.shape()) for _ in range(2)))
    return [tensors, draw.choose([0.5, 2.0])], {}


ROWS: list[Row] = [
    *rows('linalg.matmul', matmul, PRODUCTS, 8),
    *rows('linalg.matvec', matvec, PRODUCTS, 8),
    *rows('tensordot', tensordot, (*INEXACT, *INDEX), 8),
    *rows('einsum', einsum, (*INEXACT, *INDEX), 8),
    *rows('linalg.cross', cross, REAL, 4),
    *rows('linalg.adjoint linalg.matrix_transpose', rectangular(), ANY),
    *rows('linalg.trace', rectangular(), NUMERIC, 4),
    *rows('linalg.band_part', band_part, (*NUMERIC, 'bool')),
    *rows('linalg.diag', diag, (*NUMERIC, 'bool')),
    *rows('linalg.diag_part', diag_part, (*NUMERIC, 'bool')),
    *rows('linalg.set_diag', set_diag, (*NUMERIC, 'bool')),
    *rows('linalg.tensor_diag', tensor_diag, DIAGONAL),
    *rows('linalg.tensor_diag_part', tensor_diag_part, DIAGONAL),
    *rows('linalg.inv', square, ('float16',), variant='half'),
    *rows('linalg.det linalg.inv linalg.logdet linalg.slogdet', square, DENSE, 40),
    *rows('linalg.expm', square, DENSE, 400),
    *rows('linalg.sqrtm', definite, DENSE, 100),
    *rows('linalg.lu', square, DENSE, 20),
    *rows('linalg.cholesky', definite, DENSE, 20),
    *rows('linalg.eigvalsh', definite, DENSE, 40),
    *rows('linalg.eigvals', definite, DENSE, 100, gradient=False),
    *rows('linalg.matrix_rank', rectangular(), REALS),
    *rows('linalg.pinv', decomposed, REALS, 100),
    *rows('linalg.svd', singular_values, DENSE, 40, variant='values'),
    # Signs are the library's choice.
    *rows('linalg.eigh linalg.svd linalg.qr', definite, DENSE, numbers=False, gradient=False),
    *rows('linalg.solve', solve, DENSE, 40),
    *rows('linalg.triangular_solve', triangular, DENSE, 40),
    *rows('linalg.cholesky_solve', cholesky_solve, DENSE, 40),
    *rows('linalg.lstsq', lstsq, DENSE, 100),
    *rows('linalg.norm norm', norm, INEXACT, 8),
    *rows('linalg.norm norm', whole_norm, SIGNED, variant='whole'),
    *rows('linalg.global_norm', global_norm, FLOATS, 8),
    *rows('clip_by_norm', clip_by_norm, FLOATS, 8),
    *rows('clip_by_global_norm', clip_by_global_norm, FLOATS, 8),
]
