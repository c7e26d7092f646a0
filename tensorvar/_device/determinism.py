"""Whether ops on a GPU have to give the same result on every run."""

enabled = False


def enable_op_determinism() -> None:
    """Makes ops give the same result, to the last bit, on every run on one machine.

    The CPU does so in any case. On a GPU, values that meet in one place (duplicate indices
    of ``scatter_*``, gradients of ``gather``) are added in the order of their positions
    from now on, which takes longer; an op that has no such form there raises
    ``UnimplementedError`` and names the CPU. There is no way back, as in TensorFlow.

    Differs from TensorFlow: draws without a seed are not refused; call
    ``tv.random.set_seed``.
    """
    set_enabled(True)


def set_enabled(on: bool) -> None:
    """Turns the setting on or off, for all threads."""
    global enabled
    enabled = on
