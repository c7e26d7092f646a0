"""einsum."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops import einsum
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient

Shapes = list[tuple[int, ...]]

EQUATIONS: list[tuple[str, Shapes]] = [
    ('ij,jk->ik', [(2, 3), (3, 4)]),
    ('ij,jk', [(2, 3), (3, 4)]),
    (' i j , j k -> i k ', [(2, 3), (3, 4)]),
    ('ba', [(2, 3)]),
    ('ij->', [(2, 3)]),
    ('ij->j', [(2, 3)]),
    ('ii->i', [(3, 3)]),
    ('ii', [(3, 3)]),
    ('iij->ji', [(2, 2, 3)]),
    ('iii->i', [(2, 2, 2)]),
    ('aab,bc->ac', [(2, 2, 3), (3, 2)]),
    ('aabb,bc->ca', [(2, 2, 3, 3), (3, 2)]),
    ('i,j->ij', [(2,), (3,)]),
    ('ij,ij->ij', [(2, 3), (2, 3)]),
    ('ab,ab->', [(2, 3), (2, 3)]),
    ('abc,cd->ad', [(2, 3, 4), (4, 2)]),
    ('ab,cd->ad', [(2, 3), (2, 2)]),
    ('IJ,Jk->Ik', [(2, 3), (3, 4)]),
    ('...', [(2, 3)]),
    ('...->...', [(2, 3)]),
    ('i...->...', [(2, 3)]),
    ('ij->...ij', [(2, 3)]),
    ('a...b->b...a', [(2, 5, 3)]),
    ('...ij,...jk->...ik', [(2, 2, 3), (3, 4)]),
    ('ij...,jk->ik...', [(2, 3, 2), (3, 4)]),
    ('...ab,b->...a', [(2, 2, 3), (3,)]),
    ('ab,...bc->...ac', [(2, 3), (2, 3, 2)]),
    ('...i,...i->...i', [(2, 1, 3), (2, 3)]),
    ('b...,...c->...bc', [(2, 3, 1), (2, 4)]),
    ('...aab,...b->...a', [(2, 2, 2, 3), (3,)]),
    ('ij,jk,kl->il', [(2, 3), (3, 4), (4, 2)]),
    ('i...,j...,k...->ijk...', [(2, 1, 2), (3, 2, 1), (2, 2)]),
    ('ab,b,b,ca->c', [(2, 3), (3,), (3,), (2, 2)]),
    (',i->i', [(), (2,)]),
    ('', [()]),
    ('i,i->', [(0,), (0,)]),
    ('ab,bc->ac', [(2, 0), (0, 3)]),
]


@pytest.mark.parametrize(('equation', 'shapes'), EQUATIONS, ids=str)
def test_values(device: str, equation: str, shapes: Shapes) -> None:
    arrays = [
        device_parity.sample(np.float64, shape, seed=seed) for seed, shape in enumerate(shapes)
    ]
    rules.check(
        device,
        lambda *tensors: einsum.einsum(equation, *tensors),
        lambda *hosts: np.einsum(equation, *hosts),
        *arrays,
        looser=4,
    )


@pytest.mark.parametrize(
    'dtype', [*rules.FLOATS, *rules.COMPLEX, np.int32, np.int64], ids=rules.name_of
)
def test_dtypes(device: str, dtype: Any) -> None:
    a, b = device_parity.sample(dtype, (2, 3)), device_parity.sample(dtype, (3, 4), seed=1)
    rules.check(
        device,
        lambda x, y: [einsum.einsum('ij,jk->ki', x, y), einsum.einsum('ij->j', x)],
        lambda x, y: [np.einsum('ij,jk->ki', x, y), np.einsum('ij->j', x)],
        a,
        b,
        looser=4,
    )


def test_keywords() -> None:
    square = tv.eye(2)
    for optimize in ('optimal', 'greedy'):
        result = einsum.einsum('ij,jk,kl->il', square, square, square, optimize=optimize, name='x')
        assert result.numpy().tolist() == [[1, 0], [0, 1]]
    with pytest.raises(TypeError, match='foo'):
        einsum.einsum('ij->ji', square, foo=1)
    with pytest.raises(KeyError, match='foo'):
        einsum.einsum('ij,jk,kl->il', square, square, square, optimize='foo')


@pytest.mark.parametrize(
    ('equation', 'shapes', 'text'),
    [
        ('ii', [(2, 3)], 'Expected dimension 2 at axis 1'),
        ('i->ii', [(2,)], 'more than once'),
        ('ij->ik', [(2, 3)], 'label k not present'),
        ('ij,jk->ik', [(2, 3), (4, 4)], 'Expected dimension 3'),
        ('ij,ij->ij', [(1, 3), (2, 3)], 'Expected dimension 1'),
        ('ij,jk->ik', [(2, 3)], 'Got 1 inputs'),
        ('ij,jk->ik', [(2, 3), (3,)], 'Expected input 1'),
        ('ijk...->i...', [(2, 3)], 'rank at least 3'),
        ('ij.,j->i', [(2, 3), (3,)], 'incorrect format'),
        ('i1->i', [(2, 3)], 'incorrect format'),
        ('ij,j->ij->i', [(2, 3), (3,)], 'incorrect format'),
        ('i...->i', [(2, 3)], 'no ellipsis'),
        ('...ij,...jk', [(5, 2, 3), (3, 4)], 'no ellipsis'),
        ('...i...->...i', [(2, 3)], 'multiple ellipses'),
        ('i...->......i', [(2, 3)], 'more than once'),
        ('...i,...i->...i', [(2, 3), (3, 3)], 'Incompatible shapes'),
        ('ij,jk,kl->il', [(2, 3), (4, 4), (4, 2)], 'Expected dimension 3'),
    ],
)
def test_bad_equations(equation: str, shapes: Shapes, text: str) -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match=text):
        einsum.einsum(equation, *[tv.zeros(shape) for shape in shapes])


def test_bad_dtypes() -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match='allowed'):
        einsum.einsum('i->i', [True])
    with pytest.raises(tv.errors.InvalidArgumentError, match='expected'):
        einsum.einsum('i,i->', tv.zeros([2]), tv.zeros([2], tv.float64))


@pytest.mark.parametrize(('equation', 'shapes'), EQUATIONS, ids=str)
def test_gradients(equation: str, shapes: Shapes) -> None:
    make = samples.complex128 if len(shapes) == 2 else samples.float64
    arrays = [np.asarray(make(*shape, seed=seed)) for seed, shape in enumerate(shapes)]
    numeric_gradient.check(lambda *tensors: einsum.einsum(equation, *tensors), *arrays)
