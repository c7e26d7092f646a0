"""Programs give on tensorvar what they gave on TensorFlow, on every kind of device."""

import json
import zlib
from typing import Any

import pytest

from benchmarks.agreement import checker, generator, outcome, recorder, scenarios, table

FAMILIES = (*table.FAMILIES, *scenarios.FAMILIES)
# On the CPU every program runs, on the other kinds one in so many.
ONE_IN = 4
RECORD = 'tensorflow$ python -m benchmarks.agreement record'
KEEP = 'python -m benchmarks.agreement check --device cpu --keep'


@pytest.fixture(scope='module')
def recorded() -> dict[str, Any]:
    return recorder.load(recorder.KEPT)


@pytest.fixture(scope='module')
def reports() -> dict[str, checker.Report]:
    """What the families gave on the CPU, so that no test runs them twice."""
    return {}


def part(recorded: dict[str, Any], family: str, one_in: int = 1) -> dict[str, Any]:
    chosen = [
        pair
        for pair in recorded['programs']
        if pair[0]['family'] == family and zlib.crc32(pair[0]['name'].encode()) % one_in == 0
    ]
    return {'programs': chosen}


def on_the_cpu(
    recorded: dict[str, Any], family: str, reports: dict[str, checker.Report]
) -> checker.Report:
    if family not in reports:
        with checker.configured('cpu') as scope:
            reports[family] = checker.check(part(recorded, family), scope)
    return reports[family]


def unexpected(report: checker.Report) -> list[str]:
    known = checker.kept_lines(checker.DIFFERENT)
    return [
        f'{found.program["name"]}: {found.text}'
        for found in report.differences
        if found.program['name'] not in known
    ]


@pytest.mark.parametrize('family', FAMILIES)
def test_every_program_on_the_cpu(
    family: str, recorded: dict[str, Any], reports: dict[str, checker.Report]
) -> None:
    report = on_the_cpu(recorded, family, reports)
    assert not unexpected(report), '\n'.join(unexpected(report))


@pytest.mark.parametrize('kind', ['second_cpu', 'simulated_gpu'])
@pytest.mark.parametrize('family', FAMILIES)
def test_a_part_on_other_devices(family: str, kind: str, recorded: dict[str, Any]) -> None:
    with checker.configured(kind) as scope:
        report = checker.check(part(recorded, family, ONE_IN), scope)
    assert not unexpected(report), '\n'.join(unexpected(report))


def test_the_figures(recorded: dict[str, Any], reports: dict[str, checker.Report]) -> None:
    found = [on_the_cpu(recorded, family, reports) for family in FAMILIES]
    compared = sum(report.compared for report in found)
    agreed = sum(report.agreed.total() for report in found)
    excused = sum(report.excused.total() for report in found)
    assert agreed >= checker.LEAST * compared
    assert excused <= checker.MOST_EXCUSED * compared
    different = {one.program['name'] for report in found for one in report.differences}
    solved = checker.kept_lines(checker.DIFFERENT) - different
    assert not solved, f'these agree now: {sorted(solved)}; {KEEP}'


def test_the_list_of_missing_names(recorded: dict[str, Any]) -> None:
    missing, kept = checker.missing_names(recorded), checker.kept_lines(checker.MISSING)
    assert not missing - kept, f'tensorvar lost {sorted(missing - kept)}'
    assert not kept - missing, f'tensorvar has {sorted(kept - missing)} now; {KEEP}'


def test_the_record_is_that_of_the_generator(recorded: dict[str, Any]) -> None:
    drawn = generator.programs(recorded['seed'])
    kept = [program for program, _ in recorded['programs']]
    assert len(kept) >= 3000
    drawn = [program for program in drawn if program['name'] not in recorded['killers']]
    # As text, in which nan equals nan.
    assert json.dumps(drawn) == json.dumps(kept), (
        f'the generator draws other programs now; {RECORD}'
    )


def test_the_table_lists_what_tensorflow_takes(recorded: dict[str, Any]) -> None:
    wrong = [line for line in recorder.figures(recorded) if line.startswith('WRONG')]
    assert not wrong, '\n'.join(wrong)


@pytest.mark.parametrize(
    ('expected', 'actual', 'text'),
    [
        (['tensor', 'float32', [1], [1.0]], ['tensor', 'float32', [1], [1.1]], 'value'),
        (['tensor', 'float32', [1], [1.0]], ['tensor', 'float64', [1], [1.0]], 'dtype'),
        (['tensor', 'int32', [1], [1]], ['tensor', 'int32', [1, 1], [1]], 'shape'),
        (['error', ['ValueError'], ''], ['error', ['TypeError'], ''], 'raised TypeError'),
        (['error', ['ValueError'], ''], ['python', 'int', 1], 'raised nothing'),
        (['list', [], []], ['tuple', [], []], 'tuple instead of list'),
    ],
)
def test_the_checker_finds(expected: Any, actual: Any, text: str) -> None:
    assert text in (checker.compare.difference(expected, actual, 1.0) or '')
    assert checker.compare.difference(expected, expected, 1.0) is None


def test_an_outcome_survives_json() -> None:
    assert outcome.encode({'a': (1, None)})[1]['a'][1] == [
        ['python', 'int', 1],
        ['python', 'NoneType', None],
    ]
