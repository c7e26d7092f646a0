"""``tv.function``: a function runs once for real, later calls replay a plan of it.

``trace`` writes down what a run does, ``tree`` keeps the paths that were seen,
``segment`` and ``lowering`` turn each stretch between two branch points into
straight-line Python code, ``plan`` runs it, and ``function`` is what users touch.
``loops`` and ``conditions`` make one step of a loop or a choice; ``subtrace`` writes its
parts down. ``taped`` and ``observed`` let the caller's tapes and recorders see a replay.
``gradient_plans`` does the same for the walks of eager tapes.
"""
