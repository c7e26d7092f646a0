"""What a test forgot to undo."""

from tensorvar import pytest_fixtures
from tensorvar._device import configuration, determinism, precision, scope, switches


def leaks() -> list[str]:
    """What a test changed for the whole process and did not undo."""
    found = []
    if configuration.settings != configuration.Settings():
        found.append(f'device settings {configuration.settings}')
    if not configuration.soft_placement:
        found.append('soft placement is off')
    if configuration.default_choice is not None:
        found.append(f'default device {configuration.default_choice.name}')
    if determinism.enabled:
        found.append('op determinism is on')
    if precision.default != precision.IEEE:
        found.append(f'precision {precision.default}')
    if switches.flags:
        found.append(f'switches {switches.flags:b}')
    state = scope.current()
    if state is not None:
        found.append(f'open scopes {state.scopes}')
    return found


def undo_leaks() -> None:
    """Spares the following tests what ``leaks`` found."""
    determinism.set_enabled(False)
    precision.enable_tensor_float_32_execution(False)
    switches.set_switch(switches.flags, False)
    scope._current.set(None)
    pytest_fixtures.reset_devices()
