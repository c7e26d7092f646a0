"""Device settings: what was asked for, and the line after which it is too late.

Settings are an immutable value that is replaced as a whole, so a setting repeated with
the same value changes nothing and is allowed at any time. The registry freezes them
when the devices are first used.
"""

import dataclasses
import os
import threading
from collections.abc import Mapping
from typing import Any

from tensorvar import _fork, _sizes, errors
from tensorvar._device import call_site, spec
from tensorvar._device.physical import LogicalDeviceConfiguration, PhysicalDevice

SIMULATE_GPUS = 'TENSORVAR_SIMULATE_GPUS'
SIMULATED_GPU_MEMORY = 'TENSORVAR_SIMULATED_GPU_MEMORY'
DEFAULT_DEVICE = 'TENSORVAR_DEFAULT_DEVICE'


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """Everything that is frozen by the first use of a device.

    Attributes:
        simulated_gpus: how many GPUs to simulate; None asks the environment.
        simulated_memory: bytes of each simulated GPU; None asks the environment.
        visible: the visible physical devices of a type; a type that is missing shows all.
        logical: the logical devices of a physical one; one that is missing has one.
        limits: bytes by short device name; they win over the logical configuration.
        inter_op_threads: as set through ``threading``.
        intra_op_threads: as set through ``threading``.
    """

    simulated_gpus: int | None = None
    simulated_memory: int | None = None
    visible: Mapping[str, tuple[PhysicalDevice, ...]] = dataclasses.field(default_factory=dict)
    logical: Mapping[PhysicalDevice, tuple[LogicalDeviceConfiguration, ...]] = dataclasses.field(
        default_factory=dict
    )
    limits: Mapping[str, int | None] = dataclasses.field(default_factory=dict)
    inter_op_threads: int = 0
    intra_op_threads: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class DefaultChoice:
    """The default device asked for, and where; it may change at any time."""

    name: Any
    where: call_site.CallSite


lock = threading.RLock()
settings = Settings()
first_use: call_site.CallSite | None = None
soft_placement = True
default_choice: DefaultChoice | None = None


def change(op: str, **fields: Any) -> None:
    """Replaces some settings.

    Args:
        op: name of the public function, for the error.
        **fields: new values of fields of ``Settings``.

    Raises:
        FailedPreconditionError: a device was used already, and a value is new.
    """
    global settings
    with lock:
        changed = dataclasses.replace(settings, **fields)
        if changed == settings:
            return
        if first_use is not None:
            raise errors.FailedPreconditionError(
                f'[{op}] the devices are in use since {first_use}; device settings cannot be '
                f'modified after that; call {op} before this line, or tv.config.reset() once no '
                f'value lives'
            )
        settings = changed


def reset() -> None:
    """Forgets all settings. The registry calls this, with the lock held."""
    global settings, first_use, soft_placement, default_choice
    settings = Settings()
    first_use = None
    soft_placement = True
    default_choice = None


def simulation() -> tuple[int, int | None]:
    """How many GPUs to simulate, and the bytes of each.

    Returns:
        The count (0: use real cards) and the memory of each, None for no limit.

    Raises:
        InvalidArgumentError: an environment variable has no valid value.
    """
    count = settings.simulated_gpus
    if count is None:
        count = _count_from_environment()
    memory = settings.simulated_memory
    text = os.environ.get(SIMULATED_GPU_MEMORY, '')
    if memory is None and text:
        memory = parse_limit(SIMULATED_GPU_MEMORY, text)
    return count, memory


def default_from_environment() -> DefaultChoice | None:
    """The default device that TENSORVAR_DEFAULT_DEVICE asks for.

    Returns:
        The choice, or None if the variable is not set.

    Raises:
        InvalidArgumentError: its value is no device name.
    """
    text = os.environ.get(DEFAULT_DEVICE, '').strip()
    if not text:
        return None
    spec.parse(text, op=DEFAULT_DEVICE)
    return DefaultChoice(text, call_site.user_call_site())


def parse_limit(op: str, size: Any) -> int:
    """Reads a memory limit.

    Args:
        op: name of the public function, for the error.
        size: bytes, or text such as ``'64MiB'``.

    Returns:
        The number of bytes, at least 1.

    Raises:
        InvalidArgumentError: it is no size, or not above zero.
    """
    nbytes = _sizes.parse_bytes(op, size)
    if nbytes == 0:
        raise errors.InvalidArgumentError(
            f"[{op}] the limit is {size!r}; allowed are sizes above 0; write for instance '64MiB'"
        )
    return nbytes


def _count_from_environment() -> int:
    text = os.environ.get(SIMULATE_GPUS, '').strip()
    if not text:
        return 0
    if not text.isdecimal():
        raise errors.InvalidArgumentError(
            f'[{SIMULATE_GPUS}] the environment variable is {text!r}; allowed are whole '
            f'numbers from 0; set it to the number of GPUs to simulate, or unset it'
        )
    return int(text)


@_fork.in_child
def _renew_lock() -> None:
    global lock
    lock = threading.RLock()
