"""Shape rules where a dimension is not known, as when a function is inferred only."""

from typing import Any

import numpy as np
import pytest

from tensorvar import errors
from tensorvar._core.op_registry import OPS, ArraySpec

FLOAT, INT, BOOL = np.dtype(np.float32), np.dtype(np.int32), np.dtype(np.bool_)


def spec(*shape: int | None, dtype: np.dtype = FLOAT) -> ArraySpec:
    return ArraySpec(shape, dtype)


FORMS = {'form_a': 'none', 'form_b': 'none', 'output_type': None, 'precision': 'ieee'}
CASES: list[tuple[str, list[ArraySpec], dict[str, Any], Any]] = [
    ('Sum', [spec(None, 3)], {'axis': 0, 'keepdims': True}, (1, 3)),
    ('Max', [spec(None, 3)], {'axis': 1, 'keepdims': False}, (None,)),
    ('ArgMax', [spec(None, 3)], {'axis': 0, 'output_type': INT}, (3,)),
    ('Cumsum', [spec(None)], {'axis': 0, 'exclusive': False, 'reverse': False}, (None,)),
    ('Reshape', [spec(None, 3)], {'shape': (-1, 2)}, (None, 2)),
    ('Squeeze', [spec(None, 1)], {'axis': (1,)}, (None,)),
    ('ExpandDims', [spec(None)], {'axis': 1}, (None, 1)),
    ('BroadcastTo', [spec(None, 1)], {'shape': (4, 2)}, (4, 2)),
    ('EnsureShape', [spec(None, 1)], {'shape': (4, None)}, (4, 1)),
    ('Transpose', [spec(None, 1)], {'perm': (1, 0), 'conjugate': False}, (1, None)),
    ('Tile', [spec(None, 1)], {'multiples': (2, 2)}, (None, 2)),
    ('Repeat', [spec(None, 1)], {'repeats': (2,), 'axis': 0}, (None, 1)),
    ('Repeat', [spec(None, 1)], {'repeats': (2, 1), 'axis': 0}, (3, 1)),
    ('PadV2', [spec(None, 1), spec()], {'paddings': ((1, 1), (0, 2))}, (None, 3)),
    ('MirrorPad', [spec(None)], {'paddings': ((1, 1),), 'mode': 'SYMMETRIC'}, (None,)),
    ('ConcatV2', [spec(None, 1), spec(2, 1)], {'axis': 0}, (None, 1)),
    ('ConcatV2', [spec(2, None), spec(1, 3)], {'axis': 0}, (3, 3)),
    ('Pack', [spec(None, 1), spec(2, 1)], {'axis': 0}, (2, 2, 1)),
    ('Unpack', [spec(None, 2)], {'num': 2, 'axis': 1}, [(None,), (None,)]),
    ('SplitV', [spec(None, 2)], {'sizes': (1, 1), 'axis': 1}, [(None, 1), (None, 1)]),
    ('MatMul', [spec(None, 2), spec(2, None)], FORMS, (None, None)),
    ('BatchMatMulV2', [spec(None, 3, 2), spec(2, 5)], FORMS, (None, 3, 5)),
    ('MatrixSetDiagV3', [spec(None, 3), spec(None)], {'k': (0, 0), 'align': 'X'}, (None, 3)),
    ('MatrixBandPart', [spec(None, 3)], {'num_lower': 5, 'num_upper': 1}, (None, 3)),
    ('DiagPart', [spec(None, 3)], {}, (3,)),
    ('Cross', [spec(None, 3), spec(2, None)], {}, (2, 3)),
    ('MatrixInverse', [spec(None, 3)], {'adjoint': False}, (3, 3)),
    ('MatrixSolve', [spec(None, 3), spec(3, None)], {'adjoint': False}, (3, None)),
    (
        'MatrixTriangularSolve',
        [spec(None, None), spec(4, 3, 1)],
        {'lower': True, 'adjoint': False},
        (4, 3, 1),
    ),
    ('Cholesky', [spec(None, 2, 2)], {}, (None, 2, 2)),
    ('Qr', [spec(None, 3)], {'full_matrices': False}, [(None, None), (None, 3)]),
    ('Svd', [spec(None, 3)], {'compute_uv': False, 'full_matrices': False}, (None,)),
    ('MatrixDeterminant', [spec(None, 2, 2)], {}, (None,)),
    ('MatrixPseudoInverse', [spec(None, 3), spec()], {}, (3, None)),
    ('Einsum', [spec(None, 3), spec(3, 4)], {'equation': '...j,jk->...k'}, (None, 4)),
    ('Einsum', [spec(None, 3), spec(2, None)], {'equation': 'ij,ij->ij'}, (2, 3)),
    ('FFT', [spec(None, dtype=np.dtype(np.complex64))], {}, (None,)),
    ('RFFT', [spec(None, None)], {'fft_length': (4,)}, (None, 3)),
    ('StridedSlice', [spec(None, 3)], {'spec': (('int', -1), ('slice', 0, 2, 1))}, (2,)),
    ('StridedSlice', [spec(None)], {'spec': (('slice', None, -1, 1), ('new',))}, (None, 1)),
    ('BooleanMask', [spec(4, 3), spec(4, dtype=BOOL)], {'axis': 0}, (None, 3)),
    ('SelectV2', [spec(None, 3, dtype=BOOL), spec(4, 3), spec()], {}, (4, 3)),
    ('Where', [spec(2, 3, dtype=BOOL)], {}, (None, 2)),
    ('GatherV2', [spec(None, 3), spec(None, dtype=INT)], {'axis': 0, 'batch_dims': 0}, (None, 3)),
    ('GatherNd', [spec(None, 3), spec(None, 2, dtype=INT)], {'batch_dims': 0}, (None,)),
    ('ScatterNd', [spec(None, 1, dtype=INT), spec(None)], {'shape': (3,), 'batch_dims': 0}, (3,)),
    ('UnsortedSegmentSum', [spec(None, 3), spec(5, dtype=INT)], {'num_segments': 4}, (4, 3)),
    ('OneHot', [spec(None, dtype=INT), spec(), spec()], {'depth': 3, 'axis': 0}, (3, None)),
    (
        'MatrixDiagPartV3',
        [spec(None, 3), spec()],
        {'k': (0, 0), 'align': 'RIGHT_LEFT'},
        (None,),
    ),
    (
        'MatrixDiagV3',
        [spec(None), spec()],
        {'k': (0, 0), 'num_rows': -1, 'num_cols': 2, 'align': 'RIGHT_LEFT'},
        (None, 2),
    ),
    ('TensorScatterAdd', [spec(None), spec(None, 1, dtype=INT), spec(2)], {}, (None,)),
]


@pytest.mark.parametrize(('name', 'inputs', 'attributes', 'expected'), CASES, ids=str)
def test_rule(name: str, inputs: Any, attributes: dict[str, Any], expected: Any) -> None:
    result = OPS[name].infer(*inputs, **attributes)
    if isinstance(expected, list):
        assert [part.shape for part in result] == expected
    else:
        assert result.shape == expected


@pytest.mark.parametrize(
    ('name', 'inputs', 'attributes'),
    [
        ('ConcatV2', [spec(None, 1), spec(2, 2)], {'axis': 0}),
        ('MatMul', [spec(None, 2), spec(3, None)], FORMS),
        ('Pack', [spec(None, 1), spec(2, 2)], {'axis': 0}),
        ('SplitV', [spec(None, 2)], {'sizes': (1, 2), 'axis': 1}),
        ('UnsortedSegmentSum', [spec(4, None), spec(5, dtype=INT)], {'num_segments': 4}),
    ],
    ids=str,
)
def test_known_dimensions_are_still_checked(name: str, inputs: Any, attributes: Any) -> None:
    with pytest.raises(errors.InvalidArgumentError, match=name):
        OPS[name].infer(*inputs, **attributes)
