"""Rules for implicit copies between devices: transfer guards and the device policy.

``transfer`` asks ``check`` before it makes an implicit copy, and only if a guard is
open or a policy is set. Explicit copies never come here.
"""

import threading
import types
import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

from tensorvar import _fork, _sizes, errors
from tensorvar._device import call_site, records, scope, switches
from tensorvar._device._log import counted_log

HOST_TO_DEVICE = 'host_to_device'
DEVICE_TO_HOST = 'device_to_host'
DEVICE_TO_DEVICE = 'device_to_device'

MODES = ('allow', 'log', 'warn', 'disallow')
_POLICIES: Mapping[str | None, str] = types.MappingProxyType(
    {
        None: 'silent',
        'silent': 'silent',
        'warn': 'warn',
        'explicit': 'explicit',
        'silent_for_int32': 'silent_for_int32',
    }
)

_log = counted_log.CountedLog('tensorvar.transfer')
# One registry for all guards: Python's own filter then shows a line's warning once,
# however often a guard is made anew.
_warning_registry: dict[Any, Any] = {}
# Reentrant: a finaliser may copy while this thread is charging a budget.
_charging = threading.RLock()


class Request(NamedTuple):
    """An implicit copy that is about to be made.

    Attributes:
        direction: ``'host_to_device'``, ``'device_to_host'`` or ``'device_to_device'``.
        op: the op that needs it.
        operand: name of the op's argument.
        variable: name of the variable, or None.
        created: line of user code that made the operand, or None.
        source: short name of the device it lies on.
        destination: short name of the device it is needed on.
        nbytes: bytes to copy.
        dtype: name of the element type.
    """

    direction: str
    op: str
    operand: str
    variable: str | None
    created: str | None
    source: str
    destination: str
    nbytes: int
    dtype: str


class TransferGuard(scope.Scope):
    """What ``transfer_guard`` gives. Made only there.

    Attributes:
        modes: the mode of each direction; None leaves it to the enclosing guard.
        budget: bytes that may be copied implicitly, or None.
        used: bytes copied implicitly so far; entering again goes on counting.
        where: line of user code that made the guard.
    """

    __slots__ = ('_warned', 'budget', 'modes', 'used', 'where')

    def __init__(self, modes: Mapping[str, str | None], budget: int | None) -> None:
        self.modes = modes
        self.budget = budget
        self.used = 0
        self.where = call_site.user_call_site()
        self._warned: set[call_site.CallSite] = set()

    def apply(self, state: scope.ContextState) -> None:
        """Adds the guard and takes ops off the fast path."""
        state.guards = (*state.guards, self)
        state.plain = False

    def enforce(self, request: Request, mode: str) -> None:
        """Does what ``mode`` says about a copy that no budget refused."""
        if mode == 'warn':
            _warn_once(self._warned, request, self._text(mode))
        elif mode == 'log':
            _write_line(request)

    def refusal(self, request: Request) -> errors.TransferError:
        """The error of the mode ``disallow``."""
        return _refusal(request, f'{self._text("disallow")} refuses it')

    def over_budget(self, request: Request) -> errors.TransferError:
        """The error of a budget that the copy would exceed."""
        budget = _sizes.format_bytes(self.budget or 0)
        used = _sizes.format_bytes(self.used)
        rule = f'transfer_guard(budget={budget!r}) of {self.where.short} has used {used}'
        return _refusal(request, f'{rule}, so it would be exceeded')

    def __repr__(self) -> str:
        modes = ', '.join(f'{direction}={mode!r}' for direction, mode in self.modes.items())
        return f'<tv.transfer_guard({modes}, budget={self.budget}) of {self.where.short}>'

    def _text(self, mode: str) -> str:
        return f'transfer_guard({mode!r}) of {self.where.short}'


def transfer_guard(
    mode: str | None = None,
    budget: int | str | None = None,
    host_to_device: str | None = None,
    device_to_host: str | None = None,
    device_to_device: str | None = None,
) -> TransferGuard:
    """Watches or forbids implicit copies between devices in a ``with`` block.

    Implicit is a copy that the program did not ask for: an operand brought to an op's
    device, or a value read by ``bool``, ``float`` or ``numpy.asarray``. Copies asked
    for (``identity``, ``to_device``, ``numpy()``, ``assign``, ...) always pass and are
    not charged; Python numbers and printing are no copies here.

    Guards nest: the innermost one that says something about a direction decides, and
    every enclosing budget is charged.

    Args:
        mode: ``'allow'``; ``'log'`` (to the logger ``tensorvar.transfer``, repeats
            counted); ``'warn'`` (a ``TransferWarning`` once per line of user code);
            ``'disallow'`` (a ``TransferError``). None leaves it to the enclosing guard.
        budget: bytes that may be copied implicitly in the block, such as ``'10MiB'``; a
            copy that would exceed it raises, whatever the mode, and is not made.
        host_to_device: mode of copies from a CPU to a GPU, instead of ``mode``.
        device_to_host: mode of copies from a GPU to a CPU.
        device_to_device: mode of copies between two GPUs, or two logical CPUs.

    Returns:
        A context manager; its ``used`` is the number of bytes copied implicitly.

    Raises:
        InvalidArgumentError: an unknown mode, or a budget that is no size.

    Example:
        >>> import tensorvar as tv
        >>> with tv.transfer_guard('disallow', device_to_host='allow', budget='1MiB') as guard:
        ...     y = tv.constant([1.0, 2.0]) * 2
        >>> guard.used
        0
    """
    modes = {
        HOST_TO_DEVICE: _checked(host_to_device or mode),
        DEVICE_TO_HOST: _checked(device_to_host or mode),
        DEVICE_TO_DEVICE: _checked(device_to_device or mode),
    }
    limit = None if budget is None else _sizes.parse_bytes('transfer_guard', budget)
    return TransferGuard(modes, limit)


