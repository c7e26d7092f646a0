"""The exception tree.

The class names are TensorFlow's. Each class also derives from the builtin that a
Python programmer would expect, and three subclasses exist where another builtin
fits better, so that ``except`` with the class TensorFlow raises catches ours.

    OpError
    |-- InvalidArgumentError (ValueError)
    |   |-- InvalidTypeError (TypeError)
    |   |   `-- UnsupportedTypeError (NotFoundError, UnimplementedError)
    |   |-- InvalidIndexError (IndexError)
    |   `-- TransferError (RuntimeError)
    |-- FailedPreconditionError (RuntimeError)
    |-- ResourceExhaustedError (MemoryError)
    |-- UnimplementedError (NotImplementedError)
    |-- NotFoundError (LookupError)
    |-- OutOfRangeError (IndexError)
    |-- AlreadyExistsError, PermissionDeniedError, UnauthenticatedError
    |-- AbortedError, CancelledError, DeadlineExceededError
    `-- DataLossError, InternalError, UnavailableError, UnknownError
    MissingMethodError (AttributeError, TypeError)
    OperatorNotAllowedInGraphError (TypeError)

A message reads ``[op] what was given; what is allowed; what to do``.
"""

from typing import Any

__all__ = [
    'ABORTED', 'ALREADY_EXISTS', 'CANCELLED', 'DATA_LOSS', 'DEADLINE_EXCEEDED',
    'FAILED_PRECONDITION', 'INTERNAL', 'INVALID_ARGUMENT', 'NOT_FOUND', 'OK', 'OUT_OF_RANGE',
    'PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'UNAUTHENTICATED', 'UNAVAILABLE',
    'UNIMPLEMENTED', 'UNKNOWN', 'AbortedError', 'AlreadyExistsError', 'CancelledError',
    'DataLossError', 'DeadlineExceededError', 'FailedPreconditionError', 'InternalError',
    'InvalidArgumentError', 'InvalidIndexError', 'InvalidTypeError', 'MissingMethodError',
    'NotFoundError', 'OpError', 'OperatorNotAllowedInGraphError', 'OutOfRangeError',
    'PermissionDeniedError', 'PlacementWarning', 'ResourceExhaustedError', 'TransferError',
    'TransferWarning', 'UnauthenticatedError', 'UnavailableError', 'UnimplementedError',
    'UnknownError', 'UnsupportedTypeError',
]  # fmt: skip

OK = 0
CANCELLED = 1
UNKNOWN = 2
INVALID_ARGUMENT = 3
DEADLINE_EXCEEDED = 4
NOT_FOUND = 5
ALREADY_EXISTS = 6
PERMISSION_DENIED = 7
RESOURCE_EXHAUSTED = 8
FAILED_PRECONDITION = 9
ABORTED = 10
OUT_OF_RANGE = 11
UNIMPLEMENTED = 12
INTERNAL = 13
UNAVAILABLE = 14
DATA_LOSS = 15
UNAUTHENTICATED = 16


class OpError(Exception):
    """Base of every error that an operation raises.

    Args:
        message: the whole text.
        op: name of the operation, or None.
        text: for TensorFlow's order of arguments, ``(node_def, op, message)``: if given
            it is the text, and the first argument, a graph node, is ignored.
    """

    code: int = UNKNOWN

    def __init__(self, message: Any, op: Any = None, text: str | None = None) -> None:
        self._message: str = message if text is None else text
        self._op: str | None = op
        super().__init__(self._message)

    def _add(self, what: str) -> None:
        """Appends what a caller further up knows, such as the name of the variable."""
        self._message = f'{self._message}; {what}'
        self.args = (self._message,)

    @property
    def message(self) -> str:
        """The text of the error."""
        return self._message

    @property
    def op(self) -> str | None:
        """Name of the operation that failed, or None."""
        return self._op

    @property
    def node_def(self) -> None:
        """Always None: eager operations have no graph node."""
        return None

    @property
    def error_code(self) -> int:
        """TensorFlow's numeric code for this class."""
        return self.code

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self._message, self._op))


class InvalidArgumentError(OpError, ValueError):
    """An argument has a wrong value, shape or dtype."""

    code = INVALID_ARGUMENT


class InvalidTypeError(InvalidArgumentError, TypeError):
    """An argument has a type or dtype that the operation does not take."""


class InvalidIndexError(InvalidArgumentError, IndexError):
    """An index lies outside of the array it addresses."""


class TransferError(InvalidArgumentError, RuntimeError):
    """A transfer guard or budget refused a copy between devices."""


class FailedPreconditionError(OpError, RuntimeError):
    """The system is not in the state that the operation needs."""

    code = FAILED_PRECONDITION


class ResourceExhaustedError(OpError, MemoryError):
    """A device has no memory left for the array asked for."""

    code = RESOURCE_EXHAUSTED


class UnimplementedError(OpError, NotImplementedError):
    """The operation exists but not for these arguments."""

    code = UNIMPLEMENTED


class NotFoundError(OpError, LookupError):
    """Something asked for by name or path does not exist."""

    code = NOT_FOUND


class UnsupportedTypeError(InvalidTypeError, NotFoundError, UnimplementedError):
    """No kernel of the operation takes this dtype.

    TensorFlow raises one of the four for it, depending on what a build has kernels for.
    """


class OutOfRangeError(OpError, IndexError):
    """An iteration went past its end."""

    code = OUT_OF_RANGE


class AlreadyExistsError(OpError, RuntimeError):
    """Something to be created exists already."""

    code = ALREADY_EXISTS


class PermissionDeniedError(OpError, PermissionError):
    """The caller may not do this."""

    code = PERMISSION_DENIED


class UnauthenticatedError(OpError, PermissionError):
    """The caller did not say who they are."""

    code = UNAUTHENTICATED


class AbortedError(OpError, RuntimeError):
    """The operation was given up, usually because of a concurrent one."""

    code = ABORTED


class CancelledError(OpError, RuntimeError):
    """The operation was cancelled by its caller."""

    code = CANCELLED


class DeadlineExceededError(OpError, TimeoutError):
    """The operation took longer than it may."""

    code = DEADLINE_EXCEEDED


class DataLossError(OpError, RuntimeError):
    """Stored data is damaged or incomplete."""

    code = DATA_LOSS


class InternalError(OpError, RuntimeError):
    """Something that should hold inside the library or a device does not."""

    code = INTERNAL


class UnavailableError(OpError, RuntimeError):
    """A device or service cannot be reached, for instance a lost card."""

    code = UNAVAILABLE


class UnknownError(OpError, RuntimeError):
    """An error that no other class describes."""

    code = UNKNOWN


class MissingMethodError(AttributeError, TypeError):
    """Python's function needs a method that the value has not, such as ``__index__``."""


class OperatorNotAllowedInGraphError(TypeError):
    """A value without data was looked at, for instance by ``bool()``."""


class PlacementWarning(UserWarning):
    """A device scope asked for a device that is absent; another one is used."""


class TransferWarning(UserWarning):
    """A transfer guard or device policy reports a copy that nobody asked for."""
