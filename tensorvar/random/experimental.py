"""TensorFlow's ``tf.random.experimental`` names for what ``tv.random`` does."""

from tensorvar import _left_out
from tensorvar._ops.generator_state import create_rng_state
from tensorvar._ops.random_generator import Generator, get_global_generator, set_global_generator
from tensorvar._ops.stateless_random import Algorithm, stateless_shuffle
from tensorvar._ops.stateless_random import fold_in as stateless_fold_in
from tensorvar._ops.stateless_random import split as stateless_split

__all__ = [
    'Algorithm',
    'Generator',
    'create_rng_state',
    'get_global_generator',
    'set_global_generator',
    'stateless_fold_in',
    'stateless_shuffle',
    'stateless_split',
]

_left_out.install(__name__, __all__)
