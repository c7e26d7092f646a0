"""Writes random_reference.npz: what TensorFlow's random functions give on its CPU.

Run it from the top of the repository with TensorFlow 2.21 or later::

    python -m tests._ops.data.make_random_reference
"""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

from tests._ops import random_bodies


def main() -> None:
    kept = {
        f'{body.__name__}.{position:03d}': array
        for body in random_bodies.BODIES
        for position, array in enumerate(random_bodies.as_arrays(body(tf)))
    }
    path = Path(__file__).with_name('random_reference.npz')
    np.savez_compressed(path, **kept)
    sys.stdout.write(f'{len(kept)} arrays of TensorFlow {tf.__version__} in {path.name}\n')


if __name__ == '__main__':
    main()
