"""Freed memory of arrays stays with the process, for the arrays that come next.

glibc's allocator gives freed memory back beyond a threshold, and the system clears each
page that is asked for again: where a few arrays of 1 MB come and go, as in the gradient of
a softmax, that takes five times as long as computing them. The threshold follows the
largest block that was ever freed, up to 32 MiB, so it depends on what a program has done
before. Freeing one such block, which costs nothing as nobody touches it, settles it.

Up to 62 MiB may stay with the process in this way. Who sets ``MALLOC_TRIM_THRESHOLD_`` or
``MALLOC_MMAP_THRESHOLD_`` in the environment decides instead; other allocators do as ever.
"""

import numpy as np

_LARGEST_THRESHOLD = 31 << 20


def keep_freed() -> None:
    """Raises the allocator's thresholds."""
    np.empty(_LARGEST_THRESHOLD, np.uint8)
