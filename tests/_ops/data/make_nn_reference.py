"""Writes nn_reference.npz: what TensorFlow's ``nn`` functions give on its CPU.

Run it from the top of the repository with TensorFlow 2.21 or later::

    python -m tests._ops.data.make_nn_reference
"""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import tensorflow as tf

from tests._ops import nn_bodies


def main() -> None:
    names = {name: getattr(tf.nn, name) for name in dir(tf.nn) if not name.startswith('_')}
    names['normalize'] = tf.linalg.normalize
    names['stateless_dropout'] = tf.nn.experimental.stateless_dropout
    nn = SimpleNamespace(**names)
    kept = {
        f'{body.__name__}.{position:03d}': array
        for body in nn_bodies.BODIES
        for position, array in enumerate(nn_bodies.as_arrays(tf, body(tf, nn)))
    }
    path = Path(__file__).with_name('nn_reference.npz')
    np.savez_compressed(path, **kept)
    sys.stdout.write(f'{len(kept)} arrays of TensorFlow {tf.__version__} in {path.name}\n')


if __name__ == '__main__':
    main()
