"""What counts as a copy when operands of an op lie elsewhere, and which copies a guard refuses."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors

BIG = [1.0, 2.0, 3.0]


def copies(function: Callable[[], Any]) -> list[tuple[str, str, str, bool]]:
    """Source, destination, operand and explicitness of the copies that are made."""
    with tv.debugging.record_placement() as log:
        function()
    return [(c.source, c.destination, c.operand, c.explicit) for c in log.copies]


# Functions and not fixtures: pytest keeps a fixture's value beyond the devices' reset.


def gpu_tensor() -> Any:
    with tv.device('GPU:0'):
        return tv.constant(BIG)


def gpu_variable() -> Any:
    with tv.device('GPU:0'):
        return tv.Variable(BIG, name='v')


def test_host_operands_are_implicit_copies(simulated_gpus: list[str]) -> None:
    x = gpu_tensor()
    arrived = [('CPU:0', 'GPU:0', 'y', False)]
    assert copies(lambda: x + BIG) == arrived
    assert copies(lambda: x + np.ones(3, np.float32)) == arrived
    assert copies(lambda: np.ones(3) + x) == [('CPU:0', 'GPU:0', 'x', False)]


def test_numbers_are_no_copies(simulated_gpus: list[str]) -> None:
    x = gpu_tensor()
    for number in (2.0, 2, True, np.float32(2.0), np.array(2.0), [2.0], [[2.0]]):
        assert copies(lambda number=number: x * number) == []
        with tv.transfer_guard('disallow'):
            x * number


def test_host_operands_stay_on_the_cpu(simulated_gpus: list[str]) -> None:
    with tv.device('CPU:0'):
        x = tv.constant(BIG)
        assert copies(lambda: x + BIG) == []


def test_operands_elsewhere_are_implicit_copies(simulated_gpus: list[str]) -> None:
    there, variable = gpu_tensor(), gpu_variable()
    with tv.device('CPU:0'):
        x, v = tv.constant(BIG), tv.Variable(BIG, name='w')
    assert copies(lambda: x + there) == [('CPU:0', 'GPU:0', 'x', False)]
    assert copies(lambda: variable + v) == [('CPU:0', 'GPU:0', 'y', False)]
    with tv.device('CPU:0'):
        assert copies(lambda: there * 2.0) == [('GPU:0', 'CPU:0', 'x', False)]
    with tv.device('GPU:1'):
        assert copies(lambda: tv.negative(there)) == [('GPU:0', 'GPU:1', 'x', False)]
        assert copies(lambda: variable.read_value())[0][:2] == ('GPU:0', 'GPU:1')


EXPLICIT: dict[str, Callable[[Any, Any], Any]] = {
    'constant': lambda x, v: tv.constant(BIG),
    'convert_to_tensor': lambda x, v: tv.convert_to_tensor(BIG),
    'Variable': lambda x, v: tv.Variable(BIG),
    'assign': lambda x, v: v.assign(BIG),
    'assign_add': lambda x, v: v.assign_add(np.ones(3)),
    'assign_sub': lambda x, v: v.assign_sub(BIG),
    'identity': lambda x, v: _there(x),
    'to_device': lambda x, v: x.to_device('GPU:1'),
    'move': lambda x, v: v.to_device('GPU:1'),
    'numpy': lambda x, v: x.numpy(),
    'variable numpy': lambda x, v: v.numpy(),
    'item': lambda x, v: tv.reduce_sum(x).item(),
    'repr': lambda x, v: repr(x),
    'variable repr': lambda x, v: repr(v),
    'print': lambda x, v: str(x),
    'format': lambda x, v: f'{tv.reduce_sum(x):.1f}',
}
IMPLICIT: dict[str, Callable[[Any, Any], Any]] = {
    'asarray': lambda x, v: np.asarray(x),
    'variable asarray': lambda x, v: np.asarray(v),
    'numpy function': lambda x, v: np.sqrt(v),
    'bool': lambda x, v: bool(x[0]),
    'int': lambda x, v: int(x[0]),
    'float': lambda x, v: float(v[0]),
    'complex': lambda x, v: complex(x[0]),
    'index': lambda x, v: [0, 1][tv.argmax(x) - 2],
    'elements': lambda x, v: [float(element) for element in x],
    'operand': lambda x, v: x + BIG,
}


def _there(x: Any) -> Any:
    with tv.device('GPU:1'):
        return tv.identity(x)


@pytest.mark.parametrize('name', EXPLICIT)
def test_explicit_copies_are_never_refused(simulated_gpus: list[str], name: str) -> None:
    x, v = gpu_tensor(), gpu_variable()
    made = copies(lambda: EXPLICIT[name](x, v))
    assert made, 'each of them is counted'
    assert all(explicit for *_, explicit in made)
    with tv.transfer_guard('disallow'):
        EXPLICIT[name](x, v.to_device('GPU:0'))


@pytest.mark.parametrize('name', IMPLICIT)
def test_implicit_copies_are_refused(simulated_gpus: list[str], name: str) -> None:
    x, v = gpu_tensor(), gpu_variable()
    made = copies(lambda: IMPLICIT[name](x, v))
    assert made
    assert not any(explicit for *_, explicit in made)
    with tv.transfer_guard('disallow'), pytest.raises(errors.TransferError):
        IMPLICIT[name](x, v)


def test_an_error_of_a_guard_names_the_line_that_made_the_value(simulated_gpus: list[str]) -> None:
    x = gpu_tensor()
    with tv.transfer_guard('disallow'):
        y = x * 2.0
        with pytest.raises(errors.TransferError, match=r'test_executor_copies\.py:\d+'):
            np.asarray(y)


def test_a_refused_copy_leaves_nothing_behind(simulated_gpus: list[str]) -> None:
    x = gpu_tensor()
    before = tv.config.get_memory_info('GPU:0')['current']
    with tv.transfer_guard('disallow'), pytest.raises(errors.TransferError):
        x + BIG
    assert tv.config.get_memory_info('GPU:0')['current'] == before
