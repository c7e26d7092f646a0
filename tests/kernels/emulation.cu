// Purpose: kernels that use, or misuse, each thing that the emulation offers. For tests.
#include "tv_core.cuh"

namespace tv {

TV_DEVICE void block_sum(const float* values, float* sum, u64 count) {
  TV_SHARED(float, parts, [32]);
  float part = 0;
  for (u64 i = thread_index(); i < count; i += thread_count()) part += values[i];
  for (int lanes = 16; lanes; lanes /= 2) part += __shfl_down_sync(~0u, part, lanes);
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = part;
  __syncthreads();
  if (threadIdx.x >= 32) return;
  part = threadIdx.x < (blockDim.x + 31) / 32 ? parts[threadIdx.x] : 0;
  for (int lanes = 16; lanes; lanes /= 2) part += __shfl_xor_sync(~0u, part, lanes);
  if (threadIdx.x == 0) atomicAdd(sum, part);
}

// Each thread hands its value to its neighbour through shared memory.
template <bool BARRIER>
TV_DEVICE void rotate(u32* values) {
  TV_SHARED(u32, slots, [256]);
  slots[threadIdx.x] = values[threadIdx.x];
  if (BARRIER) __syncthreads();
  values[threadIdx.x] = slots[(threadIdx.x + 1) % blockDim.x];
}

TV_DEVICE void broadcast_lane(u32* values, u64 lane) {
  values[thread_index()] = __shfl_sync(~0u, values[thread_index()], static_cast<int>(lane));
}

// A warp barrier is enough among the lanes of one warp.
TV_DEVICE void reverse_warp(u32* values) {
  TV_SHARED(u32, slots, [64]);
  slots[threadIdx.x] = values[threadIdx.x];
  __syncwarp();
  values[threadIdx.x] = slots[threadIdx.x ^ 31];
}

TV_DEVICE void atomics(u64* results) {
  const u64 mine = thread_index();
  atomicAdd(&results[0], mine);
  atomicMax(&results[1], mine);
  atomicMin(&results[2], mine);
  atomicExch(&results[3], mine);
  atomicCAS(&results[4], static_cast<u64>(0), mine + 1);
}

TV_DEVICE void last_writer(u64* result) { *result = thread_index(); }

TV_DEVICE void half_waits() {
  if (threadIdx.x % 2) __syncthreads();
  else __syncwarp();
}

TV_DEVICE void different_barriers() {
  if (threadIdx.x % 2) __syncthreads();
  else
    __syncthreads();
}

TV_DEVICE void read_unwritten(u32* result) {
  TV_SHARED(u32, slots, [4]);
  result[blockIdx.x] = slots[0];
  slots[0] = 7;
}

// The last element of the dynamic shared memory, before and after it is written.
TV_DEVICE void last_dynamic(u8* results, u64 size) {
  TV_DYNAMIC_SHARED(bytes);
  results[blockIdx.x * 2] = bytes[size - 1];
  bytes[size - 1] = static_cast<u8>(blockIdx.x);
  results[blockIdx.x * 2 + 1] = bytes[size - 1];
}

}  // namespace tv

#define TV_EMULATION(name, parameters, call) \
  TV_KERNEL(256, name) parameters { tv::call; } \
  TV_EXPORT(name)
