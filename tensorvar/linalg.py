"""Matrices."""

from tensorvar._ops.clip import global_norm as global_norm
from tensorvar._ops.creation import eye as eye
from tensorvar._ops.diagonal import diag as diag
from tensorvar._ops.diagonal import diag_part as diag_part
from tensorvar._ops.linalg import adjoint as adjoint
from tensorvar._ops.linalg import matrix_transpose as matrix_transpose
from tensorvar._ops.linalg import norm as norm
from tensorvar._ops.linalg import tensordot as tensordot
from tensorvar._ops.linalg import trace as trace
from tensorvar._ops.matmul import matmul as matmul
from tensorvar._ops.matmul import matvec as matvec
from tensorvar._ops.normalization import l2_normalize as l2_normalize
from tensorvar._ops.normalization import normalize as normalize

__all__ = [
    'adjoint',
    'diag',
    'diag_part',
    'eye',
    'global_norm',
    'l2_normalize',
    'matmul',
    'matrix_transpose',
    'matvec',
    'norm',
    'normalize',
    'tensordot',
    'trace',
]
