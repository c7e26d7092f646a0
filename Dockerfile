# syntax=docker/dockerfile:1
#
#   docker build -t tensorvar .
#   docker run --rm --gpus all tensorvar                       # train on real digits
#   docker run --rm --gpus all tensorvar python -m tensorvar devices
#   docker build --build-arg CUDA_MAJOR=12 -t tensorvar:cuda12 .   # for older drivers
#
# Without `--gpus all` there is no driver inside, and everything runs on the CPU.

ARG CUDA_MAJOR=13
ARG CUDA_13_TAG=13.0.1-runtime-ubuntu24.04
ARG CUDA_12_TAG=12.9.1-runtime-ubuntu24.04

FROM nvidia/cuda:${CUDA_13_TAG} AS cuda13
FROM nvidia/cuda:${CUDA_12_TAG} AS cuda12

FROM cuda${CUDA_MAJOR}
ARG CUDA_MAJOR

RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*

# The runtime image has neither the CUDA headers nor, always, NVRTC; CuPy needs both to
# compile. The extra brings them as wheels, together with the libraries CuPy links to.
RUN python3 -m venv /opt/tensorvar
ENV PATH=/opt/tensorvar/bin:$PATH
RUN --mount=type=bind,target=/source,rw \
    --mount=type=cache,target=/root/.cache/pip \
    pip install "/source[cuda${CUDA_MAJOR},demo]"

# Compiled kernels are cached below the home directory.
RUN useradd --create-home tensorvar
USER tensorvar
WORKDIR /home/tensorvar
COPY --chown=tensorvar examples examples

HEALTHCHECK --interval=1m --timeout=30s --start-period=30s \
    CMD ["python", "-m", "tensorvar", "devices"]
CMD ["python", "examples/digits.py"]
