"""Does a program written for TensorFlow give the same result on tensorvar?

``generator`` draws small programs as data, ``recorder`` runs them on TensorFlow and keeps
what came out, ``checker`` runs them on tensorvar and compares. ``table`` has a row per op;
``scenarios`` has what is more than one call. ``python -m benchmarks.agreement --help``.
"""
