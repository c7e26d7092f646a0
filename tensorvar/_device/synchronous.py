"""The switch that makes every op wait for its device."""

from tensorvar._device import switches


def set_synchronous(enabled: bool) -> None:
    """Makes every op wait until its device is done, so that errors show at once.

    Values that ops on a GPU would have to wait for are checked, too: indices, labels,
    divisors, whether a matrix is singular.

    Args:
        enabled: whether to wait. On the CPU and on simulated GPUs nothing is ever
            under way, so nothing changes there.
    """
    switches.set_switch(switches.SYNCHRONOUS, enabled)


def get_synchronous() -> bool:
    """Whether every op waits for its device."""
    return switches.is_on(switches.SYNCHRONOUS)
