"""The steps for a machine with a card, as far as they go without one."""

import os
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.on_gpu_steps import end_to_end, gpu_tests, runner, session, versions
from tests.support import source_tree


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., runner.Outcome]:
    """Runs a step whose ``main`` is the given text."""

    def play(
        body: str,
        limit: float = 60.0,
        name: str = 'act',
        watch: runner.Watch = lambda outcome: None,
    ) -> runner.Outcome:
        lines = [
            'import os, signal, subprocess, sys, time',
            'from benchmarks.on_gpu_steps import session',
            'def main(step):',
            textwrap.indent(textwrap.dedent(body), '    '),
            'session.run(main)',
        ]
        (tmp_path / f'{name}_of_a_play.py').write_text('\n'.join(lines))
        paths = [str(source_tree.ROOT), str(tmp_path)]
        monkeypatch.setenv('PYTHONPATH', os.pathsep.join(paths))
        return runner.run(name, f'{name}_of_a_play', limit, tmp_path / 'logs', watch)

    return play


class TestRunner:
    def test_what_a_step_finds_comes_back(
        self, stage: Callable[..., runner.Outcome], tmp_path: Path
    ) -> None:
        outcome = stage("""
            step.say('a line')
            step.add({'case': 'one', 'seconds': {'tensorvar': 1.0}, 'noise': 0.0})
            step.facts['answer'] = 42
            assert 0 < step.seconds_left() < 60
        """)
        assert (outcome.status, outcome.lines) == ('passed', ['a line'])
        assert [row['case'] for row in outcome.rows] == ['one']
        assert outcome.facts == {'answer': 42}
        assert outcome.tail == []
        assert 'a line' in (tmp_path / 'logs' / 'act.log').read_text()
        assert not list((tmp_path / 'logs').glob('*.json'))

    def test_an_exception_fails_the_step_and_keeps_its_rows(
        self, stage: Callable[..., runner.Outcome]
    ) -> None:
        outcome = stage("""
            step.add({'case': 'one'})
            raise ValueError('no\\n good')
        """)
        assert outcome.status == 'failed'
        assert outcome.lines == ['ValueError: no good']
        assert len(outcome.rows) == 1
        assert any('Traceback' in line for line in outcome.tail)

    def test_a_failed_finding_fails_the_step_at_its_end(
        self, stage: Callable[..., runner.Outcome]
    ) -> None:
        outcome = stage("""
            step.fail('wrong')
            step.say('and on')
        """)
        assert (outcome.status, outcome.lines) == ('failed', ['wrong', 'and on'])

    def test_a_skipped_step_says_why(self, stage: Callable[..., runner.Outcome]) -> None:
        outcome = stage("raise session.SkipStepError('nothing to do')")
        assert (outcome.status, outcome.lines) == ('skipped', ['skipped: nothing to do'])

    def test_a_step_that_dies_keeps_what_it_had(self, stage: Callable[..., runner.Outcome]) -> None:
        outcome = stage("""
            step.say('before')
            os.kill(os.getpid(), signal.SIGKILL)
        """)
        assert (outcome.status, outcome.lines) == ('failed', ['before', 'died of signal 9: before'])

    def test_a_step_that_cannot_be_loaded_fails(
        self, stage: Callable[..., runner.Outcome], tmp_path: Path
    ) -> None:
        outcome = runner.run('none', 'there_is_no_such_module', 60, tmp_path)
        assert outcome.status == 'failed'
        [line] = outcome.lines
        assert line.startswith('ended with 1 before it was done: ')
        assert 'No module named there_is_no_such_module' in line

    def test_a_step_that_hangs_is_stopped_with_all_it_started(
        self, stage: Callable[..., runner.Outcome]
    ) -> None:
        outcome = stage(
            """
            child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])
            step.facts['child'] = child.pid
            step.say('waiting')
            child.wait()
            """,
            limit=4.0,
        )
        assert outcome.status == 'timed out'
        assert outcome.lines == ['waiting', 'stopped after 4 s']
        assert not _is_running(outcome.facts['child'])

    def test_programs_of_a_step_that_hangs_end_with_it(
        self, stage: Callable[..., runner.Outcome]
    ) -> None:
        outcome = stage(
            """
            from pathlib import Path
            from benchmarks.on_gpu_steps import programs
            import threading
            def note():
                while not programs._running:
                    time.sleep(0.01)
                step.facts['program'] = min(programs._running)
                step.say('waiting')
            threading.Thread(target=note).start()
            command = (sys.executable, '-c', 'import time; time.sleep(60)')
            programs.run(command, 60, Path('.'), dict(os.environ))
            """,
            limit=4.0,
        )
        assert outcome.status == 'timed out'
        assert not _is_running(outcome.facts['program'])

    def test_what_a_step_finds_is_seen_at_once(self, tmp_path: Path, stage: Any) -> None:
        seen: list[list[str]] = []
        stage(
            """
            step.say('first')
            time.sleep(1.5)
            step.say('second')
            """,
            watch=lambda outcome: seen.append(list(outcome.lines)),
        )
        assert ['first'] in seen

    def test_failures_in_a_row_end_a_step(self, stage: Callable[..., runner.Outcome]) -> None:
        outcome = stage("""
            for number in range(9):
                step.attempt(f'part {number}', int, 'x' if number != 2 else '1')
        """)
        assert outcome.status == 'failed'
        failed = [line for line in outcome.lines if line.startswith('part')]
        assert [line[:6] for line in failed] == [f'part {each}' for each in (0, 1, 3, 4, 5, 6)]
        assert outcome.lines[-1] == 'RuntimeError: 4 failures in a row'

    def test_steps_see_no_simulated_cards(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv('TENSORVAR_SIMULATE_GPUS', '2')
        assert not [name for name in runner.environment() if name.startswith('TENSORVAR')]


def _is_running(pid: int) -> bool:
    for _ in range(100):
        status = Path(f'/proc/{pid}/stat')
        if not status.exists() or status.read_text().rpartition(')')[2].split()[0] == 'Z':
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def no_card(real_gpus: int) -> None:
    if real_gpus:
        pytest.skip('this machine has a card')


JUNIT = """<testsuites><testsuite>
<testcase classname="tests.test_a" name="test_one[gpu]" time="1.5"/>
<testcase classname="tests.test_a" name="test_two" time="0.5"><failure message="boom">
tests/test_a.py:3: in test_two
E   ValueError: no good
tests/test_a.py:3: ValueError</failure></testcase>
<testcase classname="tests.test_a" name="test_three" time="0"><skipped message="no"/></testcase>
<testcase classname="tests.test_b" name="" time="0"><error message="collection failure"/></testcase>
</testsuite></testsuites>"""


class TestSteps:
    @pytest.fixture
    def step(self, tmp_path: Path) -> session.Session:
        return session.Session(tmp_path / 'step.json', 60)

    def test_reports_of_pytest_are_read(self, tmp_path: Path) -> None:
        path = tmp_path / 'junit.xml'
        path.write_text(JUNIT)
        found = gpu_tests.read(path)
        assert found['counts'] == {'passed': 1, 'failed': 2, 'skipped': 1}
        assert found['seconds'] == 2.0
        assert [one['test'] for one in found['failures']] == [
            'tests.test_a::test_two',
            'tests.test_b::',
        ]
        assert found['failures'][0]['message'] == (
            'ValueError: no good  tests/test_a.py:3: ValueError'
        )
        assert found['failures'][1]['message'] == 'collection failure'

    def test_all_of_an_error_is_told(self, tmp_path: Path) -> None:
        path = tmp_path / 'junit.xml'
        path.write_text(
            '<testcase classname="a" name="b"><failure>tests/a.py:7: in test_b\n    close(x, y)\n'
            'E   AssertionError: \nE   Not equal\nE    [0]: 1.0 (ACTUAL)</failure></testcase>'
        )
        [failure] = gpu_tests.read(path)['failures']
        assert failure['message'] == 'AssertionError: Not equal [0]: 1.0 (ACTUAL)  tests/a.py:7'

    def test_pytest_is_given_only_what_its_plugins_know(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        there: set[str] = set()
        monkeypatch.setattr(
            gpu_tests.importlib.util, 'find_spec', lambda name: name if name in there else None
        )
        bare = gpu_tests.command(tmp_path, ['tests'])
        assert '-n' not in bare
        assert not any(word.startswith('--timeout') for word in bare)
        there |= {'pytest_timeout', 'xdist'}
        full = gpu_tests.command(tmp_path, ['tests'])
        assert '-n' in full
        assert '--timeout-method=thread' in full
        there.remove('xdist')
        assert '--timeout-method=signal' in gpu_tests.command(tmp_path, ['tests'])

    @pytest.mark.parametrize(
        ('cases', 'status', 'said'),
        [
            ('<testcase classname="a" name="b" time="1"/>', 'passed', '1 passed in 1 s'),
            ('<testcase classname="a" name="b"><skipped/></testcase>', 'failed',
             '1 skipped in 0 s of tests; none passed'),
            ('', 'failed', 'no tests in 0 s of tests; none passed'),
        ],
    )  # fmt: skip
    def test_tests_that_do_not_run_are_a_failure(
        self,
        monkeypatch: pytest.MonkeyPatch,
        step: session.Session,
        cases: str,
        status: str,
        said: str,
    ) -> None:
        def command(report: Path, places: Any) -> list[str]:
            report.write_text(f'<testsuite>{cases}</testsuite>')
            return [sys.executable, '-c', '']

        monkeypatch.setattr(gpu_tests, 'command', command)
        gpu_tests.main(step)
        step.finish()
        assert step.status == status
        assert step.lines[0].startswith(f'on_gpu: {said}')
        assert step.lines[1].startswith('others: ')

    def test_tests_that_are_stopped_are_a_failure(
        self, monkeypatch: pytest.MonkeyPatch, step: session.Session
    ) -> None:
        def command(report: Path, places: Any) -> list[str]:
            report.write_text(JUNIT)
            return [sys.executable, '-c', 'import time; time.sleep(30)']

        monkeypatch.setattr(gpu_tests, 'command', command)
        step._deadline = 0.0
        gpu_tests.main(step)
        assert step._failed
        assert step.lines[0] == (
            'on_gpu: 1 passed, 2 failed, 1 skipped in 2 s of tests, stopped for lack of time'
        )

    def test_missing_packages_skip_the_tests(
        self, monkeypatch: pytest.MonkeyPatch, step: session.Session
    ) -> None:
        monkeypatch.setattr(gpu_tests.importlib.util, 'find_spec', lambda name: None)
        with pytest.raises(session.SkipStepError, match='pytest, hypothesis, ml_dtypes missing'):
            gpu_tests.main(step)

    def test_checks_go_on_after_one_fails(self, step: session.Session) -> None:
        def check_good() -> None:
            end_to_end.expect(True, 'never')

        def check_bad() -> None:
            end_to_end.expect(False, 'so bad')

        def check_absent() -> None:
            raise end_to_end.SkipCheckError('no such thing')

        end_to_end.main(step, (check_bad, check_absent, check_good))
        step.finish()
        assert step.status == 'failed'
        assert step.lines == [
            'FAIL bad: AssertionError: so bad',
            'SKIP absent: no such thing',
            '1 of 3 checks pass',
        ]
        assert step.facts['first_traceback'][-1] == 'AssertionError: so bad'

    @pytest.mark.parametrize(
        'check',
        [
            end_to_end.check_placement,
            end_to_end.check_dtypes,
            end_to_end.check_matmul,
            end_to_end.check_scatter,
            end_to_end.check_replicas,
            end_to_end.check_guard,
            end_to_end.check_memory_limit,
            end_to_end.check_card_full,
            end_to_end.check_random,
            end_to_end.check_bad_index,
        ],
        ids=lambda check: check.__name__,
    )
    def test_checks_hold_on_a_simulated_card(
        self, simulated_gpus: tuple[str, str], check: Callable[[], None]
    ) -> None:
        check()

    def test_versions_go_on_without_a_card(self, no_card: None, step: session.Session) -> None:
        versions.main(step)
        step.finish()
        assert step.status == 'failed'
        assert 'numpy' in step.facts['packages']
        assert any('default device' in line for line in step.facts['devices'])
