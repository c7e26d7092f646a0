"""Steps that run programs: each family of kernels by itself, and compute-sanitizer over them."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.on_gpu_steps import families, planted, programs, sanitizer, session, smoke
from benchmarks.on_gpu_steps.families import __main__ as program
from benchmarks.on_gpu_steps.families import machine, separate_blocks
from tensorvar._cuda import nvrtc
from tests.support import source_tree


@pytest.fixture
def step(tmp_path: Path) -> session.Session:
    return session.Session(tmp_path / 'step.json', 60)


def script(path: Path, text: str) -> Path:
    """A program of a shell's."""
    path.write_text(f'#!/bin/sh\n{textwrap.dedent(text)}')
    path.chmod(0o755)
    return path


class TestPrograms:
    def run(self, code: str, seconds: float = 30.0) -> programs.Ended:
        command = (sys.executable, '-c', textwrap.dedent(code))
        return programs.run(command, seconds, Path(), dict(os.environ))

    def test_text_and_code_come_back(self) -> None:
        ended = self.run("import sys; print('out'); sys.stderr.write('err'); sys.exit(3)")
        assert ended.code == 3
        assert sorted(ended.text.split()) == ['err', 'out']
        assert ended.words == 'ended with 3'

    def test_a_signal_is_told(self) -> None:
        assert self.run('import os; os.kill(os.getpid(), 9)').words == 'died of signal 9'

    def test_one_that_hangs_is_stopped_with_what_it_started(self) -> None:
        ended = self.run(
            """
            import subprocess, sys
            child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])
            print(child.pid, flush=True)
            child.wait()
            """,
            1.5,
        )
        assert ended.code is None
        assert ended.words.startswith('hung and was stopped')
        with pytest.raises(ProcessLookupError):
            for _ in range(200):
                os.kill(int(ended.text), 0)
                time.sleep(0.02)

    def test_one_that_ignores_the_first_signal_is_stopped(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(programs, '_GRACE_SECONDS', 0.2)
        ended = self.run(
            """
            import signal, time
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(60)
            """,
            1.5,
        )
        assert ended.code is None
        assert ended.seconds < 10

    def test_what_is_left_behind_does_not_hold_it_up(self) -> None:
        start = time.monotonic()
        ended = self.run(
            "import subprocess, sys; subprocess.Popen([sys.executable, '-c', "
            "'import time; time.sleep(60)'])"
        )
        assert ended.code == 0
        assert time.monotonic() - start < 20


class TestSmoke:
    """A play with other programs in place of the checks."""

    @pytest.fixture
    def play(
        self, step: session.Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> Callable[..., session.Session]:
        def run(**scripts: str) -> session.Session:
            cases = ''.join(f'{name}) {text};;\n' for name, text in scripts.items())
            path = script(tmp_path / 'checks', f'case "$1" in\n{cases}esac\n')
            monkeypatch.setattr(smoke, 'PROGRAM', (str(path),))
            made = tuple(families.Family(name, lambda card: None) for name in scripts)
            monkeypatch.setattr(families, 'FAMILIES', made)
            smoke.main(step)
            step.finish()
            return step

        return run

    def test_all_is_well(self, play: Any) -> None:
        step = play(one='echo PASS one in 0.1 s', two='echo noise; echo PASS two in 0.2 s')
        assert step.status == 'passed'
        assert sorted(step.lines[:2]) == ['PASS one in 0.1 s', 'PASS two in 0.2 s']
        assert step.lines[2] == '2 of 2 families are right'

    def test_no_family_hides_the_others(self, play: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(smoke, 'FAMILY_SECONDS', 1.5)
        step = play(
            wrong='echo "FAIL wrong: AssertionError: 3 of 4 differ"; exit 1',
            hung='sleep 60',
            killed='kill -SEGV $$',
            broken='echo "cannot import" >&2; exit 1',
            quiet='exit 0',
            absent=f'echo "SKIP absent: no such chip"; exit {program.NOT_HERE}',
            good='echo PASS good in 0.1 s',
        )
        assert step.status == 'failed'
        lines = {line.split()[1].rstrip(':'): line for line in step.lines[:-1]}
        assert lines['wrong'] == 'FAIL wrong: AssertionError: 3 of 4 differ'
        assert lines['hung'].startswith('FAIL hung: hung and was stopped after ')
        assert lines['killed'] == 'FAIL killed: died of signal 11'
        assert lines['broken'] == 'FAIL broken: ended with 1: cannot import'
        assert lines['quiet'] == 'FAIL quiet: ended with 0'
        assert lines['absent'] == 'SKIP absent: no such chip'
        assert lines['good'] == 'PASS good in 0.1 s'
        assert step.lines[-1] == '1 of 7 families are right'
        assert step.facts['killed']['code'] == -signal.SIGSEGV

    def test_families_for_which_no_time_is_left(self, play: Any, step: session.Session) -> None:
        step._deadline = 0.0
        assert play(late='echo PASS late').lines[0] == 'FAIL late: had 0 s only'


class TestProgram:
    """The program that makes the checks."""

    @pytest.fixture
    def card(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        done: list[str] = []
        made = SimpleNamespace(backend=SimpleNamespace(synchronize=lambda: done.append('waited')))
        monkeypatch.setattr(machine, 'first', lambda: made)

        def lack(card: Any) -> None:
            raise machine.SkipCheckError('no such chip')

        def fail(card: Any) -> None:
            raise ValueError('so\n wrong')

        checks = {'good': lambda card: done.append('good'), 'bad': fail, 'absent': lack}
        named = {name: families.Family(name, check) for name, check in checks.items()}
        monkeypatch.setattr(families, 'BY_NAME', named)
        return done

    def test_checks_go_on_after_one_fails(
        self, card: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert program.main(['bad', 'absent', 'good']) == 1
        assert card == ['good', 'waited']
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == 'FAIL bad: ValueError: so wrong'
        assert lines[1] == 'SKIP absent: no such chip'
        assert lines[2].startswith('PASS good in ')

    def test_what_it_ends_with(self, card: list[str]) -> None:
        assert program.main(['good']) == 0
        assert program.main(['good', 'absent']) == 0
        assert program.main(['absent']) == program.NOT_HERE

    def test_an_unknown_name_is_refused(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit, match='2'):
            program.main(['none'])
        assert 'invalid choice' in capsys.readouterr().err

    def test_without_a_card_it_fails(self, real_gpus: int) -> None:
        if real_gpus:
            pytest.skip('this machine has a card')
        done = subprocess.run(
            [sys.executable, '-m', 'benchmarks.on_gpu_steps.families', 'assign'],
            capture_output=True,
            text=True,
            cwd=source_tree.ROOT,
            timeout=120,
        )
        assert done.returncode == 1
        assert 'RuntimeError: there is no GPU' in done.stderr

    def test_arrays_may_get_blocks_of_their_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        set_: list[Any] = []
        cuda = SimpleNamespace(
            set_allocator=set_.append,
            memory=SimpleNamespace(),
            Memory=lambda nbytes: ('memory', nbytes),
            MemoryPointer=lambda memory, offset: (memory, offset),
        )
        monkeypatch.setitem(sys.modules, 'cupy', SimpleNamespace(cuda=cuda))
        separate_blocks.install()
        assert set_ == [None]
        pool = cuda.memory.SingleDeviceMemoryPool()
        assert pool.malloc(5) == (('memory', 5), 0)
        pool.set_limit(7)
        assert (pool.get_limit(), pool.used_bytes(), pool.total_bytes()) == (7, 0, 0)


CLEAN = '========= ERROR SUMMARY: 0 errors'
# It knows one of the options, is given --tool NAME and then the program's words.
TOOL = """
case "$*" in *--tool*) ;; *) echo "  --check-exit-code arg (=yes)"; exit 0 ;; esac
case "$*" in *--launch-timeout*) echo "unknown option"; exit 255 ;; esac
case "$*" in *"--check-exit-code no"*) ;; *) echo "the exit code is checked"; exit 255 ;; esac
tool=$(echo "$*" | sed 's/.*--tool \\([a-z]*\\).*/\\1/')
case "$*" in
  *on_gpu_steps.planted*) {planted} ;;
  *) {families} ;;
esac
"""
FOUND = 'echo "========= Invalid write"; echo "========= ERROR SUMMARY: 2 errors"; exit 9'


class TestSanitizer:
    @pytest.fixture
    def tool(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
        """Puts a tool on the PATH."""

        def put(families: str, planted: str = FOUND) -> None:
            text = TOOL.format(families=families, planted=planted)
            script(tmp_path / 'compute-sanitizer', text)
            monkeypatch.setenv('PATH', str(tmp_path), prepend=os.pathsep)

        monkeypatch.setattr(sanitizer, 'GROUPS', {'few': ('assign', 'gather'), 'one': ('mma',)})
        return put

    def test_every_family_is_in_a_group(self) -> None:
        members = [name for group in sanitizer.GROUPS.values() for name in group]
        assert sorted(members) == sorted(families.BY_NAME)

    def test_it_may_be_missing(
        self, monkeypatch: pytest.MonkeyPatch, step: session.Session
    ) -> None:
        monkeypatch.setattr(sanitizer, 'find', lambda: None)
        with pytest.raises(session.SkipStepError, match='not found: not on the PATH, in CUDA_HOME'):
            sanitizer.main(step)

    @pytest.mark.parametrize(
        'place', ['home/bin', 'home/compute-sanitizer', 'site/nvidia/cu13/bin',
                  'site/nvidia/cuda_sanitizer_api/compute-sanitizer'],
    )  # fmt: skip
    def test_where_it_is_found(
        self, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv('PATH', '/nowhere')
        monkeypatch.setenv('CUDA_HOME', str(tmp_path / 'home'))
        monkeypatch.setattr(sanitizer, '_PLACES', ())
        monkeypatch.setattr(sanitizer.site, 'getsitepackages', lambda: [str(tmp_path / 'site')])
        assert sanitizer.find() is None
        (tmp_path / place).mkdir(parents=True)
        made = script(tmp_path / place / 'compute-sanitizer', 'exit 0')
        assert sanitizer.find() == str(made)

    def test_nothing_is_found(self, tool: Any, step: session.Session) -> None:
        tool(f'echo "{CLEAN}"')
        sanitizer.main(step)
        step.finish()
        assert step.status == 'passed', step.lines
        assert step.lines[0] == (
            'memcheck, racecheck, synccheck, initcheck: find the mistakes planted for them'
        )
        said = {line.partition(':')[0] for line in step.lines[1:]}
        assert said == {
            f'{name} of {group}' for name in sanitizer.TOOLS for group in ('few', 'one')
        }
        assert all(': clean (' in line for line in step.lines[1:])

    def test_the_family_at_fault_is_named(self, tool: Any, step: session.Session) -> None:
        tool(
            f'if [ $tool = memcheck ]; then case "$*" in *gather*) {FOUND};; esac; fi; '
            f'echo "{CLEAN}"'
        )
        sanitizer.main(step)
        step.finish()
        assert step.status == 'failed'
        lines = {line.partition(':')[0]: line for line in step.lines}
        assert '2 found: Invalid write | ERROR SUMMARY: 2 errors' in lines['memcheck of few']
        assert '2 found' in lines['memcheck of gather alone']
        assert ': clean' in lines['memcheck of assign alone']
        assert ': clean' in lines['racecheck of few']

    def test_a_tool_that_finds_nothing_planted_is_not_believed(
        self, tool: Any, step: session.Session
    ) -> None:
        tool(f'echo "{CLEAN}"', planted=f'[ $tool = racecheck ] || {{ {FOUND}; }}; echo "{CLEAN}"')
        sanitizer.main(step)
        step.finish()
        assert step.status == 'failed'
        assert 'racecheck: does not find the mistake planted for it: it is said to be clean' in (
            step.lines
        )
        [line] = [line for line in step.lines if line.startswith('racecheck of few')]
        assert 'nor was the mistake found that was planted' in line

    @pytest.mark.parametrize(
        ('code', 'text', 'wrong'),
        [
            (0, CLEAN, ''),
            (program.NOT_HERE, CLEAN, ''),
            (0, '========= RACECHECK SUMMARY: 0 hazards displayed (0 errors, 0 warnings)', ''),
            (9, '========= RACECHECK SUMMARY: 1 hazard displayed (1 error, 0 warnings)',
             '1 found: RACECHECK SUMMARY: 1 hazard displayed (1 error, 0 warnings)'),
            # Whatever the code says.
            (0, '========= ERROR SUMMARY: 3 errors', '3 found: ERROR SUMMARY: 3 errors'),
            (0, 'all is well', 'no summary, ended with 0: all is well'),
            (255, '========= COMPUTE-SANITIZER\n========= Error: device not supported',
             'no summary, ended with 255: Error: device not supported'),
            (1, f'FAIL gather: no\n{CLEAN}',
             'nothing found, but the program ended with 1: FAIL gather: no'),
            (-11, CLEAN, 'nothing found, but the program died of signal 11: '),
            (None, CLEAN, 'not done after 2 s'),
        ],
    )  # fmt: skip
    def test_how_reports_are_read(self, code: int | None, text: str, wrong: str) -> None:
        assert sanitizer.judge(programs.Ended(code, text, 2.0)).wrong == wrong


class TestPlanted:
    def test_there_is_a_mistake_for_each_tool(self) -> None:
        assert tuple(planted.MISTAKES) == sanitizer.TOOLS

    @pytest.mark.parametrize('tool', sanitizer.TOOLS)
    def test_mistakes_compile(self, tool: str) -> None:
        if not nvrtc.is_available():
            pytest.skip('NVRTC is not installed')
        assert nvrtc.compiler().compile(planted.MISTAKES[tool], 'sm_90a', name='planted').cubin
