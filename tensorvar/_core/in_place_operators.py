"""What Python writes with ``=``: ``variable += value``, ``variable[0] = value``."""

from typing import Any

from tensorvar import errors


class InPlaceOperators:
    """A part of ``Variable``: refuses what Python writes with ``=``, as TensorFlow does."""

    __slots__ = ()

    def __iadd__(self, other: Any) -> Any:
        raise _refusal('+=', 'assign_add')

    def __isub__(self, other: Any) -> Any:
        raise _refusal('-=', 'assign_sub')

    def __imul__(self, other: Any) -> Any:
        raise _refusal('*=', 'assign')

    def __itruediv__(self, other: Any) -> Any:
        raise _refusal('/=', 'assign')

    def __ipow__(self, other: Any) -> Any:
        raise _refusal('**=', 'assign')

    def __setitem__(self, key: Any, value: Any) -> None:
        raise errors.InvalidTypeError(
            f'[Variable] `variable[{key!r:.40}] = value` was written; a variable does not support '
            f'item assignment; use variable[...].assign(value)'
        )


def _refusal(operator: str, method: str) -> RuntimeError:
    return errors.FailedPreconditionError(
        f'[Variable] `variable {operator} value` was written; a variable keeps its identity, so '
        f"Python's in-place operators do not apply; use variable.{method}(...), or "
        f'`variable = variable {operator[:-1]} value` for a new tensor'
    )
