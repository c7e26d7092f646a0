"""Writes draws_reference.npz with TensorFlow's numbers.

Run with a Python that has TensorFlow 2.21, from the top of the repository:
``PYTHONPATH=. python tests/_ops/data/make_draws_reference.py``.
"""

from pathlib import Path

import numpy as np
import tensorflow as tf

from tests._ops import draw_bodies


def main() -> None:
    arrays = {}
    for body in draw_bodies.BODIES:
        tf.random.set_seed(None)
        for number, array in enumerate(draw_bodies.as_arrays(body(tf.random))):
            arrays[f'{body.__name__}.{number:04}'] = array
    np.savez_compressed(Path(__file__).with_name('draws_reference.npz'), **arrays)


if __name__ == '__main__':
    main()
