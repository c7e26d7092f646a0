"""The default device, and whether an absent device may be replaced by ``CPU:0``."""

from tensorvar import errors
from tensorvar._device import call_site, configuration, placement, registry, scope
from tensorvar._device.device_scope import DeviceLike


def current_device() -> str:
    """The device that the next operation without inputs would use here.

    Returns:
        Its full name, equal to ``tensor.device`` of the tensor that
        ``tv.zeros([])`` would make now: the innermost device scope's, else the default
        device's.

    Example:
        >>> import tensorvar as tv
        >>> with tv.device('CPU:0'):
        ...     tv.current_device() == tv.zeros([2]).device
        True
    """
    return placement.creation_device(scope.current()).full


def get_default_device() -> str:
    """The device of operations that no scope and no input decides.

    Returns:
        Its full name. Device scopes do not change it: see ``tv.current_device``.
    """
    return registry.default_device().full


def set_default_device(name: DeviceLike) -> None:
    """Chooses the device of operations that no scope and no input decides.

    It may be called at any time; before the devices are first used it does not use
    them. The environment variable TENSORVAR_DEFAULT_DEVICE does the same.

    Args:
        name: as for ``tv.device``; None for ``GPU:0`` where there is a GPU, else
            ``CPU:0`` (or what the environment variable says). An absent device is
            replaced by ``CPU:0`` with a ``PlacementWarning``.

    Raises:
        InvalidArgumentError: it is no device name; or the device is absent after
            ``set_soft_device_placement(False)``.
    """
    where = call_site.user_call_site()
    registry.choose_default(None if name is None else configuration.DefaultChoice(name, where))


def get_soft_device_placement() -> bool:
    """Whether ``CPU:0`` stands in for an absent device.

    Returns:
        True unless ``set_soft_device_placement(False)`` was called.
    """
    return configuration.soft_placement


def set_soft_device_placement(enabled: bool) -> None:
    """Decides what ``tv.device`` does about an absent device. Works at any time.

    Differs from TensorFlow: with True, the default, the replacement is reported by a
    ``PlacementWarning``, where TensorFlow says nothing.

    Args:
        enabled: True to use ``CPU:0`` and warn; False to raise. ``fallback=`` of
            ``tv.device`` wins for one scope.

    Raises:
        InvalidTypeError: it is no bool.
    """
    if not isinstance(enabled, bool):
        raise errors.InvalidTypeError(
            f'[set_soft_device_placement] {enabled!r} was given; allowed are True and False; '
            f'give one of them'
        )
    configuration.soft_placement = enabled
