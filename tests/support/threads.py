"""Work done by several threads at once."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

_SECONDS = 60


def each(work: Callable[[Any], Any], arguments: Iterable[Any]) -> None:
    """Calls a function in one thread for each argument, and waits for all.

    What a thread raises fails the test: pytest warns of it, and warnings are errors.

    Args:
        work: the function.
        arguments: what it gets, thread by thread.
    """
    threads = [threading.Thread(target=work, args=(each,), daemon=True) for each in arguments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_SECONDS)
        assert not thread.is_alive(), f'{work} has not ended after {_SECONDS} s'


def several(work: Callable[[], Any], count: int) -> None:
    """Calls a function in several threads at once; see ``each``."""
    each(lambda _: work(), range(count))
