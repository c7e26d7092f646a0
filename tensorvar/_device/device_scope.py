"""``tv.device``: where the operations of a ``with`` block run."""

from typing import Self

from tensorvar import errors
from tensorvar._device import fallback as fallbacks
from tensorvar._device import inventory, registry, scope
from tensorvar._device.device import Device
from tensorvar._device.inventory import Absent
from tensorvar._device.physical import LogicalDevice
from tensorvar._device.spec import DeviceName, DeviceSpec

DeviceLike = str | Device | LogicalDevice | DeviceSpec | None


class DeviceScope(scope.Scope):
    """What ``tv.device`` returns. It may be entered many times, also while it is open.

    Attributes:
        requested: the device asked for, such as ``'GPU:0'`` or ``'GPU:auto'``; empty
            for the default device.
        text: why another device than the one asked for is taken, or why the card that
            ``'GPU:auto'`` stands for; else the same as ``requested``.
        device: the device taken; None for the default one.
        absent: the device asked for, if there is no such device here; else None.
        fallback: what to do about that; None asks the process-wide setting.
        log: whether the placements inside are logged.
    """

    __slots__ = (
        '_generation', '_name', '_value', 'absent', 'device', 'fallback', 'log', 'requested',
        'text',
    )  # fmt: skip

    # _name is None for a scope that means the same device wherever it is entered;
    # otherwise the enclosing scope gives the missing parts.

    def __init__(
        self, value: DeviceLike, fallback: fallbacks.Fallback | None = None, log: bool = False
    ) -> None:
        self._value = value
        self.fallback = fallback
        self.log = log
        self._resolve()

    @property
    def is_fallback(self) -> bool:
        """Whether the device asked for is absent, and another one is taken."""
        return self.absent is not None

    def apply(self, state: scope.ContextState) -> None:
        """Makes this scope's device the device of ``state``."""
        entered = self if self._name is None else self._inside(state)
        state.device = entered.device
        state.device_scope = entered
        if entered.log:
            state.plain = False

    def __enter__(self) -> Self:
        if self._generation != registry.generation:
            self._resolve()
        if self._name is not None:
            self._inside(scope.current())._accept_absence()
        elif self.absent is not None:
            self._accept_absence()
        return scope.Scope.__enter__(self)

    def __repr__(self) -> str:
        return f'<tv.device({self.requested!r})>'

    def _resolve(self) -> None:
        self._generation = registry.generation
        self._name: DeviceName | None = None
        if self._value is None:
            self._take(None)
            return
        name = registry.inventory().read(self._value)
        if not inventory.is_complete(name):
            self._take(None)
            self._name = name
            self.requested = self.text = name.text
            return
        found = registry.resolve(self._value)
        self._take(found)
        if name.selector is not None and isinstance(found, Device):
            self.requested = name.text
            self.text = f'{name.text} took {found.short} ({inventory.describe_free(found)})'

    def _take(self, found: Device | Absent | None) -> None:
        if isinstance(found, Absent):
            self.absent: Absent | None = found
            self.device: Device | None = registry.cpu()
            self.requested = found.requested
            self.text = found.reason
        else:
            self.absent = None
            self.device = found
            self.requested = self.text = '' if found is None else found.short

    def _inside(self, state: scope.ContextState | None) -> 'DeviceScope':
        """A complete scope: this one, with its open parts from the enclosing scope."""
        outer = None if state is None else state.device_scope
        complete = DeviceScope(None, self.fallback, self.log)
        if self._name is not None and _asks_for_a_device(self._name):
            base = None if outer is None else outer.absent or outer.device
            complete._take(registry.inventory().find(self._name, base))
        elif outer is not None:
            # '' and '/job:localhost' ask for nothing new, so nothing new is said.
            complete.absent, complete.device = outer.absent, outer.device
            complete.requested, complete.text = outer.requested, outer.text
            complete.fallback = fallbacks.SILENT
        return complete

    def _accept_absence(self) -> None:
        if self.absent is not None:
            listing = registry.inventory().listing()
            fallbacks.accept(self.absent, self.fallback, listing, registry.generation)


# A scope does not change while the devices stay, so one serves all blocks of a known name.
_shared: dict[str, DeviceScope] = {}


def device(
    name: DeviceLike,
    fallback: fallbacks.Fallback | None = None,
    log: bool = False,
) -> DeviceScope:
    """Runs the operations of a ``with`` block on a device.

    Operations inside take their operands there: what lies elsewhere is copied, and the
    copy is counted. Operations that change a variable, or pick elements of one, still
    run where the variable lives. Scopes are local to a thread and to an asyncio task.
    The first scope makes the devices, after which their configuration is fixed.

    An inner scope wins. Parts that its name leaves open come from the enclosing scope:
    inside ``'CPU:1'``, the names ``''``, ``'/job:localhost'`` and ``'CPU'`` all mean
    CPU:1. Without an enclosing scope they come from the default device.

    Differs from TensorFlow: an absent device is reported; ``'GPU'`` inside ``'CPU:1'``
    is GPU:0 and not GPU:1; a negative index, another job than localhost, and any other
    name that is no device fail at the ``with`` line.

    A scope held open by a suspended generator is also seen by the code that runs the
    generator, until the generator resumes.

    Args:
        name: ``'GPU:0'``, ``'gpu:0'``, ``'/GPU:0'``, ``'/device:GPU:0'``, ``'cuda:0'``,
            ``'GPU'``, a full name; ``'GPU:auto'`` for the card with the most free memory;
            ``'GPU-<uuid>'``; a device object of this library; or None for the default
            device, whatever the enclosing scopes say.
        fallback: if the device is absent, ``'warn'`` uses ``CPU:0`` with a
            ``PlacementWarning`` (once per line of user code), ``'error'`` raises, and
            ``'silent'`` uses ``CPU:0``. None means ``'warn'``, or ``'error'`` after
            ``tv.config.set_soft_device_placement(False)``.
        log: whether to log the placements of the block, to the Python logger
            ``tensorvar.placement``.

    Returns:
        A context manager.

    Raises:
        InvalidArgumentError: the name is no device name, at once; or the device is
            absent and ``fallback`` is ``'error'``, on entering.
        FailedPreconditionError: ``name`` is a function.
        InvalidTypeError: ``log`` is no bool.

    Example:
        >>> import tensorvar as tv
        >>> with tv.device('CPU:0'):
        ...     print(tv.constant([1.0]).device)
        /job:localhost/replica:0/task:0/device:CPU:0
    """
    if fallback is not None or log is not False:
        _check_options(fallback, log)
        return DeviceScope(name, fallback, log)
    if type(name) is not str:
        return DeviceScope(name)
    shared = _shared.get(name)
    if shared is None or shared._generation != registry.generation:
        shared = DeviceScope(name)
        if name in registry.known_names:
            _shared[name] = shared
    return shared


def _check_options(fallback: object, log: object) -> None:
    if fallback is not None and fallback not in fallbacks.MODES:
        raise errors.InvalidArgumentError(
            f"[device] fallback is {fallback!r}; allowed are 'warn', 'error', 'silent' and None; "
            f'choose one of them'
        )
    if not isinstance(log, bool):
        raise errors.InvalidTypeError(
            f'[device] log is {log!r}; allowed are True and False; give one of them'
        )


def _asks_for_a_device(name: DeviceName) -> bool:
    return name.spec.device_type is not None or name.spec.device_index is not None
