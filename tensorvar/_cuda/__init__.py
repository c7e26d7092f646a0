"""CUDA kernels: found, compiled, cached, launched and chosen.

Sees only values without state and arrays. Nothing here loads CuPy.
"""
