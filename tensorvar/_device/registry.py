"""The devices of this process: found, configured and made on first use.

Nothing happens at import. The first function that needs a logical device makes them
all, gives each its backend, freezes the configuration and remembers the line of user
code. The layer above registers how to find cards and how to make backends.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tensorvar._device import call_site, configuration, fallback, layout, reset_checks, spec
from tensorvar._device.device import GPU, Device, intern
from tensorvar._device.inventory import Absent, Inventory, is_complete
from tensorvar._device.physical import Discovery, PhysicalDevice, PhysicalGpu, simulated_gpu

BackendFactory = Callable[[Device, int | None, bool], Any]
GpuDiscovery = Callable[[], Discovery]
LiveValues = Callable[[Device | None], list[str]]
PeerRoutes = Callable[[Sequence[int]], Mapping[tuple[int, int], str]]

_SET_DEFAULT = 'set_default_device'


def _no_discovery() -> Discovery:
    return Discovery((), 'no GPU backend is registered')


def _no_backend(one: Device, limit: int | None, several: bool) -> None:
    return None


def _no_values(one: Device | None) -> list[str]:
    return []


def _no_routes(ordinals: Sequence[int]) -> dict[tuple[int, int], str]:
    return {(one, other): 'unknown' for one in ordinals for other in ordinals}


_make_backend: BackendFactory = _no_backend
_discover: GpuDiscovery = _no_discovery
_discovered: Discovery | None = None
_inventory: Inventory | None = None
live_values: LiveValues = _no_values
peer_routes: PeerRoutes = _no_routes
generation = 0
# Complete names that were looked up before: a device scope costs one dictionary look-up.
known_names: dict[str, Device] = {}


def set_backend_factory(factory: BackendFactory) -> None:
    """Registers how backends are made.

    Args:
        factory: called with the device, its limit in bytes or None, and whether other
            logical devices share its physical device; must not touch the device yet.
    """
    global _make_backend
    _make_backend = factory


def set_gpu_discovery(function: GpuDiscovery) -> None:
    """Registers how cards are found.

    Args:
        function: returns the cards, or why there are none; called at most once per
            configuration, and not at all where GPUs are simulated.
    """
    global _discover, _discovered
    _discover = function
    _discovered = None


def set_live_values(callback: LiveValues) -> None:
    """Registers who knows the living values.

    Args:
        callback: called with a device, or None for all; returns one line per living
            value, such as ``'w (2, 3) float32 24 B on GPU:0, created at train.py:12'``.
    """
    global live_values
    live_values = callback


def set_peer_routes(function: PeerRoutes) -> None:
    """Registers who knows how cards are connected.

    Args:
        function: called with CUDA's numbers of cards; returns (source, destination) ->
            ``'peer'``, ``'staged'``, ``'broken'`` or ``'unknown'``.
    """
    global peer_routes
    peer_routes = function


def gpus() -> Discovery:
    """The cards, without making logical devices or a CUDA context.

    Returns:
        The simulated ones if any are configured, else the real ones.
    """
    global _discovered
    with configuration.lock:
        count, memory = configuration.simulation()
        if count:
            return Discovery(tuple(simulated_gpu(index, memory) for index in range(count)))
        if _discovered is None:
            _discovered = _discover()
        return _discovered


def physical_devices() -> tuple[PhysicalDevice, ...]:
    """All physical devices, the CPU first."""
    return layout.physical_devices(gpus().gpus)


def card(physical: PhysicalDevice) -> PhysicalGpu | None:
    """The card of a physical device; None on the CPU."""
    found = gpus().gpus
    return dict(zip(layout.physical_devices(found)[1:], found, strict=True)).get(physical)


def is_initialised() -> bool:
    """Whether the logical devices have been made."""
    return _inventory is not None


def expected() -> Inventory:
    """The devices that the first use would make now; they have no backend yet."""
    found = gpus()
    slots = layout.logical_slots(configuration.settings, found.gpus)
    return Inventory(tuple(map(_describe_device, slots)), _why_no_gpu(found))


def inventory() -> Inventory:
    """The logical devices; made by the first call, which freezes the configuration."""
    return _inventory or _initialise()


def devices() -> tuple[Device, ...]:
    """All logical devices, CPUs first."""
    return (_inventory or _initialise()).devices


def lookup(kind: str, index: int) -> Device | None:
    """The logical device of that kind and index, or None."""
    return (_inventory or _initialise()).lookup(kind, index)


def cpu() -> Device:
    """``CPU:0``."""
    return (_inventory or _initialise()).devices[0]


def default_device() -> Device:
    """The device of ops that no scope and no input decides."""
    return (_inventory or _initialise()).default


def why_no_gpu() -> str:
    """Why there is no GPU.

    Returns:
        The reason and what to install or change; empty if there is a GPU.
    """
    return _why_no_gpu(gpus())


def resolve(name: Any, outer: Device | Absent | None = None, op: str = 'device') -> Device | Absent:
    """Finds the device that a user named.

    Args:
        name: a name, a device object of this library, or None for the default device.
        outer: gives the parts that the name leaves open; None for the default device.
        op: name of the public function, for the error.

    Returns:
        The device, or why it is absent.

    Raises:
        InvalidArgumentError: it is no device name.
    """
    if name is None:
        return default_device()
    if type(name) is str and name in known_names:
        return known_names[name]
    now = inventory()
    parsed = now.read(name, op)
    found = now.find(parsed, outer, op)
    # 'GPU:auto' may find another card next time.
    lasting = parsed.selector is None and is_complete(parsed)
    if type(name) is str and lasting and isinstance(found, Device):
        known_names[name] = found
    return found


def require(op: str, name: Any) -> Device:
    """Finds the device that a user named, and insists on it.

    Args:
        op: name of the public function, for the error.
        name: as for ``resolve``.

    Returns:
        The device.

    Raises:
        InvalidArgumentError: it is no device name, or the device is absent.
    """
    found = resolve(name, op=op)
    if isinstance(found, Absent):
        raise fallback.absent_error(op, found, inventory().listing())
    return found


def choose_default(choice: configuration.DefaultChoice | None) -> None:
    """Replaces the default device, at once or as soon as there are devices.

    Args:
        choice: the device asked for; None for ``GPU:0`` where there is one.

    Raises:
        InvalidArgumentError: it is no device name; or absent, without soft placement.
    """
    with configuration.lock:
        if _inventory is not None:
            _inventory.default = _default(_inventory, choice)
        elif choice is not None and isinstance(choice.name, str):
            spec.parse(choice.name, op=_SET_DEFAULT)
        configuration.default_choice = choice


def reset() -> None:
    """Forgets the configuration; the next use of a device finds and makes all anew.

    Raises:
        FailedPreconditionError: values live on a device, or a device scope is open.
    """
    global _inventory, _discovered, generation
    with configuration.lock:
        if _inventory is not None:
            reset_checks.refuse_open_scope()
            reset_checks.refuse_living_values(_inventory.devices, live_values(None))
            for one in _inventory.devices:
                one.simulated, one.physical = False, None
                if one.backend is not None:
                    one.backend.release_memory()
        configuration.reset()
        _inventory = None
        _discovered = None
        known_names.clear()
        generation += 1


def _initialise() -> Inventory:
    global _inventory
    with configuration.lock:
        if _inventory is not None:
            return _inventory
        slots = layout.logical_slots(configuration.settings, gpus().gpus)
        made = expected()
        for one, slot in zip(made.devices, slots, strict=True):
            one.backend = _make_backend(one, slot.limit, slot.several)
        made.default = _default(made, configuration.default_choice)
        configuration.first_use = call_site.user_call_site()
        _inventory = made
        return made


def _describe_device(slot: layout.Slot) -> Device:
    one = intern(slot.kind, slot.index)
    one.physical = slot.gpu
    one.simulated = slot.gpu is not None and slot.gpu.simulated
    return one


def _why_no_gpu(found: Discovery) -> str:
    if not found.gpus:
        return found.why
    shown = layout.visible_devices(configuration.settings, found.gpus)
    if any(one.device_type == GPU for one in shown):
        return ''
    return 'tv.config.set_visible_devices hides every GPU'


def _default(now: Inventory, choice: configuration.DefaultChoice | None) -> Device:
    automatic = now.lookup(GPU, 0) or now.devices[0]
    choice = choice or configuration.default_from_environment()
    if choice is None:
        return automatic
    found = now.find(now.read(choice.name, _SET_DEFAULT), automatic, _SET_DEFAULT)
    if isinstance(found, Device):
        return found
    fallback.accept(found, None, now.listing(), generation, choice.where)
    return now.devices[0]
