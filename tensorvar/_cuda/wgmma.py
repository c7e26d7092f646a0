"""Writes the functions of ``tv_hopper.cuh`` that multiply tiles in the tensor cores.

An instruction names each of its up to 128 accumulators, which C++ cannot write as a loop.
"""

import functools

WIDTHS = (64, 128, 192, 256)
"""Columns of the result that there is a function for."""

_SIXTEEN_BIT = """\
template <> struct Wgmma<{type}, {width}> {{
  template <int TRANSPOSED_A, int TRANSPOSED_B>
  TV_DEVICE static void multiply(float (&sums)[{count}], u64 a, u64 b, bool accumulate) {{
    asm volatile("{{\\n.reg .pred add;\\nsetp.ne.b32 add, %{flag}, 0;\\n"
                 "wgmma.mma_async.sync.aligned.m64n{width}k16.f32.{ptx}.{ptx} "
                 "{{{registers}}}, "
                 "%{a}, %{b}, add, 1, 1, %{transposed_a}, %{transposed_b};\\n}}"
                 : {sums}
                 : "l"(a), "l"(b), "r"(static_cast<u32>(accumulate)), "n"(TRANSPOSED_A),
                   "n"(TRANSPOSED_B));
  }}
}};
"""
_TF32 = """\
template <> struct Wgmma<Tf32, {width}> {{
  TV_DEVICE static void multiply(float (&sums)[{count}], const u32 (&a)[4], u64 b,
                                 bool accumulate) {{
    asm volatile("{{\\n.reg .pred add;\\nsetp.ne.b32 add, %{flag}, 0;\\n"
                 "wgmma.mma_async.sync.aligned.m64n{width}k8.f32.tf32.tf32 "
                 "{{{registers}}}, "
                 "{{{fragment}}}, %{b}, add, 1, 1;\\n}}"
                 : {sums}
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b),
                   "r"(static_cast<u32>(accumulate)));
  }}
}};
"""


@functools.cache
def text() -> str:
    """The functions for every type and width."""
    parts = []
    for width in WIDTHS:
        for type_, ptx in (('Half', 'f16'), ('BFloat16', 'bf16')):
            parts.append(_sixteen_bit(type_, ptx, width))
        parts.append(_tf32(width))
    return ''.join(parts)


def _sixteen_bit(type_: str, ptx: str, width: int) -> str:
    count = width // 2
    return _SIXTEEN_BIT.format(
        type=type_, ptx=ptx, width=width, count=count, registers=_registers(0, count),
        sums=_sums(count), a=count, b=count + 1, flag=count + 2, transposed_a=count + 3,
        transposed_b=count + 4,
    )  # fmt: skip


def _tf32(width: int) -> str:
    count = width // 2
    return _TF32.format(
        width=width, count=count, registers=_registers(0, count), sums=_sums(count),
        fragment=_registers(count, 4), b=count + 4, flag=count + 5,
    )  # fmt: skip


def _registers(first: int, count: int) -> str:
    return ', '.join(f'%{number}' for number in range(first, first + count))


def _sums(count: int) -> str:
    return ', '.join(f'"+f"(sums[{number}])' for number in range(count))
