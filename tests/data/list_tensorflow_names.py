"""Writes tensorflow_public_names.txt: the public names of TensorFlow.

Of namespaces that the library has too, what they hold is listed; of all others, such as
``tf.keras``, the name alone. Run it from the top of the repository with TensorFlow 2.21
or later::

    python -m tests.data.list_tensorflow_names
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf

OPENED = (
    'autodiff', 'bitwise', 'config', 'config.experimental', 'config.optimizer',
    'config.threading', 'debugging', 'debugging.experimental', 'dtypes',
    'dtypes.experimental', 'errors', 'experimental', 'experimental.dlpack', 'linalg',
    'linalg.experimental', 'math', 'math.special', 'nest', 'nn', 'nn.experimental', 'random',
    'random.experimental', 'signal', 'version',
)  # fmt: skip


def public_names(module: Any, prefix: str = '') -> Iterator[str]:
    """The names that a namespace and the namespaces in it hold."""
    for name in dir(module):
        if name.startswith('_'):
            continue
        full = f'{prefix}{name}'
        yield full
        if full in OPENED:
            yield from public_names(getattr(module, name), f'{full}.')


def main() -> None:
    names = sorted(public_names(tf))
    path = Path(__file__).with_name('tensorflow_public_names.txt')
    path.write_text(''.join(f'{name}\n' for name in names))
    sys.stdout.write(f'{len(names)} names of TensorFlow {tf.__version__} in {path.name}\n')


if __name__ == '__main__':
    main()
