"""How an op runs: the direct path, the full path, and that both agree."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorvar as tv
from tensorvar import errors
from tensorvar._core import dispatch, executor, full_path
from tensorvar._core.op_registry import OPS
from tensorvar._device import switches

DTYPES = [tv.float16, tv.bfloat16, tv.float32, tv.float64, tv.int32, tv.complex64, tv.bool]
BINARY: list[Callable[[Any, Any], Any]] = [
    tv.add, tv.subtract, tv.multiply, tv.maximum, tv.less, tv.equal, tv.logical_and,
    lambda x, y: x / y, lambda x, y: x // y, lambda x, y: x % y, lambda x, y: x**y,
    lambda x, y: x @ y,
]  # fmt: skip
UNARY: list[Callable[[Any], Any]] = [
    tv.negative, tv.square, tv.sqrt, tv.exp, tv.tanh, tv.sign, tv.logical_not, tv.identity,
    tv.reduce_sum, tv.transpose, lambda x: x[0], lambda x: tv.cast(x, tv.float32),
]  # fmt: skip


@pytest.fixture
def direct_calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the ops that the direct path has run."""
    seen: list[str] = []
    passed_on: list[str] = []
    run, pair, full = executor._run_direct, executor.run_pair, full_path.run

    def run_direct(op: Any, *args: Any) -> Any:
        passed_on.append(op.name)
        output = run(op, *args)
        if output is not None:
            seen.append(op.name)
        return output

    def run_full(op: Any, *args: Any) -> Any:
        passed_on.append(op.name)
        return full(op, *args)

    def run_pair(op: Any, x: Any, y: Any) -> Any:
        before = len(passed_on)
        output = pair(op, x, y)
        if len(passed_on) == before:
            seen.append(op.name)
        return output

    monkeypatch.setattr(executor, '_run_direct', run_direct)
    monkeypatch.setattr(full_path, 'run', run_full)
    for module in (executor, dispatch):
        monkeypatch.setattr(module, 'run_pair', run_pair)
    return seen


# Two paths


def outcome(function: Callable[[], Any]) -> Any:
    """Everything that may be seen of a result, or of an error."""
    try:
        result = function()
    except Exception as error:  # noqa: BLE001 - whatever it is, both paths must raise it
        return type(error), str(error)
    return result.numpy().tobytes(), result.dtype, result.shape, result.device


operand = st.one_of(
    st.tuples(
        st.sampled_from(['tensor', 'variable', 'array']),
        st.sampled_from(DTYPES),
        st.sampled_from([(), (2,), (2, 2), (3, 2), (0, 2)]),
        st.sampled_from(['CPU:0', 'GPU:0']),
    ),
    st.sampled_from([0, 1, -2, 0.5, True, 300, 1e30, 1j, float('nan')]),
)


def make(description: Any) -> Any:
    if not isinstance(description, tuple):
        return description
    kind, dtype, shape, device = description
    array = (np.arange(np.prod(shape)).reshape(shape) % 3).astype(dtype.numpy)
    if kind == 'array':
        return array
    with tv.device(device):
        return tv.constant(array) if kind == 'tensor' else tv.Variable(array)


@given(st.sampled_from(BINARY), operand, operand, st.sampled_from([None, 'CPU:0', 'GPU:0']))
def test_paths_agree_on_binary_ops(
    simulated_gpus: list[str], op: Any, first: Any, second: Any, device: str | None
) -> None:
    x, y = make(first), make(second)
    if not isinstance(x, tv.Tensor | tv.Variable) and not isinstance(y, tv.Tensor | tv.Variable):
        return
    with tv.device(device):
        direct = outcome(lambda: op(x, y))
        with tv.debugging.record_placement():
            full = outcome(lambda: op(x, y))
        with tv.transfer_guard('allow'):
            guarded = outcome(lambda: op(x, y))
    assert direct == full == guarded


@given(st.sampled_from(UNARY), operand)
def test_paths_agree_on_unary_ops(simulated_gpus: list[str], op: Any, given_: Any) -> None:
    x = make(given_)
    if isinstance(x, tv.Tensor | tv.Variable):
        direct = outcome(lambda: op(x))
        with tv.debugging.record_placement():
            assert outcome(lambda: op(x)) == direct


@given(st.lists(st.tuples(st.sampled_from(BINARY[:4]), st.integers(0, 3)), max_size=6))
def test_records_do_not_depend_on_who_else_listens(program: list[Any]) -> None:
    """The same ops, whether a recorder, a log or a switch brought them to the full path."""

    def run() -> None:
        values: list[Any] = [tv.constant([1.0, 2.0]), tv.Variable([3.0, 4.0])]
        for op, index in program:
            values.append(op(values[-1], values[index % len(values)]))

    def recorded() -> list[tuple[Any, ...]]:
        with tv.debugging.record_placement() as log:
            run()
        return [(r.op, r.device, r.reason, r.shapes, r.dtype, r.nbytes) for r in log.records]

    alone = recorded()
    switches.set_switch(switches.SYNCHRONOUS, True)
    try:
        assert recorded() == alone
    finally:
        switches.set_switch(switches.SYNCHRONOUS, False)
    with tv.GradientTape():
        assert recorded() == alone


# Which path


def test_what_stays_on_the_direct_path(device: str, direct_calls: list[str]) -> None:
    with tv.device(device):
        x, v = tv.constant([1.0, 2.0]), tv.Variable([3.0, 4.0])
        direct_calls.clear()
        x + v
    x * 2.0
    with tv.name_scope('a'), tv.device(device):
        x * 2
    with tv.GradientTape() as tape:
        y = v * v
    assert direct_calls == ['AddV2', 'Mul', 'Mul', 'Mul']
    tape.gradient(y, v)
    assert direct_calls.count('Mul') > 3, 'backward ops take it, too'


