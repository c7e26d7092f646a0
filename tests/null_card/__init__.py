"""A card that computes nothing, for the tests that need a real one: ``make null-card``.

CuPy is the real one, from its wheel. Beneath it stand in: the functions of CUDA's runtime
and driver that CuPy calls (``entry_points.py``), the driver's libraries (``driver.c``) and
cuBLAS, cuSOLVER, cuFFT and their like (``libraries.c``, ``libraries.py``). Memory of the card is
memory of the host, copies copy, a launch does nothing.

What a passing run proves: whatever our code asks of CuPy and of CUDA exists under that name and
takes these arguments; results have the dtypes and shapes of the rules; NVRTC compiles our kernels
for one chip, and what launches them runs to its end.

What it cannot prove: any value, which is why ``plugin.py`` forgives tests that only miss one;
that CuPy's own kernels compile, for they are not compiled; what the real driver and libraries
refuse; order among streams; time. Sums and sorts of CuPy take their ways without CUB and Thrust.
"""
