"""Where special functions are found."""

import numpy as np
import scipy.special

import tensorvar as tv
from tensorvar._device import registry
from tensorvar._ops import _special


def test_numpy_uses_scipy():
    assert _special.special(np) is scipy.special


def test_simulated_devices_compute_on_their_own_arrays(simulated_gpus):
    with tv.device('GPU:0'):
        x = tv.constant([0.5])
    module = registry.lookup('GPU', 0).backend.array_module
    result = _special.special(module).erf(x._array)
    assert type(result) is type(x._array)
