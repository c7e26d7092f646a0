"""A run as a file and as tables, and the command that makes both."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__ as command
from benchmarks import contender, harness, readme_table, results
from tests.support import source_tree

LIBRARIES = ('tensorvar', 'tensorflow', 'torch', 'jax', 'numpy')
PEER_SECONDS = {'tensorvar': 2e-6, 'tensorflow': 30e-6, 'torch': 2.05e-6, 'numpy': 0.5e-6}


def rounds_of(**seconds: float) -> dict[str, list[float]]:
    return {name: [time] * 3 for name, time in seconds.items()}


def family_of(*cases: str) -> dict[str, Any]:
    """A measured family; JAX has none of its cases."""
    return {
        'versions': dict.fromkeys(LIBRARIES, '1.0'),
        'seconds': {case: rounds_of(**PEER_SECONDS) for case in cases},
        'memory': {name: {'start': 10**8, 'peak': 3 * 10**8} for name in PEER_SECONDS}
        | {'jax': {'start': 2 * 10**8}},
    }


def whole_run() -> dict[str, Any]:
    families: dict[str, list[str]] = {}
    for row in readme_table.ROWS:
        families.setdefault(row.family, []).append(row.case)
    families['growth'] += [
        case.format(f'{length:,}')
        for case in readme_table.GROWTH.values()
        for length in readme_table.LENGTHS[:3]
    ]
    measured = {name: family_of(*cases) for name, cases in families.items()}
    bounds = {'copies': {str(length): 1 for length in readme_table.LENGTHS}}
    return results.combine(measured, bounds, 'CPU:0', contender.QUICK)


class TestFigures:
    def test_ratio_is_the_median_over_the_rounds(self) -> None:
        rounds = {'tensorvar': [1.0, 2.0, 4.0], 'numpy': [3.0, 4.0, 4.0]}
        assert results.ratio(rounds, 'numpy') == 2.0

    def test_ratio_needs_both(self) -> None:
        assert results.ratio({'numpy': [1.0]}, 'numpy') is None
        assert results.ratio({'tensorvar': [1.0]}, 'numpy') is None

    @pytest.mark.parametrize(
        ('figure', 'text'), [(1.04, 'tie'), (0.96, 'tie'), (0.5, 'x0.50'), (2.0, 'x2.00')]
    )
    def test_close_times_are_a_tie(self, figure: float, text: str) -> None:
        assert results.verdict(figure) == text

    @pytest.mark.parametrize(
        ('seconds', 'text'),
        [(2.3e-7, '230 ns'), (1.234e-6, '1.23 us'), (45.64e-6, '45.6 us'), (1.013e-3, '1.01 ms'),
         (0.459, '459 ms'), (12.34, '12.3 s'), (1234.0, '1234 s'), (0.9999e-6, '1000 ns')],
    )  # fmt: skip
    def test_times_have_three_digits(self, seconds: float, text: str) -> None:
        assert results.readable(seconds) == text

    def test_a_table_has_a_row_per_case_and_one_for_memory(self) -> None:
        title, head, case, memory = results.table('calls', family_of('a case')).splitlines()
        assert title == 'calls'
        assert head.split()[:3] == ['case', 'tensorvar', '1.0']
        assert ' '.join(case.split()) == (
            'a case 2.00 us 30.0 us x15.00 2.05 us tie - 500 ns x0.25'
        )
        assert ' '.join(memory.split()) == ('memory beyond the start 200 MB 200 MB 200 MB - 200 MB')


class TestFile:
    def test_it_is_read_as_it_was_written(self, tmp_path: Path) -> None:
        run = whole_run()
        path = results.save(run, tmp_path)
        assert path.name == f'cpu-{run["date"]}.json'
        assert results.load(path) == json.loads(json.dumps(run))
        assert max(map(len, path.read_text().splitlines())) <= 120

    def test_the_newest_is_the_one_of_the_last_day(self, tmp_path: Path) -> None:
        assert results.newest(tmp_path) is None
        for name in ('cpu-2026-09-30', 'cpu-2026-10-01', 'gpu-2026-12-01', '2026-12-01-chip'):
            (tmp_path / f'{name}.json').touch()
        assert results.newest(tmp_path) == tmp_path / 'cpu-2026-10-01.json'

    def test_seconds_keep_four_digits(self) -> None:
        family = {**family_of(), 'seconds': {'a': {'tensorvar': [1.23456e-6]}}}
        run = results.combine({'calls': family}, {}, 'CPU:0', contender.QUICK)
        assert run['families']['calls']['seconds'] == {'a': {'tensorvar': [1.235e-6]}}
        assert set(run['machine']) == {'processor', 'cores', 'python', 'system'}


class TestReadme:
    def test_it_shows_the_newest_run(self) -> None:
        newest = results.newest(results.FOLDER)
        if newest is None:
            pytest.skip('a source distribution has no results')
        readme = readme_table.README.read_text()
        again = 'README.md differs; run: python -m benchmarks.readme_table'
        assert readme == readme_table.rewritten(readme, results.load(newest)), again

    def test_where_another_is_faster_it_is_bold(self) -> None:
        line = readme_table.block(whole_run()).partition('`a * b`')[2].partition('\n')[0]
        assert line == (
            ', 2 elements | 2.00 us | 30.0 us, x15 | 2.05 us, tie | - | **500 ns, x0.25** |'
        )

    def test_growth_is_shown_for_each_operation(self) -> None:
        text = readme_table.block(whole_run())
        assert '| operation of a function | 200 ns | 20 ns | 2 ns | - |' in text
        assert '| copies | 1 | 1 | 1 | 1 |' in text
        assert '| `bench_step`, beyond that | 200 MB | 200 MB | 200 MB | - | 200 MB |' in text

    def test_only_what_is_between_the_marks_changes(self, tmp_path: Path) -> None:
        readme = tmp_path / 'README.md'
        begin, end = readme_table.BEGIN, readme_table.END
        readme.write_text(f'before\n{begin}of long ago\n{end}after\n')
        results.save(whole_run(), tmp_path)
        for _ in range(2):
            readme_table.main(readme, tmp_path)
            text = readme.read_text()
            assert text.startswith(f'before\n{begin}')
            assert text.endswith(f'\n{end}after\n')
            assert 'of long ago' not in text

    def test_what_is_missing_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match='has no <!-- made by'):
            readme_table.rewritten('no marks', whole_run())
        with pytest.raises(SystemExit, match='make bench-peers'):
            readme_table.main(tmp_path / 'README.md', tmp_path)

    def test_its_rows_are_measured(self) -> None:
        for row in readme_table.ROWS:
            assert row.family in harness.FAMILIES


class TestCommand:
    @pytest.fixture
    def measured(self, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
        calls: list[Any] = []

        def measure(family: str, device: str, names: Any, effort: Any) -> dict[str, Any]:
            calls.append((family, device, names, effort))
            return family_of('a case')

        monkeypatch.setattr(harness, 'measure', measure)
        monkeypatch.setattr(command, '_bounds', lambda: {'copies': {'10': 1}})
        return calls

    def test_a_whole_run_is_saved(
        self, measured: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        command.main(['--save', '--output', str(tmp_path), '--libraries', 'numpy,jax'])
        families = [call[0] for call in measured]
        assert families == list(harness.FAMILIES)
        assert measured[0][1:] == ('CPU:0', ['numpy', 'jax'], contender.Effort())
        [path] = tmp_path.iterdir()
        result = results.load(path)
        assert result['schema'] == results.SCHEMA
        assert list(result['families']) == families
        printed = capsys.readouterr().out
        assert f'written: {path}' in printed
        assert 'what stays bounded' in printed

    def test_a_look_is_not_saved(self, measured: list[Any], tmp_path: Path) -> None:
        command.main(['--save', '--quick', '--output', str(tmp_path)])
        assert measured[0][3] == contender.QUICK
        assert not list(tmp_path.iterdir())

    def test_one_family_is_printed(
        self, measured: list[Any], capsys: pytest.CaptureFixture[str]
    ) -> None:
        command.main(['matmul', '--device', 'GPU:0'])
        assert [call[:3] for call in measured] == [('matmul', 'GPU:0', None)]
        assert capsys.readouterr().out.startswith('matmul on GPU:0\n')

    @pytest.mark.parametrize(
        ('arguments', 'text'),
        [(['matmull'], 'no family'), (['matmul', '--save'], 'a file holds all families')],
    )
    def test_what_makes_no_sense_is_refused(
        self, arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit, match='2'):
            command.main(arguments)
        assert text in capsys.readouterr().err


def test_make_knows_an_environment_for_each_peer() -> None:
    makefile = (source_tree.ROOT / 'Makefile').read_text()
    ignored = (source_tree.ROOT / '.gitignore').read_text().splitlines()
    for peer in ('tensorflow', 'torch', 'jax'):
        assert f'REQUIREMENT_{peer} := ' in makefile
        assert f'.venv-{peer}/bin/python' in makefile
        assert f'/.venv-{peer}/' in ignored
        [clean] = [line for line in makefile.splitlines() if line.startswith('\trm -rf $(VENV)')]
        assert f'.venv-{peer}' in clean
