"""Speed of tensorvar beside NumPy and the peers that are installed.

``python -m benchmarks`` measures every op family; ``python -m benchmarks matmul``
one. See ``harness`` for how a figure comes about.
"""