def test_what_leaves_the_direct_path(
    simulated_gpus: list[str], direct_calls: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    with tv.device('CPU:0'):
        x = tv.constant([1.0, 2.0])
    with tv.device('GPU:0'):
        y = tv.constant([1.0, 2.0])
        x + x
    x + y
    x + [1.0, 2.0]
    x + np.ones(2, np.float32)
    with tv.transfer_guard('allow'):
        x + x
    with tv.debugging.record_placement():
        x + x
    with tv.device('CPU:0', log=True):
        x + x
    for switch in (switches.SYNCHRONOUS, switches.CHECK_NUMERICS, switches.VERIFY_RULES):
        switches.set_switch(switch, True)
        x + x
        switches.set_switch(switch, False)
    assert direct_calls == []
    x + x
    assert direct_calls == ['AddV2']


def test_errors_of_the_direct_path_are_worded_by_the_full_path() -> None:
    x = tv.constant([1.0, 2.0])
    with pytest.raises(errors.InvalidArgumentError, match=r'^\[AddV2\]') as raised:
        x + tv.ones([3])
    assert 'operands could not be broadcast' not in str(raised.value)
    with pytest.raises(errors.InvalidTypeError, match=r'^\[AddV2\].*float32.*float64'):
        x + tv.ones([2], tv.float64)
    with pytest.raises(errors.InvalidTypeError, match=r'^\[LogicalAnd\].*allowed are bool'):
        tv.logical_and(x, x)
    with pytest.raises(errors.InvalidArgumentError, match=r'^\[Mul\] .*1e\+60'):
        x * 1e60


def test_numbers_take_the_dtype_of_the_tensor() -> None:
    for dtype in (tv.float16, tv.bfloat16, tv.float64, tv.int32, tv.uint8, tv.complex64):
        x = tv.constant([1, 2], dtype)
        for result in (x + 1, 1 + x, x + True):
            assert result.dtype is dtype
    with pytest.raises(errors.InvalidArgumentError, match='1.5'):
        tv.constant([1]) + 1.5


def test_results_of_rank_0_are_arrays(device: str) -> None:
    with tv.device(device):
        x = tv.constant(2.0)
    for result in (x + x, -x, x * 2, tv.reduce_sum(x), tv.sqrt(x)):
        assert type(result._array) is result._device.backend.array_type
        assert result.shape == ()


def test_ops_by_their_record() -> None:
    assert executor.run(OPS['AddV2'], tv.constant(1), 2).numpy() == 3
    parts = executor.run(OPS['Unpack'], tv.constant([1, 2]), num=2, axis=0)
    assert [part.numpy().tolist() for part in parts] == [1, 2]


# Switches


class Waits:
    """Counts how often a device was waited for."""

    def __init__(self, device: str, patch: pytest.MonkeyPatch) -> None:
        self.count = 0
        backend = _backend(device)
        wait = backend.synchronize

        def synchronize() -> None:
            self.count += 1
            wait()

        patch.setattr(backend, 'synchronize', synchronize)


def _backend(device: str) -> Any:
    with tv.device(device):
        return tv.constant(0.0)._device.backend


def test_synchronous_waits_after_every_op(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = Waits(device, monkeypatch)
    with tv.device(device):
        x, v = tv.constant([1.0]), tv.Variable([1.0])
    assert waits.count == 0
    assert not tv.debugging.get_synchronous()
    tv.debugging.set_synchronous(True)
    try:
        assert tv.debugging.get_synchronous()
        x + x
        v.assign_add(x)
        assert waits.count == 2
    finally:
        tv.debugging.set_synchronous(False)
    x + x
    assert waits.count == 2


def test_switches_are_bits() -> None:
    bits = [
        switches.LOG_PLACEMENT, switches.SYNCHRONOUS, switches.DEVICE_POLICY,
        switches.CHECK_NUMERICS, switches.VERIFY_RULES,
    ]  # fmt: skip
    assert sum(bits) == 2 ** len(bits) - 1
    for bit in bits:
        switches.set_switch(bit, True)
        assert switches.is_on(bit)
    for bit in bits:
        switches.set_switch(bit, False)
        assert not switches.is_on(bit)
    assert switches.flags == 0


# Python numbers


def test_numbers_met_before_keep_their_sign_and_type() -> None:
    x = tv.constant([1.0, -1.0])
    for _ in range(2):
        assert np.signbit((x * 0.0).numpy()).tolist() == [False, True]
        assert np.signbit((x * -0.0).numpy()).tolist() == [True, False]
        assert (x + 1).numpy().tolist() == (x + 1.0).numpy().tolist() == (x + True).numpy().tolist()
        for wrong in (1.5, 2**40):
            with pytest.raises(errors.InvalidArgumentError):
                tv.constant([1, 2]) + wrong
        assert (tv.constant([1, 2]) + 1.0).dtype is tv.int32
        assert (tv.constant([1.0, 2.0], tv.float64) * 0.1).numpy().tolist() == [0.1, 0.2]
        assert np.isnan((x * float('nan')).numpy()).all()


def test_a_number_is_never_handed_on() -> None:
    x = tv.constant(1.0)
    x + 2.0
    handed_on = tv.identity_n([x, 2.0])[1] if hasattr(tv, 'identity_n') else tv.add_n([x, 2.0])
    assert handed_on._array.flags.writeable


def test_many_numbers_are_forgotten_again() -> None:
    x = tv.constant([1.0])
    for number in range(2000):
        x + (number + 0.5)
    assert len(executor._constants) <= executor._MOST_CONSTANTS
