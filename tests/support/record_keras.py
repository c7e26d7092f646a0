"""Writes tests/data/keras_optimizers.json: what the optimizers of Keras 3 do in five steps.

Run it from the top of the repository with TensorFlow 2.21 or later::

    python -m tests.support.record_keras

It is the same on every run. Gradients are rounded to float32 and hold zeros, large and
small numbers; with ``loss_scale`` they are those of a scaled loss, and one of them is not
finite.
"""

import json
import os
from pathlib import Path
from typing import Any

os.environ['KERAS_BACKEND'] = 'tensorflow'
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')

import keras
import numpy as np

PATH = Path(__file__).parents[1] / 'data' / 'keras_optimizers.json'
STEPS = 5
SHAPES = ((2, 3), (4,))
LOSS_SCALE = 8.0
NOT_FINITE = 2

# Name in the records, class in Keras, its options.
CASES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ('sgd', 'SGD', {'learning_rate': 0.1}),
    ('sgd decay', 'SGD', {'learning_rate': 0.1, 'weight_decay': 0.01}),
    ('sgd clipped', 'SGD', {'learning_rate': 0.1, 'global_clipnorm': 0.5}),
    ('sgd hardly clipped', 'SGD', {'learning_rate': 0.1, 'global_clipnorm': 1e6}),
    ('momentum', 'SGD', {'learning_rate': 0.1, 'momentum': 0.9}),
    ('nesterov', 'SGD', {'learning_rate': 0.1, 'momentum': 0.9, 'nesterov': True}),
    ('rmsprop', 'RMSprop', {'learning_rate': 0.01}),
    (
        'rmsprop momentum',
        'RMSprop',
        {'learning_rate': 0.01, 'rho': 0.8, 'momentum': 0.9, 'epsilon': 1e-5},
    ),
    ('rmsprop centered', 'RMSprop', {'learning_rate': 0.01, 'centered': True}),
    (
        'rmsprop centered momentum',
        'RMSprop',
        {
            'learning_rate': 0.01,
            'rho': 0.95,
            'momentum': 0.5,
            'epsilon': 1e-3,
            'centered': True,
            'weight_decay': 0.004,
        },
    ),
    ('adagrad', 'Adagrad', {'learning_rate': 0.1}),
    ('adam', 'Adam', {'learning_rate': 0.01}),
    ('adam clipped', 'Adam', {'learning_rate': 0.01, 'global_clipnorm': 0.5}),
    ('adam scaled', 'Adam', {'learning_rate': 0.01}),
    ('amsgrad', 'Adam', {'learning_rate': 0.01, 'beta_1': 0.8, 'beta_2': 0.99, 'amsgrad': True}),
    ('adamw', 'AdamW', {'learning_rate': 0.01}),
    ('lion', 'Lion', {'learning_rate': 0.01}),
    (
        'lion decay',
        'Lion',
        {'learning_rate': 0.01, 'beta_1': 0.95, 'beta_2': 0.98, 'weight_decay': 0.1},
    ),
)


def drawn() -> tuple[list[np.ndarray], list[list[np.ndarray]]]:
    """Parameters, and the gradients of each step, in float32."""
    generator = np.random.default_rng(20)
    parameters = [np.round(generator.uniform(-2, 2, shape), 4) for shape in SHAPES]
    gradients = []
    for _ in range(STEPS):
        row = [
            np.round(generator.uniform(-1, 1, shape), 4)
            * 10.0 ** generator.integers(-3, 2, shape)
            * (generator.random(shape) > 0.1)
            for shape in SHAPES
        ]
        gradients.append([each.astype(np.float32) for each in row])
    return [each.astype(np.float32) for each in parameters], gradients


def record(name: str, kind: str, options: dict[str, Any], dtype: str) -> dict[str, Any]:
    """Runs an optimizer."""
    parameters, gradients = drawn()
    variables = [
        keras.Variable(each.astype(dtype), dtype=dtype, name=f'v{number}')
        for number, each in enumerate(parameters)
    ]
    optimizer = inner = getattr(keras.optimizers, kind)(**options)
    if name == 'adamw':
        inner.exclude_from_weight_decay(var_list=[variables[1]])
    scaled = name.endswith('scaled')
    if scaled:
        optimizer = keras.optimizers.LossScaleOptimizer(inner, initial_scale=LOSS_SCALE)
    after = []
    for step, row in enumerate(gradients):
        given = [each.astype(dtype) for each in row]
        if scaled and step == NOT_FINITE:
            given[0].flat[1] = np.inf
        optimizer.apply(list(map(keras.ops.convert_to_tensor, given)), variables)
        after.append([written(variable) for variable in variables])
    slots: dict[str, list[Any]] = {}
    for variable in inner.variables:
        label = variable.path.rpartition('/')[2]
        if label.startswith(('v0_', 'v1_')):
            slots.setdefault(label[3:], []).append(written(variable))
    return {
        'name': name,
        'dtype': dtype,
        'options': options,
        'scaled': scaled,
        'steps': int(inner.iterations),
        'parameters': after,
        'slots': slots,
    }


def written(array: Any) -> list[Any]:
    """The shortest numbers that give the values back, or the word for what is none."""
    values = np.asarray(array).reshape(-1)
    return [float(str(value)) if np.isfinite(value) else str(value) for value in values]


def main() -> None:
    parameters, gradients = drawn()
    records = [record(*case, dtype) for case in CASES for dtype in ('float32', 'float64')]
    head = {
        'keras': keras.__version__,
        'shapes': SHAPES,
        'loss_scale': LOSS_SCALE,
        'not_finite': NOT_FINITE,
        'parameters': [written(each) for each in parameters],
        'gradients': [[written(each) for each in row] for row in gradients],
    }
    lines = ',\n'.join(json.dumps(each) for each in records)
    start = json.dumps(head, indent=None)[:-1]
    PATH.write_text(f'{start},\n"records": [\n{lines}\n]}}\n')


if __name__ == '__main__':
    main()
