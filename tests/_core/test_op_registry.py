"""The op record, and what it works out about its inputs."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import dtypes, errors
from tensorvar._core import op_registry, operands
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, ArraySpec, OpDef

F32, F64, I32 = (np.dtype(name) for name in ('float32', 'float64', 'int32'))


def same(x: ArraySpec, *rest: ArraySpec, scale: int = 1) -> ArraySpec:
    return x


def make(inputs: str = 'T', infer: Any = same, **fields: Any) -> OpDef:
    return OpDef(
        'Probe', infer, lambda xp, *arrays: arrays[0], NOT_DIFFERENTIABLE, inputs, **fields
    )


@pytest.fixture
def empty_registry(monkeypatch: pytest.MonkeyPatch) -> dict[str, OpDef]:
    ops: dict[str, OpDef] = {}
    monkeypatch.setattr(op_registry, 'OPS', ops)
    return ops


def test_names_are_unique(empty_registry: dict[str, OpDef]) -> None:
    op = make()
    assert op_registry.register(op) is op
    assert empty_registry == {'Probe': op}
    with pytest.raises(ValueError, match="'Probe' is taken"):
        op_registry.register(make())
    assert empty_registry == {'Probe': op}


def test_letters_of_the_inputs() -> None:
    op = make('T i T')
    assert op.letters == ('T', 'i', 'T')
    assert [op.letter(position) for position in range(3)] == ['T', 'i', 'T']
    assert not op.variadic


def test_letters_of_any_number_of_inputs() -> None:
    op = make('i *T')
    assert op.variadic
    assert [op.letter(position) for position in range(4)] == ['i', 'T', 'T', 'T']


def test_ops_without_inputs() -> None:
    op = make('', lambda: ArraySpec((), F32))
    assert op.letters == ()
    assert not op.variadic
    assert op.argument(0) == 'input'
    assert op.allowed == dtypes.ANY


def test_argument_names_are_those_of_the_rule() -> None:
    op = make('T *T', lambda first, *others, axis: first)
    assert [op.argument(position) for position in range(4)] == [
        'first',
        'others',
        'others',
        'others',
    ]


def test_allowed_dtypes_are_those_of_the_first_input() -> None:
    assert make('T i', dtypes={'T': dtypes.FLOATING}).allowed == dtypes.FLOATING
    assert make('T i', dtypes={'i': dtypes.INTEGERS}).allowed == dtypes.ANY


def test_records_are_compared_by_identity_and_do_not_change() -> None:
    op = make()
    assert op != make()
    assert {op: 1}[op] == 1
    assert repr(op) == '<OpDef Probe>'
    assert repr(NOT_DIFFERENTIABLE) == 'NOT_DIFFERENTIABLE'
    with pytest.raises(AttributeError):
        op.name = 'Other'  # type: ignore[misc]


def test_bytes_of_a_spec() -> None:
    assert ArraySpec((2, 3), F64).nbytes == 48
    assert ArraySpec((), F32).nbytes == 4
    assert ArraySpec((0, 3), F32).nbytes == 0
    assert ArraySpec((None, 3), F32).nbytes == 0


# What a record says about inputs, applied


def prepared(op: OpDef, *inputs: Any) -> list[np.dtype[Any]]:
    return [operand._spec().dtype for operand in operands.prepare(op, inputs)]


def test_equal_letters_share_a_dtype() -> None:
    double = np.ones(2)
    assert prepared(make('T T'), double, 1) == [F64, F64]
    assert prepared(make('T i T'), double, 1, 2) == [F64, I32, F64]
    with pytest.raises(
        errors.InvalidTypeError, match=r'\[Probe\] input #1 .*float64 tensor but is a float32'
    ):
        operands.prepare(make('T T'), [tv.constant(double), tv.ones([2])])


def test_dtypes_that_are_not_allowed() -> None:
    op = make('T i', lambda params, indices: params, dtypes={'i': dtypes.INTEGERS})
    with pytest.raises(
        errors.InvalidTypeError, match=r'input #1 \(indices\).*float32.*int64.*cast'
    ):
        operands.prepare(op, [1.0, 2.0])


def test_numbers_are_told_from_data() -> None:
    numbers = [1, 1.5, True, 1j, np.float32(2.0), [3.0], np.ones((1, 1))]
    data = [[1.0, 2.0], np.ones(2), np.ones(0)]
    op = make('T')
    assert all(operands.prepare(op, [value])[0].is_number for value in numbers)
    assert not any(operands.prepare(op, [value])[0].is_number for value in data)


def test_what_the_fast_path_asks() -> None:
    assert make('T T').uniform
    assert not make('T i').uniform
    assert not make('', lambda: ArraySpec((), F32)).uniform
    assert make().host_function is None
    assert make(ufunc='add').host_function is np.add


def test_functions_named_as_forwards_are_all_of_them() -> None:
    """The fast path calls NumPy's function of that name in place of the forward."""
    named = [op for op in op_registry.OPS.values() if op.ufunc is not None]
    assert len(named) > 30
    for op in named:
        kind = 'b' if op.allowed == dtypes.BOOLEAN else 'c' if F32 not in op.allowed else 'f'
        kind = 'i' if kind == 'c' and I32 in op.allowed else kind
        values = {
            'b': np.array([True, False]),
            'c': np.array([1 + 2j, 3 - 1j]),
            'f': np.array([0.25, 0.5]),
            'i': np.array([3, 1]),
        }[kind]
        arguments = (values,) * len(op.letters)
        with np.errstate(all='ignore'):
            assert op.host_function is not None
            np.testing.assert_array_equal(op.forward(np, *arguments), op.host_function(*arguments))
