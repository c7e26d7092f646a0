"""The exception tree: TensorFlow's names, Python's builtins, texts that survive pickling."""

import inspect
import pickle
from typing import Any

import pytest

import tensorvar as tv
from tensorvar import errors

CLASSES = {
    name: value
    for name, value in vars(errors).items()
    if inspect.isclass(value) and issubclass(value, errors.OpError)
}
each_class = pytest.mark.parametrize('kind', CLASSES.values(), ids=CLASSES)


@each_class
def test_text_op_and_code(kind: type[errors.OpError]) -> None:
    error = kind('[MatMul] it went wrong', 'MatMul')
    assert str(error) == error.message == '[MatMul] it went wrong'
    assert error.op == 'MatMul'
    assert error.node_def is None
    assert error.error_code == kind.code
    assert 0 < kind.code <= 16
    assert issubclass(kind, errors.OpError)


@each_class
def test_tensorflows_order_of_arguments(kind: type[errors.OpError]) -> None:
    error = kind(None, 'MatMul', 'it went wrong')
    assert str(error) == error.message == 'it went wrong'
    assert error.op == 'MatMul'


@each_class
def test_pickling(kind: type[errors.OpError]) -> None:
    error = kind('text', 'Op')
    error._add('more')
    copied = pickle.loads(pickle.dumps(error))
    assert type(copied) is kind
    assert str(copied) == 'text; more'
    assert (copied.message, copied.op) == ('text; more', 'Op')


@pytest.mark.parametrize(
    ('kind', 'builtin'),
    [
        (errors.InvalidArgumentError, ValueError),
        (errors.InvalidTypeError, (ValueError, TypeError, errors.InvalidArgumentError)),
        (errors.UnsupportedTypeError, (errors.InvalidTypeError, errors.NotFoundError)),
        (errors.UnsupportedTypeError, errors.UnimplementedError),
        (errors.InvalidIndexError, (ValueError, IndexError, errors.InvalidArgumentError)),
        (errors.TransferError, (ValueError, RuntimeError, errors.InvalidArgumentError)),
        (errors.FailedPreconditionError, RuntimeError),
        (errors.ResourceExhaustedError, MemoryError),
        (errors.UnimplementedError, NotImplementedError),
        (errors.MissingMethodError, (AttributeError, TypeError)),
        (errors.NotFoundError, LookupError),
        (errors.OutOfRangeError, IndexError),
        (errors.PermissionDeniedError, PermissionError),
        (errors.DeadlineExceededError, TimeoutError),
    ],
)
def test_builtins(kind: type[Exception], builtin: Any) -> None:
    for each in builtin if isinstance(builtin, tuple) else (builtin,):
        assert issubclass(kind, each)


def test_codes_are_those_of_their_names() -> None:
    assert errors.InvalidArgumentError.code == errors.INVALID_ARGUMENT == 3
    assert errors.OutOfRangeError.code == errors.OUT_OF_RANGE == 11
    assert errors.InvalidTypeError.code == errors.INVALID_ARGUMENT


def test_the_exported_names() -> None:
    assert set(CLASSES) <= set(errors.__all__)
    assert tv.errors is errors
    assert issubclass(errors.OperatorNotAllowedInGraphError, TypeError)
    assert issubclass(tv.PlacementWarning, UserWarning)


def test_oserrors_keep_their_text() -> None:
    """Permission and time-out errors are OSErrors, which read two arguments as a number."""
    error = errors.PermissionDeniedError('no entry', 'ReadFile')
    assert error.errno is None
    assert str(error) == 'no entry'
