"""What a forked child has to make anew, such as locks that another thread held."""

import os
from collections.abc import Callable


def in_child(function: Callable[[], None]) -> Callable[[], None]:
    """Has a function called in every forked child; where nothing forks, it does nothing.

    Args:
        function: takes nothing, and runs before the child's own code does.

    Returns:
        The function, so that this can decorate it.
    """
    if hasattr(os, 'register_at_fork'):
        os.register_at_fork(after_in_child=function)
    return function
