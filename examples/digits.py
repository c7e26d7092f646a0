"""Trains a classifier of handwritten digits and shows where everything happened.

The variables live on CPU:0 and the computation runs on GPU:0: a real card where there
is one, else a simulated one. The 1,797 images of 8 x 8 pixels come with scikit-learn.

    python examples/digits.py [--output FOLDER]
"""

import argparse
import importlib.util
import time
from pathlib import Path

import numpy as np
import rich.progress

import tensorvar as tv

EPOCHS = 20
BATCH = 64
LEARNING_RATE = 0.3
VALIDATION = TEST = 300


class Classifier(tv.Module):
    """Two dense layers, 64 pixels to 10 classes, with their variables on CPU:0."""

    def __init__(self, hidden: int = 64) -> None:
        super().__init__(name='classifier')
        with tv.device('CPU:0'), self.name_scope:
            self.hidden = dense(64, hidden, 'hidden')
            self.output = dense(hidden, 10, 'output')

    def __call__(self, images: tv.Tensor) -> tv.Tensor:
        """Logits of a batch of images."""
        weights, bias = self.hidden
        features = tv.nn.relu(images @ weights + bias)
        weights, bias = self.output
        return features @ weights + bias


def dense(inputs: int, outputs: int, name: str) -> tuple[tv.Variable, tv.Variable]:
    """The variables of one layer."""
    deviation = (2 / inputs) ** 0.5
    weights = tv.random.normal([inputs, outputs], stddev=deviation)
    return (
        tv.Variable(weights, name=f'{name}/weights'),
        tv.Variable(tv.zeros([outputs]), name=f'{name}/bias'),
    )


def choose_gpu() -> bool:
    """Simulates GPU:0 if there is no real one; says which it is, and returns whether."""
    why = tv.config.why_no_gpu()
    if why:
        tv.config.simulate_gpus(1)
    card = tv.config.list_physical_devices('GPU')[0]
    if card.simulated:
        reason = f' ({why})' if why else ''
        print(f'GPU:0 is SIMULATED: NumPy computes for it, so no speed is shown{reason}')
    else:
        print(f'GPU:0 is a real card: {tv.config.get_device_details(card)["device_name"]}')
    return card.simulated


def load_data(shuffle: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
    """Images and labels, shuffled, as training, validation and test set."""
    # sklearn.datasets.load_digits reads this file, too, after a second of imports.
    package = importlib.util.find_spec('sklearn')
    if package is None:
        raise SystemExit('scikit-learn is missing; run: pip install scikit-learn')
    file = Path(package.origin).parent / 'datasets' / 'data' / 'digits.csv.gz'
    rows = shuffle.permutation(np.loadtxt(file, delimiter=','))
    images, labels = rows[:, :-1] / 16, rows[:, -1].astype(np.int64)
    edges = [len(images) - VALIDATION - TEST, len(images) - TEST]
    return list(zip(np.split(images, edges), np.split(labels, edges), strict=True))


def train_step(model: Classifier, images: np.ndarray, labels: np.ndarray) -> tv.Tensor:
    """One step of gradient descent; returns the loss."""
    with tv.device('GPU:0'), tv.GradientTape() as tape:
        logits = model(tv.constant(images, tv.float32))
        losses = tv.nn.sparse_softmax_cross_entropy_with_logits(tv.constant(labels), logits)
        loss = tv.reduce_mean(losses)
    # A backward op runs where its forward op ran, and an assign where its variable lives.
    gradients = tape.gradient(loss, model.trainable_variables)
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        variable.assign_sub(LEARNING_RATE * gradient)
    return loss


def accuracy(model: Classifier, images: np.ndarray, labels: np.ndarray) -> float:
    """The share of images that are classified correctly, computed batch by batch."""
    correct = 0
    for start in range(0, len(images), BATCH):
        with tv.device('GPU:0'):
            logits = model(tv.constant(images[start : start + BATCH], tv.float32))
            classes = tv.argmax(logits, axis=1).numpy()
        correct += np.sum(classes == labels[start : start + BATCH])
    return correct / len(images)


def train(
    model: Classifier,
    training: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    shuffle: np.random.Generator,
) -> int:
    """Trains for all epochs behind a progress bar; returns the number of steps."""
    images, labels = training
    batches = range(0, len(images), BATCH)
    columns = (
        '[progress.description]{task.description}',
        rich.progress.BarColumn(),
        rich.progress.MofNCompleteColumn(),
        'steps  {task.fields[state]}',
    )
    with rich.progress.Progress(*columns) as progress:
        task = progress.add_task('training', total=EPOCHS * len(batches), state='')
        for _ in range(EPOCHS):
            order = shuffle.permutation(len(images))
            for start in batches:
                chosen = order[start : start + BATCH]
                loss = train_step(model, images[chosen], labels[chosen])
                progress.advance(task)
            state = f'loss {loss.numpy():.3f}  validation {accuracy(model, *validation):.1%}'
            progress.update(task, state=state)
    return EPOCHS * len(batches)


def print_memory() -> None:
    """What each device holds, and the most it has held."""
    print('Memory of each device')
    for device in tv.config.list_logical_devices():
        memory = tv.config.get_memory_info(device)
        name = device.name.removeprefix('/device:') + (' (simulated)' if device.simulated else '')
        now, peak = memory['current'] / 1024, memory['peak'] / 1024
        print(f'  {name:<18}{now:9,.1f} KiB now {peak:9,.1f} KiB at most')


def main() -> None:
    """Trains, tests, and shows and writes what was placed and copied where."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--output', type=Path, default=Path('output'), help='default: ./output')
    output = parser.parse_args().output

    simulated = choose_gpu()
    tv.random.set_seed(1)
    shuffle = np.random.default_rng(1)
    training, validation, test = load_data(shuffle)
    model = Classifier()
    with tv.debugging.record_placement() as log:
        start = time.perf_counter()
        steps = train(model, training, validation, shuffle)
        seconds = time.perf_counter() - start
        test_accuracy = accuracy(model, *test)
    if not simulated:
        print(f'{steps / seconds:,.0f} steps per second, with every placement recorded')
    print(f'test accuracy: {test_accuracy:.1%} of {len(test[0])} images\n')

    print(f'{log.summary()}\n')
    print_memory()
    output.mkdir(parents=True, exist_ok=True)
    log.to_jsonl(output / 'placements.jsonl')
    log.to_chrome_trace(output / 'placements.trace.json')
    print(f'\nwritten: {output}/placements.jsonl (every placement and copy, as JSON lines)')
    print(f'         {output}/placements.trace.json (open it at https://ui.perfetto.dev)')


if __name__ == '__main__':
    main()
