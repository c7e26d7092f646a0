"""Makes devices fail on purpose, for tests.

Backends and ledgers ask ``check`` at fixed points. While nothing is armed that costs
one look at a module attribute::

    if faults.armed:
        faults.check('copy', self.device)
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tensorvar import _fork, errors
from tensorvar._device import switches

KINDS = ('allocate', 'copy', 'lost')

_ERRORS: dict[str, tuple[type[errors.OpError], str]] = {
    'allocate': (errors.ResourceExhaustedError, 'an array was asked for on {device}'),
    'copy': (errors.InternalError, 'data was to be copied to or from {device}'),
    'lost': (errors.UnavailableError, '{device} was used, which is lost'),
}


class _Fault:
    __slots__ = ('after', 'device', 'kind', 'passed')

    def __init__(self, device: str, kind: str, after: int) -> None:
        self.device = device
        self.kind = kind
        self.after = after
        self.passed = 0


armed: tuple[_Fault, ...] = ()
"""The faults that are armed now; empty outside of tests."""

_lock = threading.Lock()


@contextmanager
def fail(device: str, kind: str, after: int = 0) -> Iterator[None]:
    """Makes a device fail inside of a ``with`` block, on every thread.

    The first ``after`` uses succeed, and every later one fails until the block ends.

    Args:
        device: short name, such as ``'GPU:0'``.
        kind: ``'allocate'``: no memory can be had (``ResourceExhaustedError``);
            ``'copy'``: copies to and from the device fail (``InternalError``);
            ``'lost'``: every use of the device fails (``UnavailableError``).
        after: how many uses of that kind succeed first.

    Raises:
        InvalidArgumentError: the kind is none of these, or ``after`` is no whole
            number from 0.
    """
    if kind not in KINDS:
        raise errors.InvalidArgumentError(
            f'[fail] kind {kind!r} was given; it is one of {", ".join(map(repr, KINDS))}; '
            'choose what is to fail'
        )
    if isinstance(after, bool) or not isinstance(after, int) or after < 0:
        raise errors.InvalidArgumentError(
            f'[fail] after={after!r} was given; it counts the uses that succeed first, so it '
            'is a whole number >= 0; use 0 to fail at once'
        )
    fault = _Fault(device, kind, after)
    _arm(fault)
    try:
        yield
    finally:
        _disarm(fault)


def check(kind: str, device: str) -> None:
    """Counts one use of a device and fails if a fault says so.

    Args:
        kind: what is being done: ``'allocate'``, ``'copy'``, or ``'lost'`` for any
            call of the device's backend.
        device: short name of the device.

    Raises:
        ResourceExhaustedError, InternalError, UnavailableError: an armed fault.
    """
    for fault in armed:
        if fault.kind == kind and fault.device == device and _has_run_out(fault):
            error, what = _ERRORS[kind]
            raise error(
                f'[{kind}] {what.format(device=device)}; this failure was asked for by '
                f"tv.testing.fail('{device}', '{kind}', after={fault.after}); leave that "
                'block to go on'
            )


def _has_run_out(fault: _Fault) -> bool:
    with _lock:
        fault.passed += 1
        return fault.passed > fault.after


def _arm(fault: _Fault) -> None:
    global armed
    with _lock:
        armed = (*armed, fault)
        switches.set_switch(switches.FAULTS, True)


def _disarm(fault: _Fault) -> None:
    global armed
    with _lock:
        armed = tuple(other for other in armed if other is not fault)
        switches.set_switch(switches.FAULTS, bool(armed))


@_fork.in_child
def _renew_lock() -> None:
    global _lock
    _lock = threading.Lock()
