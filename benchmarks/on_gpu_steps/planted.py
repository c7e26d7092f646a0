"""Kernels with one mistake each, for the tool of compute-sanitizer that has to find it.

``python -m benchmarks.on_gpu_steps.planted TOOL`` launches one.
"""

import sys

import numpy as np

from benchmarks.on_gpu_steps.families import machine, separate_blocks
from tensorvar._cuda import arguments, launch, nvrtc

WORDS = 64
MISTAKES = {
    # The second half of the block writes beyond the end.
    'memcheck': """
extern "C" __global__ void planted(unsigned *given, unsigned *written) {
  written[threadIdx.x * 2] = given[threadIdx.x];
}
""",
    # What another warp reads, no barrier before it.
    'racecheck': """
extern "C" __global__ void planted(unsigned *given, unsigned *written) {
  __shared__ unsigned turned[64];
  turned[threadIdx.x] = given[threadIdx.x];
  written[threadIdx.x] = turned[63 - threadIdx.x];
}
""",
    # A barrier that a part of a warp passes by.
    'synccheck': """
extern "C" __global__ void planted(unsigned *given, unsigned *written) {
  __shared__ unsigned kept[64];
  if (threadIdx.x < 48) {
    kept[threadIdx.x] = given[threadIdx.x];
    __syncthreads();
    written[threadIdx.x] = kept[47 - threadIdx.x];
  }
}
""",
    # What is written comes from memory that nobody wrote.
    'initcheck': """
extern "C" __global__ void planted(unsigned *given, unsigned *written) {
  given[threadIdx.x] += written[threadIdx.x];
}
""",
}


def main(tool: str) -> None:
    """Launches the mistake that is for a tool."""
    separate_blocks.install()
    card = machine.first()
    given = card.put(np.ones(WORDS, np.uint32))
    written = card.backend.empty((WORDS,), np.dtype(np.uint32))

    def run() -> None:
        cubin = nvrtc.compiler().compile(MISTAKES[tool], card.chip, name='planted').cubin
        driver = launch.driver()
        signature = arguments.Signature(arguments.POINTER, arguments.POINTER)
        kernel = launch.DeviceKernel(driver, driver.load(cubin), 'planted', signature)
        target = card.kernels.matmul.target
        bound = kernel.bind(launch.Grid(1, WORDS))
        bound(target.stream(), target.pointer(given), target.pointer(written))

    card.run(run)
    card.backend.synchronize()


if __name__ == '__main__':
    main(sys.argv[1])
