"""Matrices."""

from tensorvar import _left_out
from tensorvar._ops.band import band_part as band_part
from tensorvar._ops.band import tensor_diag as tensor_diag
from tensorvar._ops.band import tensor_diag_part as tensor_diag_part
from tensorvar._ops.clip import global_norm as global_norm
from tensorvar._ops.creation import eye as eye
from tensorvar._ops.cross import cross as cross
from tensorvar._ops.decompositions import cholesky as cholesky
from tensorvar._ops.decompositions import qr as qr
from tensorvar._ops.determinant import det as det
from tensorvar._ops.determinant import logdet as logdet
from tensorvar._ops.determinant import slogdet as slogdet
from tensorvar._ops.diagonal import diag as diag
from tensorvar._ops.diagonal import diag_part as diag_part
from tensorvar._ops.diagonal import set_diag as set_diag
from tensorvar._ops.einsum import einsum as einsum
from tensorvar._ops.linalg import adjoint as adjoint
from tensorvar._ops.linalg import matrix_transpose as matrix_transpose
from tensorvar._ops.linalg import norm as norm
from tensorvar._ops.linalg import tensordot as tensordot
from tensorvar._ops.linalg import trace as trace
from tensorvar._ops.lu import lu as lu
from tensorvar._ops.lu import lu_matrix_inverse as lu_matrix_inverse
from tensorvar._ops.lu import lu_reconstruct as lu_reconstruct
from tensorvar._ops.lu import lu_solve as lu_solve
from tensorvar._ops.matmul import matmul as matmul
from tensorvar._ops.matmul import matvec as matvec
from tensorvar._ops.matrix_functions import expm as expm
from tensorvar._ops.matrix_functions import sqrtm as sqrtm
from tensorvar._ops.normalization import l2_normalize as l2_normalize
from tensorvar._ops.normalization import normalize as normalize
from tensorvar._ops.pseudo_inverse import matrix_rank as matrix_rank
from tensorvar._ops.pseudo_inverse import pinv as pinv
from tensorvar._ops.solve import inv as inv
from tensorvar._ops.solve import lstsq as lstsq
from tensorvar._ops.solve import solve as solve
from tensorvar._ops.spectral import eigh as eigh
from tensorvar._ops.spectral import eigvalsh as eigvalsh
from tensorvar._ops.spectral import svd as svd
from tensorvar._ops.triangular import cholesky_solve as cholesky_solve
from tensorvar._ops.triangular import triangular_solve as triangular_solve

__all__ = [
    'adjoint',
    'band_part',
    'cholesky',
    'cholesky_solve',
    'cross',
    'det',
    'diag',
    'diag_part',
    'eigh',
    'eigvalsh',
    'einsum',
    'expm',
    'eye',
    'global_norm',
    'inv',
    'l2_normalize',
    'logdet',
    'lstsq',
    'lu',
    'lu_matrix_inverse',
    'lu_reconstruct',
    'lu_solve',
    'matmul',
    'matrix_rank',
    'matrix_transpose',
    'matvec',
    'norm',
    'normalize',
    'pinv',
    'qr',
    'set_diag',
    'slogdet',
    'solve',
    'sqrtm',
    'svd',
    'tensor_diag',
    'tensor_diag_part',
    'tensordot',
    'trace',
    'triangular_solve',
]

_left_out.install(__name__, __all__)
