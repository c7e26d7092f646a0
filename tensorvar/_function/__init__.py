"""``tv.function``: a function runs once for real, later calls replay a plan of it.

``trace`` writes down what a run does, ``tree`` keeps the paths that were seen,
``segment`` and ``lowering`` turn each stretch between two branch points into
straight-line Python code, ``plan`` runs it, and ``function`` is what users touch.
"""
