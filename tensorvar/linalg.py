"""Matrices."""

from tensorvar._ops.clip import global_norm as global_norm
from tensorvar._ops.creation import eye as eye
from tensorvar._ops.linalg import matrix_transpose as matrix_transpose
from tensorvar._ops.linalg import norm as norm
from tensorvar._ops.linalg import tensordot as tensordot
from tensorvar._ops.linalg import trace as trace
from tensorvar._ops.matmul import matmul as matmul
from tensorvar._ops.matmul import matvec as matvec

__all__ = [
    'eye',
    'global_norm',
    'matmul',
    'matrix_transpose',
    'matvec',
    'norm',
    'tensordot',
    'trace',
]
