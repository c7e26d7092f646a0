"""Writes the figures of the last run into README.md: ``python -m benchmarks.readme_table``.

What stands between the two marks is made from the newest file in ``benchmarks/results/``,
so that no figure is typed by hand; a test compares them.
"""

import statistics
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import results
from benchmarks.contender import ROOT

README = ROOT / 'README.md'
BEGIN = '<!-- made by `python -m benchmarks.readme_table` -->\n'
END = '<!-- end of what is made -->\n'

NAMES = {
    'tensorvar': 'tensorvar',
    'tensorflow': 'TensorFlow',
    'torch': 'PyTorch',
    'jax': 'JAX',
    'numpy': 'NumPy',
}


class Row(NamedTuple):
    """A row of the README.

    Attributes:
        text: what it is called there.
        family: where it was measured.
        case: its name there.
    """

    text: str
    family: str
    case: str


ROWS = (
    Row('`v.assign_add(x)`, 2 elements', 'calls', 'assign_add of 2'),
    Row('`a * b`, 2 elements', 'calls', 'a * b of 2'),
    Row('`matmul`, 2x2', 'calls', 'matmul of 2x2'),
    Row('variable from a list', 'calls', 'a variable from a list of 2'),
    Row('gradient of `x**2 + y**2`', 'calls', 'gradient of x^2 + y^2'),
    Row('entering a device scope', 'calls', 'entering a device'),
    Row('step of a 64-128-10 network, batch 1', 'step', 'batch 1, eager'),
    Row('- batch 32', 'step', 'batch 32, eager'),
    Row('- batch 256', 'step', 'batch 256, eager'),
    Row('- batch 4,096', 'step', 'batch 4096, eager'),
    Row('the same as a function, batch 1', 'step', 'batch 1, function'),
    Row('- batch 32', 'step', 'batch 32, function'),
    Row('- batch 32, compiled', 'step', 'batch 32, compiled'),
    Row('- batch 256', 'step', 'batch 256, function'),
    Row('- batch 4,096', 'step', 'batch 4096, function'),
    Row('chain of 100 additions', 'growth', 'chain of 100, eager'),
    Row('- as a function', 'growth', 'chain of 100, function'),
    Row('gradient of 1,000 operations', 'growth', 'tape of 1,000, eager'),
    Row('1,000 updates of small variables', 'function', '1,000 updates of 4, eager'),
    Row('- as a function', 'function', '1,000 updates of 4, function'),
    Row('function with a branch on a value', 'function', 'branch on a value, function'),
    Row('gather of 1,024 rows of 64', 'embedding', 'gather'),
    Row('`scatter_add` of 1,024 rows of 64', 'embedding', 'scatter_add'),
    Row('gradient of a gather, and update', 'embedding', 'gradient of gather, and update'),
    Row('cross-entropy of 256 x 1,000', 'loss', 'cross-entropy, eager'),
    Row('- and its gradient', 'loss', 'cross-entropy and gradient, eager'),
    Row('- and its gradient, as a function', 'loss', 'cross-entropy and gradient, function'),
    Row('`v.assign_add(x)`, 64 MB', 'large', 'assign_add'),
    Row('`matmul`, 1024x1024', 'large', '1024x1024 @ 1024x1024'),
    Row('a process that imports it', 'import', 'a process that imports it'),
)

GROWTH = {
    'eager operation of a chain': 'chain of {}, eager',
    'operation of a function': 'chain of {}, function',
    'operation of a tape and its gradient': 'tape of {}, eager',
}
LENGTHS = (10, 100, 1_000, 10_000)
MEMORY = ('step', 'growth', 'function', 'embedding', 'loss', 'large')


def block(result: dict[str, Any]) -> str:
    """The README's tables of a run."""
    names = [name for name in NAMES if name in result['versions']]
    parts = (_head(result), _times(result, names), _growth(result), _memory(result, names))
    return '\n'.join(parts)


def rewritten(readme: str, result: dict[str, Any]) -> str:
    """The README with the tables of a run.

    Raises:
        ValueError: a mark is missing.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f'README.md has no {BEGIN.strip()} ... {END.strip()}')
    return f'{before}{begin}\n{block(result)}\n{end}{after}'


def _head(result: dict[str, Any]) -> str:
    machine, effort = result['machine'], result['effort']
    versions = ', '.join(
        f'{NAMES[name]} {version}'
        for name, version in result['versions'].items()
        if name in NAMES and name != results.OURS
    )
    return (
        f'Time per call, {result["date"]}, on {machine["cores"]} cores of {machine["processor"]}.\n'
        f'{versions}, Python {machine["python"]}.\n'
        f'Medians of {effort["rounds"]} interleaved rounds. Behind each time stands how many '
        'times that of tensorvar\nit is: where another is faster it is **bold**, and within '
        '5 % it is a tie.\n'
    )


def _times(result: dict[str, Any], names: list[str]) -> str:
    rows = [['', *(NAMES[name] for name in names)]]
    for row in ROWS:
        rounds = result['families'][row.family]['seconds'][row.case]
        rows.append([row.text, *(_cell(rounds, name) for name in names)])
    return _markdown(rows)


def _cell(rounds: results.Rounds, name: str) -> str:
    if name not in rounds:
        return '-'
    time = results.readable(statistics.median(rounds[name]))
    figure = results.ratio(rounds, name)
    if name == results.OURS or figure is None:
        return time
    if abs(figure - 1) <= results.TIE:
        return f'{time}, tie'
    text = f'{time}, x{_two(figure)}'
    return f'**{text}**' if figure < 1 else text


def _two(figure: float) -> str:
    return f'{figure:,.0f}' if figure >= 10 else f'{figure:.2g}'


def _growth(result: dict[str, Any]) -> str:
    rows = [['tensorvar, by how much there is', *(f'{length:,}' for length in LENGTHS)]]
    seconds = result['families']['growth']['seconds']
    for text, case in GROWTH.items():
        times = [seconds.get(case.format(f'{length:,}')) for length in LENGTHS]
        rows.append([text, *map(_each, times, LENGTHS)])
    for text, counts in result['bounds'].items():
        rows.append([text, *(f'{counts[str(length)]:,}' for length in LENGTHS)])
    return _markdown(rows)


def _each(rounds: results.Rounds | None, length: int) -> str:
    if rounds is None:
        return '-'
    return results.readable(statistics.median(rounds[results.OURS]) / length)


def _memory(result: dict[str, Any], names: list[str]) -> str:
    families = result['families']
    rows = [['memory of the process', *(NAMES[name] for name in names)]]
    start = families[MEMORY[0]]['memory']
    rows.append(
        ['the library loaded', *(results.megabytes(start[name]['start']) for name in names)]
    )
    for family in MEMORY:
        memory = families[family]['memory']
        rows.append([
            f'`bench_{family}`, beyond that',
            *(results.growth(memory.get(name, {})) for name in names),
        ])  # fmt: skip
    return _markdown(rows)


def _markdown(rows: list[list[str]]) -> str:
    head, *body = [f'| {" | ".join(row)} |' for row in rows]
    rule = f'|{"---|" * len(rows[0])}'
    return '\n'.join([head, rule, *body, ''])


def main(readme: Path = README, folder: Path = results.FOLDER) -> None:
    """Rewrites the README.

    Raises:
        SystemExit: there is no run yet.
    """
    newest = results.newest(folder)
    if newest is None:
        raise SystemExit(f'no run in {folder}; make one: make bench-peers')
    readme.write_text(rewritten(readme.read_text(), results.load(newest)))
    print(f'{readme} shows {newest.name}')


if __name__ == '__main__':
    main()
