"""Matrices."""

from tensorvar import _left_out
from tensorvar._ops.band import band_part, tensor_diag, tensor_diag_part
from tensorvar._ops.clip import global_norm
from tensorvar._ops.creation import eye
from tensorvar._ops.cross import cross
from tensorvar._ops.decompositions import cholesky, qr
from tensorvar._ops.determinant import det, logdet, slogdet
from tensorvar._ops.diagonal import diag, diag_part, set_diag
from tensorvar._ops.einsum import einsum
from tensorvar._ops.linalg import adjoint, matrix_transpose, norm, tensordot, trace
from tensorvar._ops.lu import lu, lu_matrix_inverse, lu_reconstruct, lu_solve
from tensorvar._ops.matmul import matmul, matvec
from tensorvar._ops.matrix_functions import expm, sqrtm
from tensorvar._ops.normalization import l2_normalize, normalize
from tensorvar._ops.pseudo_inverse import matrix_rank, pinv
from tensorvar._ops.solve import inv, lstsq, solve
from tensorvar._ops.spectral import eigh, eigvalsh, svd
from tensorvar._ops.triangular import cholesky_solve, triangular_solve

__all__ = [
    'adjoint', 'band_part', 'cholesky', 'cholesky_solve', 'cross', 'det', 'diag', 'diag_part',
    'eigh', 'eigvalsh', 'einsum', 'expm', 'eye', 'global_norm', 'inv', 'l2_normalize', 'logdet',
    'lstsq', 'lu', 'lu_matrix_inverse', 'lu_reconstruct', 'lu_solve', 'matmul', 'matrix_rank',
    'matrix_transpose', 'matvec', 'norm', 'normalize', 'pinv', 'qr', 'set_diag', 'slogdet',
    'solve', 'sqrtm', 'svd', 'tensor_diag', 'tensor_diag_part', 'tensordot', 'trace',
    'triangular_solve',
]  # fmt: skip

_left_out.install(__name__, __all__)
