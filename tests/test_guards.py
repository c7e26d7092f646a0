"""Transfer guards and device policies on real tensors and variables."""

import copy
import logging
import pickle
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._backend import guard
from tensorvar._device import scope

START = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
BYTES = START.nbytes


@pytest.fixture(autouse=True)
def silent_policy(simulated_gpus: list[str]) -> Iterator[None]:
    yield
    tv.config.experimental.set_device_policy(None)
    guard._log.reset()
    assert scope.current() is None


class World:
    """A variable and a tensor on each of three devices."""

    def __init__(self) -> None:
        self.variables: dict[str, tv.Variable] = {}
        self.tensors: dict[str, tv.Tensor] = {}
        for device in ('CPU:0', 'GPU:0', 'GPU:1'):
            with tv.device(device):
                name = device.lower().replace(':', '_')
                self.variables[device] = tv.Variable(START, name=name)
                self.tensors[device] = tv.constant(START)


def on(device: str, function: Callable[[], Any]) -> Any:
    with tv.device(device):
        return function()


IMPLICIT: dict[str, tuple[str, Callable[[World], Any]]] = {
    'tensor_to_gpu': ('host_to_device', lambda w: on('GPU:0', lambda: w.tensors['CPU:0'] + 1.0)),
    'variable_to_gpu': (
        'host_to_device', lambda w: on('GPU:0', lambda: w.variables['CPU:0'] + 1.0),
    ),
    'ndarray_to_gpu': ('host_to_device', lambda w: w.tensors['GPU:0'] + START),
    'list_to_gpu': ('host_to_device', lambda w: w.tensors['GPU:0'] * [2.0, 3.0]),
    'mixed_inputs': ('host_to_device', lambda w: w.tensors['CPU:0'] + w.tensors['GPU:0']),
    'variable_from_gpu': (
        'device_to_host', lambda w: on('CPU:0', lambda: w.variables['GPU:0'] + 1.0),
    ),
    'tensor_from_gpu': (
        'device_to_host', lambda w: on('CPU:0', lambda: w.tensors['GPU:0'] + 1.0),
    ),
    'asarray': ('device_to_host', lambda w: np.asarray(w.tensors['GPU:0'])),
    'asarray_of_variable': ('device_to_host', lambda w: np.asarray(w.variables['GPU:0'])),
    'bool': ('device_to_host', lambda w: bool(tv.reduce_all(w.tensors['GPU:0'] > 0.0))),
    'float': ('device_to_host', lambda w: float(w.tensors['GPU:0'][0, 0])),
    'assign_a_variable': (
        'device_to_host', lambda w: w.variables['CPU:0'].assign(w.variables['GPU:0']),
    ),
    'between_gpus': (
        'device_to_device', lambda w: on('GPU:1', lambda: w.variables['GPU:0'] + 1.0),
    ),
    'tensors_between_gpus': (
        'device_to_device', lambda w: on('GPU:1', lambda: w.tensors['GPU:0'] + 1.0),
    ),
}  # fmt: skip

EXPLICIT: dict[str, Callable[[World], Any]] = {
    'constant': lambda w: on('GPU:0', lambda: tv.constant(START)),
    'convert': lambda w: on('GPU:0', lambda: tv.convert_to_tensor(START)),
    'variable': lambda w: on('GPU:0', lambda: tv.Variable(START)),
    'variable_of_tensor': lambda w: on('GPU:1', lambda: tv.Variable(w.tensors['GPU:0'])),
    'assign_host_data': lambda w: w.variables['GPU:0'].assign(START),
    'assign_add_host_data': lambda w: w.variables['GPU:0'].assign_add(START.tolist()),
    'identity': lambda w: on('GPU:1', lambda: tv.identity(w.tensors['GPU:0'])),
    'tensor_to_device': lambda w: w.tensors['GPU:0'].to_device('CPU:0'),
    'variable_to_device': lambda w: w.variables['GPU:0'].to_device('GPU:1'),
    'numpy': lambda w: (w.tensors['GPU:0'].numpy(), w.variables['GPU:1'].numpy()),
    'item': lambda w: tv.reduce_sum(w.tensors['GPU:0']).item(),
    'repr': lambda w: (repr(w.tensors['GPU:0']), str(w.variables['GPU:1'])),
    'number': lambda w: w.tensors['GPU:0'] * 2.0 + 1,
    'deepcopy': lambda w: copy.deepcopy(w.variables['GPU:0']),
    'pickle': lambda w: pickle.loads(pickle.dumps(w.variables['GPU:0'])),
    'same_device': lambda w: tv.matmul(w.variables['GPU:0'], w.tensors['GPU:0']),
    'on_the_cpu': lambda w: float(tv.reduce_sum(w.tensors['CPU:0'] + START)),
}


