"""Whether every ``tv.function`` runs its Python function instead of a plan."""

eager = False


def run_functions_eagerly(run_eagerly: bool) -> None:
    """Makes every ``tv.function`` call its Python function as it is, for debugging.

    Args:
        run_eagerly: True for that; False to trace and replay again.
    """
    global eager
    eager = bool(run_eagerly)


def functions_run_eagerly() -> bool:
    """Whether ``run_functions_eagerly(True)`` is in force."""
    return eager
