"""What a step sees of the run: its time, and where its findings go."""

import argparse
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.on_gpu_steps import programs

PASSED, FAILED, SKIPPED, UNFINISHED = 'passed', 'failed', 'skipped', 'unfinished'

_MOST_IN_A_ROW = 4


class SkipStepError(Exception):
    """Carries the reason why a step cannot run here."""


class Session:
    """The findings of one step; they are on disk as soon as they are made.

    Args:
        path: the file to write.
        seconds: which the step may take.
    """

    def __init__(self, path: Path, seconds: float) -> None:
        self.path = path
        self._deadline = time.monotonic() + seconds
        self.status = UNFINISHED
        self.lines: list[str] = []
        self.rows: list[dict[str, Any]] = []
        self.facts: dict[str, Any] = {}
        self._failed = False
        self._in_a_row = 0
        self.save()

    def seconds_left(self) -> float:
        """Until the step should be done."""
        return self._deadline - time.monotonic()

    def say(self, line: str) -> None:
        """Adds a line to what the run shows of this step at its end."""
        print(line, flush=True)
        self.lines.append(line)
        self.save()

    def fail(self, line: str) -> None:
        """Says a line, and that the step failed."""
        self._failed = True
        self.say(line)

    def attempt(self, what: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """Calls what may fail without an end to the step; gives None where it did.

        After several failures in a row nothing else will go well, as on a card whose context
        is broken.
        """
        try:
            result = function(*arguments)
        except SkipStepError:
            raise
        except Exception as error:
            traceback.print_exc()
            self.fail(f'{what}: {type(error).__name__}: {" ".join(str(error).split())[:300]}')
            self._in_a_row += 1
            if self._in_a_row >= _MOST_IN_A_ROW:
                raise RuntimeError(f'{self._in_a_row} failures in a row') from error
            return None
        self._in_a_row = 0
        return result

    def add(self, row: dict[str, Any]) -> None:
        """Adds figures; ``row['case']`` is unique within the step."""
        print(json.dumps(row), flush=True)
        self.rows.append(row)
        self.save()

    def finish(self) -> None:
        """Notes that the step came to its end."""
        self.status = FAILED if self._failed else PASSED
        self.save()

    def save(self) -> None:
        """Writes the file anew; whoever reads it meanwhile sees the old one whole."""
        names = ('status', 'lines', 'rows', 'facts')
        text = json.dumps({name: getattr(self, name) for name in names})
        fresh = self.path.with_suffix('.new')
        fresh.write_text(text)
        os.replace(fresh, self.path)


def read(path: Path) -> dict[str, Any]:
    """The findings in a file; those of a step that never began if there is no file."""
    if not path.exists():
        return {'status': UNFINISHED, 'lines': [], 'rows': [], 'facts': {}}
    findings: dict[str, Any] = json.loads(path.read_text())
    return findings


def run(main: Callable[[Session], None]) -> None:
    """The command line of a step: ``--result FILE --seconds N``."""
    parser = argparse.ArgumentParser(description=sys.modules[main.__module__].__doc__)
    parser.add_argument('--result', type=Path, required=True)
    parser.add_argument('--seconds', type=float, required=True)
    arguments = parser.parse_args()
    programs.end_all_on_term()
    session = Session(arguments.result, arguments.seconds)
    try:
        main(session)
        session.finish()
    except SkipStepError as reason:
        session.say(f'skipped: {reason}')
        session.status = SKIPPED
        session.save()
    except Exception as error:
        traceback.print_exc()
        session.fail(f'{type(error).__name__}: {" ".join(str(error).split())[:300]}')
        session.finish()
        raise SystemExit(1) from error
