"""Speed of tensorvar beside NumPy and the peers that are installed.

``python -m benchmarks`` measures every op family; ``python -m benchmarks matmul`` one. With
``--save`` the whole run is written, and ``python -m benchmarks.readme_table`` shows it in
the README; ``make bench-peers`` does both. See ``harness`` for how a figure comes about.
"""
