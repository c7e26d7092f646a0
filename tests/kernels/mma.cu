// Purpose: kernels that run one instruction of tv_mma.cuh each on registers and rows that
// the test has chosen. For tests.
#include "tv_mma.cuh"

namespace tv {

// Rows of shared memory that the lanes name, and what they get of them.
template <bool TRANSPOSED>
TV_DEVICE void load_rows(const u8* bytes, u64 count, const u32* rows, u32* registers) {
  TV_DYNAMIC_SHARED(shared);
  for (u64 i = threadIdx.x; i < count; i += blockDim.x) shared[i] = bytes[i];
  __syncthreads();
  u32 loaded[4];
  load_matrices<TRANSPOSED>(loaded, shared_address(shared) + rows[threadIdx.x]);
  for (int i = 0; i < 4; ++i) registers[threadIdx.x * 4 + i] = loaded[i];
}

TV_DEVICE void load_by_half_a_warp() {
  u32 loaded[4];
  if (threadIdx.x % 2) load_matrices<false>(loaded, 0);
}

TV_DEVICE void load_both_ways() {
  u32 loaded[4];
  if (threadIdx.x % 2) load_matrices<false>(loaded, 0);
  else load_matrices<true>(loaded, 0);
}

TV_DEVICE void round_to_tf32(u32* values) { values[threadIdx.x] = to_tf32(values[threadIdx.x]); }

TV_DEVICE void unzip_bytes(u32* words) {
  u32* const own = words + threadIdx.x * 2;
  const u32 even = every_second_byte(own[0], own[1], false);
  own[1] = every_second_byte(own[0], own[1], true);
  own[0] = even;
}

}  // namespace tv

#define TV_MULTIPLY(name, Register, Sum, A, B, C, call)                       \
  TV_KERNEL(32, name)(const Register* from_a, const Register* from_b, Sum* c) { \
    Register a[A], b[B];                                                      \
    Sum sum[C];                                                               \
    for (int i = 0; i < A; ++i) a[i] = from_a[threadIdx.x * A + i];           \
    for (int i = 0; i < B; ++i) b[i] = from_b[threadIdx.x * B + i];           \
    for (int i = 0; i < C; ++i) sum[i] = c[threadIdx.x * C + i];              \
    call;                                                                     \
    for (int i = 0; i < C; ++i) c[threadIdx.x * C + i] = sum[i];              \
  }                                                                           \
  TV_EXPORT(name)

#define TV_INSTRUCTION(name, parameters, call) \
  TV_KERNEL(32, name) parameters { tv::call; } \
  TV_EXPORT(name)
