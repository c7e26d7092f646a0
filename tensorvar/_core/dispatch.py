"""The way from operators and conversions to the executor.

Tensors have operators, operators run ops, and the executor makes tensors. This module
breaks that circle: the executor puts its functions here when it is loaded. So do those
who replay the walks of tapes, and those who make one step of a plan of a loop or a choice.
"""

from collections.abc import Callable
from typing import Any

run: Callable[..., Any]
run_pair: Callable[..., Any]
create: Callable[..., Any]
replay_gradients: Callable[..., Any]
while_loop: Callable[..., Any]
over_rows: Callable[..., Any]
choose: Callable[..., Any]