def set_device_policy(device_policy: str | None) -> None:
    """Sets what happens to operands that lie on another device than their op.

    It concerns tensors and variables as operands, not host data and not reads such as
    ``bool``. An open ``transfer_guard`` with a mode wins. It holds for all threads,
    where TensorFlow's holds for the current one.

    Args:
        device_policy: ``'silent'`` or None: copy; ``'warn'``: copy, with a
            ``TransferWarning`` once per line of user code; ``'explicit'``: raise
            ``TransferError``; ``'silent_for_int32'``: copy int32, raise for the rest.

    Raises:
        InvalidArgumentError: an unknown policy.
    """
    global _policy
    if device_policy not in _POLICIES:
        names = ', '.join(map(repr, _POLICIES))
        raise errors.InvalidArgumentError(
            f'[set_device_policy] {device_policy!r} is no policy; allowed are {names}; give one'
        )
    _policy = _Policy(_POLICIES[device_policy])
    switches.set_switch(switches.DEVICE_POLICY, _policy.name != 'silent')


def get_device_policy() -> str:
    """The policy that ``set_device_policy`` set.

    Returns:
        ``'silent'`` at first.
    """
    return _policy.name


def check(request: Request, state: scope.ContextState | None, *, is_operand: bool) -> None:
    """Applies guards, budgets and the device policy to an implicit copy.

    Args:
        request: the copy about to be made.
        state: the current scopes.
        is_operand: whether the device policy concerns it: an operand that lies on
            another device than its op.

    Raises:
        TransferError: the copy is refused.
    """
    guards = state.guards if state is not None else ()
    for guard in reversed(guards):
        mode = guard.modes[request.direction]
        if mode is not None:
            if mode == 'disallow':
                raise guard.refusal(request)
            _charge(request, guards)
            guard.enforce(request, mode)
            return
    if is_operand:
        _policy.enforce(request)
    _charge(request, guards)


def _charge(request: Request, guards: tuple[TransferGuard, ...]) -> None:
    with _charging:
        # A guard that was entered twice is charged once.
        distinct = dict.fromkeys(guards)
        for guard in distinct:
            if guard.budget is not None and guard.used + request.nbytes > guard.budget:
                raise guard.over_budget(request)
        for guard in distinct:
            guard.used += request.nbytes


class _Policy:
    """A device policy, with the lines it has warned about."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._warned: set[call_site.CallSite] = set()

    def enforce(self, request: Request) -> None:
        rule = f'set_device_policy({self.name!r})'
        if self.name == 'warn':
            _warn_once(self._warned, request, rule)
        elif self.name == 'explicit' or (
            self.name == 'silent_for_int32' and request.dtype != 'int32'
        ):
            raise _refusal(request, f'{rule} refuses it')


_policy = _Policy('silent')


def _warn_once(warned: set[call_site.CallSite], request: Request, rule: str) -> None:
    site = call_site.user_call_site()
    if site in warned:
        return
    text = f'{_what(request)} at {site.short}; {rule} reports it once per line; {_advice(request)}'
    warnings.warn_explicit(
        text, errors.TransferWarning, site.path, site.line, registry=_warning_registry
    )
    # Only now: under a filter that raises, the line raises every time.
    warned.add(site)


def _write_line(request: Request) -> None:
    site = call_site.user_call_site()
    size = _sizes.format_bytes(request.nbytes)
    key = (site, request.op, request.operand, request.source, request.destination)

    def line(nbytes: str = '') -> str:
        what = request.variable or request.operand
        path = f'{request.source} -> {request.destination}'
        return f'{request.op} {what} {nbytes}{path}  [implicit copy, {site.short}]'

    _log.add(key, lambda: line(f'{size} '), line, request.nbytes)


def _refusal(request: Request, rule: str) -> errors.TransferError:
    return errors.TransferError(f'{_what(request)}; {rule}; {_advice(request)}', request.op)


def _what(request: Request) -> str:
    facts = []
    if request.variable is not None:
        facts.append(f'variable {request.variable!r}')
    if request.created is not None:
        facts.append(f'created at {records.short_where(request.created)}')
    named = f' ({", ".join(facts)})' if facts else ''
    return (
        f'[{request.op}] operand {request.operand!r}{named} lies on {request.source} and is '
        f'needed on {request.destination}: an implicit {request.direction.replace("_", " ")} '
        f'copy of {_sizes.format_bytes(request.nbytes)}'
    )


def _advice(request: Request) -> str:
    if request.direction == DEVICE_TO_HOST:
        how = 'call its numpy()'
    else:
        how = f'use tv.identity(...) inside `with tv.device({request.destination!r})`'
    return f"explicit copies are allowed: {how}, or open tv.transfer_guard('allow')"


def _checked(mode: str | None) -> str | None:
    if mode is not None and mode not in MODES:
        raise errors.InvalidArgumentError(
            f'[transfer_guard] {mode!r} is no mode; allowed are {", ".join(map(repr, MODES))}; '
            f'give one of them'
        )
    return mode


@_fork.in_child
def _renew_lock() -> None:
    global _charging
    _charging = threading.RLock()
