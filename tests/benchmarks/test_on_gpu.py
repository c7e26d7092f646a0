"""The command for a machine with a card: its plan, files and tables."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import on_gpu
from benchmarks.on_gpu_steps import plan, report, runner
from tensorvar._device import registry
from tests.support import source_tree


class TestPlan:
    def test_every_step_is_a_module(self) -> None:
        folder = source_tree.ROOT / 'benchmarks' / 'on_gpu_steps'
        for step in plan.STEPS:
            text = (folder / f'{step.name}.py').read_text()
            assert 'session.run(main)' in text, step.name

    def test_steps_are_chosen_by_name_in_the_order_of_the_plan(self) -> None:
        assert [step.name for step in plan.choose(['smoke', 'versions'])] == ['versions', 'smoke']
        assert plan.choose(None) == plan.STEPS
        with pytest.raises(ValueError, match='no step smoky; there are versions'):
            plan.choose(['smoky'])

    def test_time_left_over_goes_to_later_steps(self) -> None:
        steps = [plan.Step('a', 10, ''), plan.Step('b', 30, '')]
        assert plan.limit(steps, 80) == 20
        assert plan.limit(steps[1:], 75) == 75
        assert plan.limit(steps[1:], -1) == 0


def row(case: str, ours: float, noise: float = 0.01, **peers: float) -> dict[str, Any]:
    return {'case': case, 'seconds': {'tensorvar': ours, **peers}, 'noise': noise}


def result_of(
    *rows: dict[str, Any], time: str = '2026-05-01T10:00:00+00:00', chip: str = 'NVIDIA H9'
) -> dict[str, Any]:
    step = {'status': 'passed', 'seconds': 1.0, 'lines': ['fine'], 'rows': list(rows), 'tail': []}
    return {'schema': 1, 'time': time, 'chip': chip, 'seconds': 2.0, 'steps': {'assign': step}}


def save(result: dict[str, Any], folder: Path) -> Path:
    path = report.new_path(result, folder)
    report.write(result, path)
    return path


class TestReport:
    def test_files_are_named_by_date_and_chip(self, tmp_path: Path) -> None:
        paths = [save(result_of(), tmp_path) for _ in range(2)]
        assert [path.name for path in paths] == [
            '2026-05-01-nvidia-h9.json',
            '2026-05-01-nvidia-h9-2.json',
        ]
        assert json.loads(paths[0].read_text())['chip'] == 'NVIDIA H9'
        assert paths[0].with_suffix('.txt').exists()

    def test_the_last_figure_of_a_case_is_the_latest_on_the_same_chip(self, tmp_path: Path) -> None:
        assert report.last_figures('NVIDIA H9', tmp_path) == {}
        for month, rows in (('07', [row('a', 7.0)]), ('05', [row('a', 5.0), row('b', 5.0)])):
            save(result_of(*rows, time=f'2026-{month}-01T10:00:00+00:00'), tmp_path)
        other = result_of(row('a', 9.0), time='2026-08-01T10:00:00+00:00', chip='NVIDIA H9 NVL')
        save(other, tmp_path)
        found = report.last_figures('NVIDIA H9', tmp_path)
        assert found == {
            ('assign', 'a'): ('2026-07-01-nvidia-h9.json', row('a', 7.0)),
            ('assign', 'b'): ('2026-05-01-nvidia-h9.json', row('b', 5.0)),
        }

    def test_what_became_slower_is_named(self) -> None:
        old = [row('a', 1.0), row('b', 1.0), row('c', 1.0), row('gone', 1.0)]
        before = {('assign', one['case']): report.Figure('old.json', one) for one in old}
        now = result_of(row('a', 1.04), row('b', 1.2, 0.03), row('c', 0.5), row('new', 9.0))
        assert report.slower(before, now) == ['assign: b: +20% since old.json (noise 3%)']

    def test_the_short_table_has_a_row_per_group(self) -> None:
        rows = [
            {**row('add 4', 1e-6, cupy=2e-6, torch=1e-6), 'group': 'add', 'bytes': 48},
            {**row('add 4 KiB', 2e-6, cupy=1e-6), 'group': 'add', 'bytes': 4096, 'of_copy': 0.5},
            {**row('product', 1.0), 'operations': 2e12},
        ]
        text = report.short_table(result_of(*rows))
        _, add, product, legend = text.splitlines()
        assert add.split('  ')[0] == 'assign: add'
        for part in ('2.00 us', '2.0 GB/s', '50%', 'cupy 1.00 (0.50)', 'torch 1.00'):
            assert part in add
        assert '2.0 TFLOP/s' in product
        assert 'above 1 we win' in legend

    def test_tables_without_figures(self) -> None:
        assert report.short_table(result_of()) == 'no figures'
        assert 'passed' in report.step_table(result_of())
        assert 'fine' in report.step_table(result_of())

    def test_every_case_is_in_the_full_table(self) -> None:
        text = report.full_table(result_of({**row('one', 2.0, cupy=3e-3), 'cold': False}))
        for part in ('one', 'tensorvar 2.00 s', 'cupy 3.00 ms', '1%', 'in cache'):
            assert part in text


@pytest.fixture
def no_card(real_gpus: int) -> None:
    if real_gpus:
        pytest.skip('this machine has a card')


class TestCommand:
    def test_without_a_card_it_says_why_in_one_line(
        self, no_card: None, fresh_devices: None
    ) -> None:
        done = subprocess.run(
            [sys.executable, '-m', 'benchmarks.on_gpu'],
            capture_output=True,
            text=True,
            cwd=source_tree.ROOT,
            env={**os.environ, 'TENSORVAR_SIMULATE_GPUS': '1'},
            timeout=120,
        )
        assert done.returncode == 2
        assert done.stdout == f'no GPU: {registry.why_no_gpu()}\n'
        assert done.stderr == ''

    @pytest.fixture
    def card(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(on_gpu, 'probe', lambda: {'why': '', 'chip': 'NVIDIA H9'})

    def test_a_failing_step_does_not_stop_the_others(
        self,
        card: None,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        seen: list[str] = []

        def run(
            name: str, module: str, limit: float, logs: Path, watch: runner.Watch
        ) -> runner.Outcome:
            seen.append(module)
            assert 0 < limit < 600
            if name == 'versions':
                return runner.Outcome(name, 'timed out', 9.0, ['stopped'])
            return runner.Outcome(name, 'passed', 1.0, ['well'], [row('a', 2.0, cupy=3.0)])

        monkeypatch.setattr(runner, 'run', run)
        slow = result_of()
        slow['steps'] = {'smoke': {**slow['steps']['assign'], 'rows': [row('a', 1.0)]}}
        save(slow, tmp_path)
        code = on_gpu.main(['--only', 'smoke,versions', '--out', str(tmp_path)])
        assert code == 1
        assert [module.rpartition('.')[2] for module in seen] == ['versions', 'smoke']
        text = capsys.readouterr().out
        for part in ('timed out', 'well', 'cupy 1.50', 'smoke: a: +100%', '.json'):
            assert part in text
        [written] = set(tmp_path.glob('*.json')) - set(tmp_path.glob('2026-05-01*'))
        result = json.loads(written.read_text())
        assert result['steps']['smoke']['rows'] == [row('a', 2.0, cupy=3.0)]

    def test_steps_for_which_no_time_is_left_are_skipped(
        self, card: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        arguments = ['--only', 'smoke', '--budget', '0', '--out', str(tmp_path)]
        assert on_gpu.main(arguments) == 0
        assert 'no time left' in capsys.readouterr().out

    def test_unknown_steps_are_refused(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit, match='2'):
            on_gpu.main(['--only', 'smoky'])
        assert 'no step smoky' in capsys.readouterr().err

    def test_what_is_known_is_on_disk_at_once(
        self, card: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """A run that is killed leaves the figures of the step under way, too."""

        def run(
            name: str, module: str, limit: float, logs: Path, watch: runner.Watch
        ) -> runner.Outcome:
            watch(runner.Outcome(name, runner.UNDER_WAY, 1.0, ['so far'], [row('a', 2.0)]))
            [path] = tmp_path.glob('*.json')
            step = json.loads(path.read_text())['steps'][name]
            assert (step['status'], step['rows']) == ('under way', [row('a', 2.0)])
            assert 'tensorvar 2.00 s' in path.with_suffix('.txt').read_text()
            raise KeyboardInterrupt

        monkeypatch.setattr(runner, 'run', run)
        with pytest.raises(KeyboardInterrupt):
            on_gpu.main(['--only', 'dispatch', '--out', str(tmp_path)])
        assert not list(tmp_path.glob('*.new'))

    def test_lines_of_a_step_are_shown_once(
        self,
        card: None,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        def run(
            name: str, module: str, limit: float, logs: Path, watch: runner.Watch
        ) -> runner.Outcome:
            watch(runner.Outcome(name, runner.UNDER_WAY, 1.0, ['PASS assign']))
            print('then')
            return runner.Outcome(name, 'passed', 2.0, ['PASS assign', 'PASS gather'])

        monkeypatch.setattr(runner, 'run', run)
        on_gpu.main(['--only', 'smoke', '--out', str(tmp_path)])
        live = capsys.readouterr().out.partition('passed in')[0].splitlines()
        assert live[1:4] == ['  PASS assign', 'then', '  PASS gather']

    def test_steps_are_listed(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert on_gpu.main(['--list']) == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line.split()[0] for line in lines[1:]] == [step.name for step in plan.STEPS]

    def test_the_last_table_is_that_of_the_goals(
        self,
        card: None,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        passed = runner.Outcome('dispatch', 'passed', 1.0)
        monkeypatch.setattr(runner, 'run', lambda *values: passed)
        on_gpu.main(['--only', 'dispatch', '--out', str(tmp_path), '--logs', str(tmp_path / 'x')])
        text = capsys.readouterr().out
        assert text.splitlines()[-1].startswith('0 met, 0 missed, ')
        assert f'the logs in {tmp_path / "x"}' in text
