"""Runs programs on TensorFlow and keeps what came out.

TensorFlow aborts the process on some wrong calls, so programs run in a child: the one
that kills it is dropped and named, and a new child goes on behind it.
"""

import gzip
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.agreement import interpreter, outcome, table
from benchmarks.agreement.syntax import Program

KEPT = Path(__file__).parent / 'data' / 'recorded.json.gz'


def record(programs: list[Program], folder: Path) -> dict[str, Any]:
    """Outcomes of all programs, as the kept file has them.

    Args:
        programs: what to run.
        folder: where to put the files that the children read and write.
    """
    source, target = folder / 'programs.json', folder / 'outcomes.jsonl'
    source.write_text(json.dumps(programs))
    target.write_text('')
    killers: list[str] = []
    done = 0
    while done < len(programs):
        child_of = [sys.executable, '-m', 'benchmarks.agreement.recorder']
        command = [*child_of, str(source), str(target), str(done)]
        quiet = {**os.environ, 'TF_CPP_MIN_LOG_LEVEL': '3', 'CUDA_VISIBLE_DEVICES': '-1'}
        child = subprocess.run(command, env=quiet, stderr=subprocess.PIPE, check=False)
        reached = len(target.read_text().splitlines())
        if reached == len(programs):
            break
        if child.returncode > 0:
            raise RuntimeError(child.stderr.decode()[-2000:])
        killers.append(programs[reached]['name'])
        with target.open('a') as lines:
            lines.write('null\n')
        done = reached + 1
    outcomes = [json.loads(line) for line in target.read_text().splitlines()]
    pairs = [
        [program, result] for program, result in zip(programs, outcomes, strict=True) if result
    ]
    return {'killers': killers, 'gradients': gradients(pairs), 'programs': pairs}


def gradients(pairs: list[list[Any]]) -> dict[str, bool]:
    """Whether TensorFlow has a gradient, by row: some gradient program gave an array."""
    found: dict[str, bool] = {}
    for program, result in pairs:
        if program['name'].endswith('/gradient'):
            has = outcome.ends_in_values(result) and any(item[0] != 'python' for item in result[1])
            found[program['row']] = found.get(program['row'], False) or has
    return found


def save(recorded: dict[str, Any], path: Path) -> None:
    """Writes the kept file; the same data gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(recorded, separators=(',', ':')).encode()
    with path.open('wb') as raw, gzip.GzipFile('', 'wb', 9, raw, mtime=0) as packed:
        packed.write(text)


def load(path: Path) -> dict[str, Any]:
    """Reads a kept file."""
    with gzip.open(path) as packed:
        recorded: dict[str, Any] = json.loads(packed.read())
    return recorded


def figures(recorded: dict[str, Any]) -> Iterator[str]:
    """What the record says of the table: its success rate and where it is wrong."""
    pairs = recorded['programs']
    ended = sum(outcome.ends_in_values(result) for _, result in pairs)
    share = ended / len(pairs)
    yield f'{len(pairs)} programs, {share:.1%} end in values; {len(recorded["killers"])} dropped'
    if share < 0.7:
        yield 'WRONG: less than 70 % end in values'
    listed: dict[tuple[str, str], bool] = {}
    untaken = []
    for program, result in pairs:
        if program['family'] not in table.FAMILIES:
            continue
        # Rows of one path share what they take.
        key = program['row'].split(':')[0], program['dtype']
        end = program['name'].rsplit('/', 1)[1]
        full = outcome.ends_in_values(result) and not outcome.is_empty(result)
        if end.isdigit():
            listed[key] = listed.get(key, False) or full
        elif end == 'untaken' and full:
            untaken.append(key)
    for path, dtype in sorted(set(untaken) - set(listed)):
        yield f'WRONG: {path} takes {dtype}, the table does not list it'
    for (path, dtype), full in listed.items():
        if not full:
            yield f'WRONG: no program of {path} with {dtype} ends in a value'


def _run_from(source: Path, target: Path, first: int) -> None:
    """The child: appends a line per program."""
    tensorflow = importlib.import_module('tensorflow')
    tensorflow.get_logger().setLevel('ERROR')
    programs = json.loads(source.read_text())
    with target.open('a') as lines:
        for program in programs[first:]:
            lines.write(json.dumps(interpreter.run(tensorflow, program)) + '\n')
            lines.flush()


if __name__ == '__main__':
    _run_from(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
