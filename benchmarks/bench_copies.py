"""Bringing values to the device and back, and using on it what lives on the host."""

from array import array
from typing import Any

from benchmarks.cases import SIZES, Cases, label


def tensorvar_cases(tv: Any) -> Cases:
    cases: Cases = {}
    for size in SIZES:
        tensor = tv.fill([size], 0.5)
        host = tensor.numpy()
        with tv.device('CPU:0'):
            variable = tv.Variable(tv.fill([size], 0.5))
        cases |= {
            label('from the host', size): lambda host=host: tv.constant(host),
            label('to the host', size): lambda tensor=tensor: tensor.numpy(),
            label('use of a host variable', size): lambda variable=variable: variable + 1.0,
        }
    return cases


def numpy_cases(np: Any) -> Cases:
    cases: Cases = {}
    for size in SIZES:
        tensor = np.full(size, 0.5, np.float32)
        host = array('f', [0.5]) * size
        cases |= {
            label('from the host', size): lambda host=host: np.array(host),
            label('to the host', size): lambda tensor=tensor: tensor.copy(),
            label('use of a host variable', size): lambda tensor=tensor: tensor + 1.0,
        }
    return cases


def torch_cases(torch: Any) -> Cases:
    cases: Cases = {}
    for size in SIZES:
        tensor = torch.full((size,), 0.5)
        host = torch.full((size,), 0.5, device='cpu')
        cases |= {
            label('from the host', size): lambda h=host, t=tensor: h.to(t.device, copy=True),
            label('to the host', size): lambda tensor=tensor: tensor.to('cpu', copy=True),
            label('use of a host variable', size): lambda h=host, t=tensor: h.to(t.device) + 1.0,
        }
    return cases
