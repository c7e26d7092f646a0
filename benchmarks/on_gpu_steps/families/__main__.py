"""Makes the checks that are named, in this process; see ``benchmarks.on_gpu_steps.families``."""

import argparse
import sys
import time
import traceback
from collections.abc import Sequence

from benchmarks.on_gpu_steps import families
from benchmarks.on_gpu_steps.families import machine, separate_blocks

NOT_HERE = 5
"""What the program ends with where all that was asked for cannot be checked on this card."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints PASS, SKIP or FAIL for each check.

    Returns:
        1 if a check failed, 5 if none could be made, else 0.
    """
    parser = argparse.ArgumentParser(description=families.__doc__)
    parser.add_argument('names', nargs='+', choices=sorted(families.BY_NAME), metavar='NAME')
    parser.add_argument('--separate', action='store_true', help='allocate each array by itself')
    options = parser.parse_args(arguments)
    if options.separate:
        separate_blocks.install()
    card = machine.first()
    outcomes = [_check(card, families.BY_NAME[name]) for name in options.names]
    if 'FAIL' in outcomes:
        return 1
    return 0 if 'PASS' in outcomes else NOT_HERE


def _check(card: machine.Machine, family: families.Family) -> str:
    start = time.monotonic()
    try:
        family.check(card)
        card.backend.synchronize()
    except machine.SkipCheckError as reason:
        print(f'SKIP {family.name}: {reason}', flush=True)
        return 'SKIP'
    except Exception as error:  # noqa: BLE001 the checks after it are made nevertheless
        traceback.print_exc()
        text = ' '.join(str(error).split())[:300]
        print(f'FAIL {family.name}: {type(error).__name__}: {text}', flush=True)
        return 'FAIL'
    print(f'PASS {family.name} in {time.monotonic() - start:.1f} s', flush=True)
    return 'PASS'


if __name__ == '__main__':
    sys.exit(main())
