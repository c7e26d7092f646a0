"""Runs products with operands flush against forbidden pages, built with UBSan.

``python -m tests.support.sm90_guard <cache folder>`` ends with 0 if all is well; see
``kernel_guard``.
"""

import functools
import pathlib
import sys

import numpy as np

from tensorvar._cuda import cache, host_emulation, sm90_tiles
from tests.support import kernel_guard, sm90_cases
from tests.support.sm90_cases import Case, Kind

KINDS = (
    Kind('bfloat16', 'bfloat16', 'nn', sm90_tiles.Tile(128, 128, 2)),
    Kind('float32', 'float32', 'tn', sm90_tiles.Tile(64, 64), 'gelu'),
)
SIZES = ((200, 136, 200), (65, 67, 69))


def place(nbytes: int, *, at_end: bool) -> np.ndarray:
    """Memory next to a page that must not be touched, at a multiple of 16."""
    rounded = nbytes + -nbytes % sm90_cases.UNIT
    return kernel_guard.guarded(np.zeros(rounded, np.uint8), at_end=at_end)[:nbytes]


def main(folder: str) -> int:
    """Runs every case in every order; the exit status."""
    kept = cache.Cache(pathlib.Path(folder))
    target = host_emulation.HostTarget(kept, flags=host_emulation.SANITIZE)
    orders: tuple[host_emulation.Order, ...] = ('forward', 'reverse', 'random')
    for kind in KINDS:
        kernels = sm90_cases.kernels_for(target, kind)
        for number, size in enumerate(SIZES):
            batch = 'several' if number % 2 else 'one'
            for at_end in (True, False):
                product = sm90_cases.Product(
                    Case(kind, size, batch, bias=True),
                    np.random.default_rng(number),
                    functools.partial(place, at_end=at_end),
                )
                for target.order in orders:
                    product.run(kernels)
                    product.check(target.order)
    return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
