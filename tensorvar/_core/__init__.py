"""Tensors, variables, the executor, the tape."""