# Modes and directions


@pytest.mark.parametrize('kind', IMPLICIT)
def test_disallow_refuses_implicit_copies(kind: str) -> None:
    direction, operation = IMPLICIT[kind]
    w = World()
    before = {device: v.version for device, v in w.variables.items()}
    with tv.transfer_guard('disallow'), pytest.raises(tv.errors.TransferError) as caught:
        operation(w)
    assert f'an implicit {direction.replace("_", " ")} copy' in str(caught.value)
    assert {device: v.version for device, v in w.variables.items()} == before
    operation(w)


@pytest.mark.parametrize('kind', IMPLICIT)
def test_each_direction_is_guarded_by_itself(kind: str) -> None:
    direction, operation = IMPLICIT[kind]
    w = World()
    others = {'host_to_device', 'device_to_host', 'device_to_device'} - {direction}
    with tv.transfer_guard(**dict.fromkeys(others, 'disallow')) as entered:
        operation(w)
    assert entered.used > 0
    w = World()
    forbidden = tv.transfer_guard('allow', **{direction: 'disallow'})
    with forbidden, pytest.raises(tv.errors.TransferError):
        operation(w)


@pytest.mark.parametrize('kind', EXPLICIT)
def test_explicit_copies_always_pass(kind: str) -> None:
    w = World()
    tv.config.experimental.set_device_policy('explicit')
    with tv.transfer_guard('disallow', budget=0) as entered:
        EXPLICIT[kind](w)
    assert entered.used == 0


def test_a_replica_hit_is_no_copy() -> None:
    w = World()
    v = w.variables['CPU:0']
    with tv.device('GPU:0'):
        v + 1.0
        with tv.transfer_guard('disallow'):
            v + 1.0
        v.assign_add(START)
        with tv.transfer_guard('disallow'), pytest.raises(tv.errors.TransferError):
            v + 1.0


def test_the_innermost_mode_decides() -> None:
    w = World()
    operation = IMPLICIT['tensor_to_gpu'][1]
    with tv.transfer_guard('disallow'):
        with tv.transfer_guard('allow'):
            operation(w)
        with tv.transfer_guard(device_to_host='allow'), pytest.raises(tv.errors.TransferError):
            operation(w)
        with pytest.raises(tv.errors.TransferError):
            operation(w)


def test_warn_names_the_line_once() -> None:
    w = World()
    with warnings.catch_warnings(record=True) as caught, tv.transfer_guard('warn'):
        warnings.simplefilter('always')
        for _ in range(3):
            IMPLICIT['ndarray_to_gpu'][1](w)
    [warning] = caught
    assert warning.category is tv.TransferWarning
    assert warning.filename == __file__
    assert 'lies on CPU:0 and is needed on GPU:0' in str(warning.message)


def test_log_counts(caplog: pytest.LogCaptureFixture) -> None:
    w = World()
    with caplog.at_level(logging.INFO, 'tensorvar.transfer'), tv.transfer_guard('log'):
        IMPLICIT['variable_to_gpu'][1](w)
    [line] = caplog.messages
    assert re.fullmatch(
        r'AddV2 cpu_0:0 16 B CPU:0 -> GPU:0  \[implicit copy, test_guards\.py:\d+\]', line
    )


# Budgets


