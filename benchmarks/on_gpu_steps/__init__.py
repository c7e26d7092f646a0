"""The steps of ``python -m benchmarks.on_gpu``, and what runs, times and reports them.

Each step is a module with a ``main`` that runs in a process of its own (``session``):
it says what it found in short lines and in rows of figures, which are written as they
come, so that a step that is stopped or dies loses only what it had not measured yet.
"""
