"""Large ops run in pieces and give the same bits as whole."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._backend import host_pieces, host_threads
from tensorvar._core import executor, host_large, variable_write
from tensorvar._core.op_registry import OPS, ArraySpec, OpDef
from tests.support import threads

SIZE = 5_003
CUT = sorted(op.name for op in OPS.values() if op.grain and op.in_place is None)
ATTRIBUTES: dict[str, dict[str, Any]] = {
    'Cast': {'dtype': np.dtype(np.float64)},
    'Gelu': {'approximate': False},
    'LeakyRelu': {'alpha': 0.25},
    'LeakyReluGrad': {'alpha': 0.25},
}
# A digamma of values down to the smallest takes as many turns.
MODERATE = np.array([-2.5, -0.75, 0.25, 0.5, 0.9, 1.0, 1.5, 3.0, 7.25])


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Cuts all that is not tiny for three threads; notes how many pieces there were."""
    found: list[int] = []
    each, compute = host_threads.each, host_pieces.compute

    def counted(function: Any, length: int, step: int) -> None:
        found.append(-(-length // step))
        each(function, length, step)

    def fine(function: Any, arrays: Any, shape: Any, dtype: Any, grain: int, *others: Any) -> Any:
        return compute(function, arrays, shape, dtype, min(grain, 1024), *others)

    monkeypatch.setattr(host_threads, '_standard', lambda: 3)
    monkeypatch.setattr(host_threads, 'each', counted)
    monkeypatch.setattr(host_pieces, 'compute', fine)
    monkeypatch.setattr(host_pieces, 'LIGHT', 1024)
    monkeypatch.setattr(host_pieces, '_BLOCK', 512)
    monkeypatch.setattr(host_pieces, '_ROUND', 64)
    for module, name in ((host_pieces, 'LARGE'), (host_large, 'LARGE'),
                         (executor, '_LARGE'), (variable_write, '_LARGE')):  # fmt: skip
        monkeypatch.setattr(module, name, 4096)
    return found


def sample(dtype: np.dtype[Any], seed: int) -> np.ndarray:
    """Values of every kind that the dtype has."""
    random = np.random.default_rng(seed)
    if dtype.kind == 'b':
        return random.random(SIZE) < 0.5
    if dtype.kind in 'iu':
        return random.integers(1, 100, SIZE).astype(dtype)
    real = random.choice(MODERATE, SIZE) * random.choice([1.0, 1.0, 0.01], SIZE)
    real[::97], real[5::101], real[7::103] = np.inf, np.nan, -0.0
    with np.errstate(all='ignore'):
        return (real + 1j * np.roll(real, 1)).astype(dtype) if dtype.kind == 'c' \
            else real.astype(dtype)  # fmt: skip


def inputs_of(op: OpDef, dtype: np.dtype[Any]) -> list[np.ndarray]:
    count = 3 if op.variadic else len(op.letters)
    letters = [op.letter(position) for position in range(count)]
    arrays = []
    for position, letter in enumerate(letters):
        allowed = op.dtypes.get(letter)
        own = dtype if allowed is None or dtype in allowed else next(iter(allowed))
        arrays.append(sample(own, position))
    return arrays


def dtypes_of(op: OpDef) -> list[np.dtype[Any]]:
    letter = 'T' if 'T' in op.dtypes or op.dtypes == {} else op.letters[-1]
    allowed = op.dtypes.get(letter, tv.dtypes.NUMERIC | tv.dtypes.BOOLEAN)
    return sorted((each for each in allowed if each.kind != 'O'), key=str)


@pytest.mark.parametrize('name', CUT)
def test_pieces_give_the_same_bits(name: str, pieces: list[int]) -> None:
    op = OPS[name]
    attributes = ATTRIBUTES.get(name, {})
    for dtype in dtypes_of(op):
        arrays = inputs_of(op, dtype)
        try:
            op.infer(*[ArraySpec(each.shape, each.dtype) for each in arrays], **attributes)
        except tv.errors.OpError:
            # Dtypes that the op does not take together.
            continue
        with np.errstate(all='ignore'):
            whole = op.forward(np, *arrays, **attributes)
            cut = host_large.forward_of(op)(np, *arrays, **attributes)
        assert cut.dtype == whole.dtype, dtype
        assert cut.tobytes() == whole.tobytes(), dtype
    assert pieces, 'no input was cut'
    assert min(pieces) > 1


def test_the_table_names_ops_that_are_cut() -> None:
    assert set(ATTRIBUTES) <= set(CUT)


F32 = np.dtype(np.float32)
CALLS = {
    'a pair': (lambda x, y: x + y, lambda a, b: a + b),
    'a number': (lambda x, y: x * 2.0, lambda a, b: a * np.float32(2)),
    'a number first': (lambda x, y: 2.0 * x, lambda a, b: np.float32(2) * a),
    'a small one first': (lambda x, y: x[:1] + y, lambda a, b: a[:1] + b),
    'an extreme and a number': (
        lambda x, y: tv.maximum(x, 0.5),
        lambda a, b: np.maximum(a, np.float32(0.5)),
    ),
    'between numbers': (
        lambda x, y: tv.clip_by_value(x, -1.0, 0.5),
        lambda a, b: np.maximum(np.minimum(a, np.float32(0.5)), np.float32(-1)),
    ),
    'a function': (lambda x, y: tv.exp(x), lambda a, b: np.exp(a)),
    'several calls': (lambda x, y: tv.nn.relu(x), lambda a, b: np.maximum(a, 0)),
    'an attribute': (lambda x, y: tv.cast(x, tv.float64), lambda a, b: a.astype(np.float64)),
    'three inputs': (lambda x, y: tv.where(x > y, x, y), lambda a, b: np.where(a > b, a, b)),
    'any number': (lambda x, y: tv.add_n([x, y, x]), lambda a, b: a + b + a),
    'to the host': (lambda x, y: x, lambda a, b: a),
}


@pytest.mark.parametrize('name', CALLS)
def test_ops_on_the_cpu_are_cut(name: str, fresh_devices: None, pieces: list[int]) -> None:
    ours, theirs = CALLS[name]
    a, b = sample(F32, 0), sample(F32, 1)
    with tv.device('CPU:0'):
        x, y = tv.constant(a), tv.constant(b)
        tv.exp(tv.constant(1.0))  # loads what the first op loads
        pieces.clear()
        host = ours(x, y).numpy()
        assert len(pieces) == (1 if name == 'to the host' else 3 if name == 'three inputs' else 2)
        with np.errstate(all='ignore'):
            np.testing.assert_array_equal(host, theirs(a, b), strict=True)
        with tv.debugging.record_placement():
            pieces.clear()
            np.testing.assert_array_equal(ours(x, y).numpy(), host, strict=True)
            assert pieces


def test_a_small_op_is_whole(fresh_devices: None, pieces: list[int]) -> None:
    with tv.device('CPU:0'):
        x = tv.ones([20])
        v = tv.Variable(x)
        v.assign_add(tv.exp(x + x * 2.0))
        assert v.numpy()[0] == np.exp(np.float32(3)) + 1
    assert pieces == []


def test_errors_are_those_of_the_whole(fresh_devices: None, pieces: list[int]) -> None:
    with tv.device('CPU:0'):
        x, y = tv.ones([SIZE]), tv.ones([SIZE - 1])
        with pytest.raises(tv.errors.InvalidArgumentError, match=r'\[AddV2\]'):
            x + y
        with pytest.raises(tv.errors.InvalidArgumentError, match=r'\[AssignAddVariableOp\]'):
            tv.Variable(x).assign_add(y)


def test_other_cpus_and_simulated_gpus_are_whole(two_cpus: tuple[str, str]) -> None:
    with tv.device(two_cpus[1]):
        x = tv.ones([host_pieces.LARGE])
        assert (x + x).numpy().min() == 2


def test_a_tape_sees_large_ops(fresh_devices: None, pieces: list[int]) -> None:
    with tv.device('CPU:0'):
        v = tv.Variable(sample(F32, 0))
        with tv.GradientTape() as tape:
            loss = tv.reduce_sum(2.0 * v)
        gradient = tape.gradient(loss, v)
    np.testing.assert_array_equal(gradient.numpy(), np.full(SIZE, 2, np.float32), strict=True)


WRITES = {
    'assign': (lambda v, x: v.assign(x), lambda a, b: b),
    'assign_add': (lambda v, x: v.assign_add(x), lambda a, b: a + b),
    'assign_sub': (lambda v, x: v.assign_sub(x), lambda a, b: a - b),
}


@pytest.mark.parametrize('name', WRITES)
def test_large_writes_stay_in_place(name: str, fresh_devices: None, pieces: list[int]) -> None:
    ours, theirs = WRITES[name]
    host, delta = sample(F32, 0), sample(F32, 1)
    with tv.device('CPU:0'):
        v, x = tv.Variable(host), tv.constant(delta)
        address = v._array.ctypes.data
        for _ in range(50):
            pieces.clear()
            ours(v, x)
            assert len(pieces) == 1
            assert v._array.ctypes.data == address, 'a thread still holds the array'
            with np.errstate(all='ignore'):
                host = theirs(host, delta)
        assert v.version == 50
        np.testing.assert_array_equal(v.numpy(), host)


@pytest.mark.parametrize('name', WRITES)
def test_a_held_buffer_keeps_its_value(name: str, fresh_devices: None, pieces: list[int]) -> None:
    ours, theirs = WRITES[name]
    host, delta = sample(F32, 0), sample(F32, 1)
    with tv.device('CPU:0'):
        v, x = tv.Variable(host), tv.constant(delta)
        held = v.value()
        ours(v, x)
        np.testing.assert_array_equal(held.numpy(), host)
        with np.errstate(all='ignore'):
            np.testing.assert_array_equal(v.numpy(), theirs(host, delta))


def test_threads_write_one_variable_at_once(fresh_devices: None, pieces: list[int]) -> None:
    with tv.device('CPU:0'):
        v, one = tv.Variable(tv.zeros([SIZE])), tv.ones([SIZE])

    def add() -> None:
        for _ in range(50):
            v.assign_add(one)

    threads.several(add, 6)
    host = v.numpy()
    assert host.min() == host.max() == 300
