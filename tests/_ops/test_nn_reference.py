"""Convolutions, pools, normalizations and their gradients are TensorFlow's, everywhere."""

import inspect
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._device import switches
from tensorvar._ops import (
    convolution,
    convolution_transpose,
    depthwise,
    dropout,
    embedding,
    local_response,
    max_pooling,
    moments,
    normalization,
    poisson_loss,
    pooling,
    sparsity,
    top_k,
)
from tests._ops import nn_bodies
from tests.support import tolerances

REFERENCE = Path(__file__).parent / 'data' / 'nn_reference.npz'
MODULES = (
    convolution,
    convolution_transpose,
    depthwise,
    dropout,
    embedding,
    local_response,
    max_pooling,
    moments,
    normalization,
    poisson_loss,
    pooling,
    sparsity,
    top_k,
)
NN = SimpleNamespace(
    **{
        name: value
        for module in MODULES
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__
    },
    lrn=local_response.local_response_normalization,
)

# Sums of up to some hundred terms, added in another order.
LOOSER = 10


@pytest.fixture(autouse=True)
def rules_are_verified():
    switches.set_switch(switches.VERIFY_RULES, True)
    yield
    switches.set_switch(switches.VERIFY_RULES, False)
    tv.random.set_seed(None)


@pytest.mark.parametrize('body', nn_bodies.BODIES, ids=lambda body: body.__name__)
def test_results_are_those_of_tensorflow(body, device: str) -> None:
    with tv.device(device):
        results = nn_bodies.as_arrays(tv, body(tv, NN))
    with np.load(REFERENCE) as kept:
        names = [name for name in kept.files if name.startswith(f'{body.__name__}.')]
        assert len(results) == len(names)
        for name, actual in zip(names, results, strict=True):
            tolerances.assert_close(actual, kept[name], looser=LOOSER, what=name)