def test_every_enclosing_budget_is_charged() -> None:
    w = World()
    operation = IMPLICIT['tensor_to_gpu'][1]
    with tv.transfer_guard(budget=2 * BYTES) as outer:
        with tv.transfer_guard('allow', budget=3 * BYTES) as inner:
            operation(w)
            operation(w)
            with pytest.raises(tv.errors.TransferError, match="budget='32 B'"):
                operation(w)
        assert (outer.used, inner.used) == (2 * BYTES, 2 * BYTES)
        with pytest.raises(tv.errors.TransferError):
            operation(w)
    operation(w)


def test_a_budget_counts_every_direction_and_skips_what_is_free() -> None:
    w = World()
    with tv.transfer_guard(budget='1KiB') as entered:
        for kind in ('tensor_to_gpu', 'tensor_from_gpu', 'tensors_between_gpus', 'asarray'):
            IMPLICIT[kind][1](w)
        for operation in EXPLICIT.values():
            operation(World())
    assert entered.used == 4 * BYTES


def test_a_refused_copy_is_not_made_and_not_charged() -> None:
    w = World()
    used = tv.config.get_memory_info('GPU:0')['current']
    with tv.transfer_guard(budget=BYTES - 1) as entered, pytest.raises(tv.errors.TransferError):
        IMPLICIT['variable_to_gpu'][1](w)
    assert entered.used == 0
    assert tv.config.get_memory_info('GPU:0')['current'] == used
    assert w.variables['CPU:0']._replicas == {}


# The error


def test_the_error_names_everything_about_a_variable() -> None:
    w = World()
    v = w.variables['CPU:0']
    created = v._created().rpartition('/')[2]
    with tv.transfer_guard('disallow') as entered, pytest.raises(tv.errors.TransferError) as caught:
        on('GPU:0', lambda: tv.matmul(v, w.tensors['GPU:0']))
    assert str(caught.value) == (
        f"[MatMul] operand 'a' (variable 'cpu_0:0', created at {created}) lies on CPU:0 and is "
        'needed on GPU:0: an implicit host to device copy of 16 B; '
        f"transfer_guard('disallow') of {entered.where.short} refuses it; explicit copies are "
        "allowed: use tv.identity(...) inside `with tv.device('GPU:0')`, or open "
        "tv.transfer_guard('allow')"
    )
    assert caught.value.op == 'MatMul'


def test_the_error_names_where_a_tensor_was_created() -> None:
    with tv.transfer_guard('disallow'):
        with tv.device('CPU:0'):
            t = tv.constant(START)
        with pytest.raises(tv.errors.TransferError, match=r'created at test_guards\.py:\d+\) lies'):
            on('GPU:0', lambda: t + 1.0)


def test_the_error_of_a_look_says_numpy() -> None:
    w = World()
    with tv.transfer_guard('disallow'), pytest.raises(tv.errors.TransferError, match='numpy'):
        float(w.tensors['GPU:0'][0, 0])


# The device policy


def test_the_policies() -> None:
    set_policy = tv.config.experimental.set_device_policy
    w = World()
    operation = IMPLICIT['tensor_to_gpu'][1]
    operation(w)
    set_policy('explicit')
    with pytest.raises(tv.errors.TransferError, match="set_device_policy\\('explicit'\\)"):
        operation(w)
    # Host data and looks are no operands of another device.
    IMPLICIT['ndarray_to_gpu'][1](w)
    IMPLICIT['float'][1](w)
    with tv.transfer_guard('allow'):
        operation(w)
    set_policy('warn')
    with pytest.warns(tv.TransferWarning):
        operation(w)
    set_policy('silent_for_int32')
    with pytest.raises(tv.errors.TransferError):
        operation(w)
    with tv.device('CPU:0'):
        integers = tv.constant([1, 2])
    with tv.device('GPU:0'):
        integers + 1
    set_policy('silent')
    operation(w)
    assert tv.config.experimental.get_device_policy() == 'silent'


def test_a_policy_refuses_reads_of_variables() -> None:
    w = World()
    tv.config.experimental.set_device_policy('explicit')
    for kind in ('variable_to_gpu', 'between_gpus', 'assign_a_variable'):
        with pytest.raises(tv.errors.TransferError):
            IMPLICIT[kind][1](w)
