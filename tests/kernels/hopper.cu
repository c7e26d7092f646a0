// Purpose: kernels that use, or misuse, what tv_hopper.cuh offers. For tests.
#include "tv_hopper.cuh"

namespace tv {

// Brings a box, which the emulation swizzles, and hands out the memory as it lies.
TV_DEVICE void bring(const TensorMap& map, u8* out, u64 bytes, u64 x, u64 y, u64 z, u64 waits,
                     u8* shared) {
  u64* const arrived = reinterpret_cast<u64*>(shared + 4096);
  if (threadIdx.x == 0) barrier_init(arrived, 1);
  __syncthreads();
  if (threadIdx.x == 0) {
    barrier_expect(arrived, static_cast<u32>(bytes));
    load_tile(shared, map, arrived, static_cast<i32>(x), static_cast<i32>(y),
              static_cast<i32>(z));
  }
  if (waits) barrier_wait(arrived, 0);
  for (u32 i = threadIdx.x; i < bytes; i += blockDim.x) out[i] = shared[i];
  barrier_wait(arrived, 0);
}

// Counts up to 32 in shared memory, swizzled, and stores a box of it.
TV_DEVICE void send(const TensorMap& map, u64 x, u64 y, u64 z, u64 fences, u64 waits, u8* shared) {
  const u32 row = threadIdx.x;
  for (u32 i = 0; i < TILE_ROW_BYTES; i += 8)
    store_pair(shared + swizzled(row, i), static_cast<float>(row * 32 + i / 4),
               static_cast<float>(row * 32 + i / 4 + 1));
  if (fences) fence_async();
  __syncthreads();
  if (threadIdx.x) return;
  store_tile(map, shared, static_cast<i32>(x), static_cast<i32>(y), static_cast<i32>(z));
  commit_stores();
  if (waits) wait_stores_read<0>();
}

// Each block of a cluster brings half of a box for all.
TV_DEVICE void share(const TensorMap& map, u8* out, u64 rows, u8* shared) {
  u64* const arrived = reinterpret_cast<u64*>(shared + 4096);
  const u32 half = static_cast<u32>(rows) * TILE_ROW_BYTES;
  if (threadIdx.x == 0) {
    barrier_init(arrived, 1);
    fence_barrier_init();
  }
  cluster_barrier();
  const u32 rank = rank_in_cluster();
  if (threadIdx.x == 0) {
    barrier_expect(arrived, 2 * half);
    load_tile_for(3, shared + rank * half, map, arrived, 0,
                  static_cast<i32>(rank * static_cast<u32>(rows)), 0);
  }
  barrier_wait(arrived, 0);
  for (u32 i = threadIdx.x; i < 2 * half; i += blockDim.x)
    out[blockIdx.x * 2 * half + i] = shared[i];
  cluster_barrier();
}

// One after the other, as often as there are turns: the second half of the block reads what
// the first has written.
TV_DEVICE void take_turns(u32* out, u64 turns, u8* shared) {
  u64* const full = reinterpret_cast<u64*>(shared + 512);
  u64* const empty = full + 1;
  u32* const values = reinterpret_cast<u32*>(shared);
  if (threadIdx.x == 0) {
    barrier_init(full, 32);
    barrier_init(empty, 32);
  }
  __syncthreads();
  for (u32 turn = 0; turn < turns; ++turn) {
    if (threadIdx.x < 32) {
      barrier_wait(empty, turn % 2 ^ 1);
      values[threadIdx.x] = turn * 100 + threadIdx.x;
      barrier_arrive(full);
    } else {
      barrier_wait(full, turn % 2);
      out[turn * 32 + threadIdx.x - 32] = values[threadIdx.x ^ 63];
      barrier_arrive(empty);
    }
  }
}

TV_DEVICE void matrices(u16* out, u8* shared) {
  const u32 lane = threadIdx.x;
  store_matrices(shared + lane % 16 * 32 + lane / 16 * 16, 4 * lane, 4 * lane + 1, 4 * lane + 2,
                 4 * lane + 3);
  __syncwarp();
  for (u32 i = lane; i < 256; i += 32) out[i] = reinterpret_cast<u16*>(shared)[i];
}

// Each half of the block waits for itself alone.
TV_DEVICE void halves(u32* out, u64 turns, u8* shared) {
  u32* const values = reinterpret_cast<u32*>(shared);
  const u32 half = threadIdx.x / 64;
  for (u32 turn = 0; turn < turns * (half + 1); ++turn) {
    values[threadIdx.x] = turn;
    named_barrier(1 + half, 64);
    out[threadIdx.x] = values[threadIdx.x ^ 63];
    named_barrier(1 + half, 64);
  }
}

TV_DEVICE void too_many_arrivals(u8* shared) {
  u64* const barrier = reinterpret_cast<u64*>(shared);
  if (threadIdx.x) return;
  barrier_init(barrier, 2);
  barrier_arrive(barrier);
  barrier_arrive(barrier);
  barrier_wait(barrier, 0);
  barrier_init(barrier + 1, 0);
  barrier_arrive(barrier + 1);
}

TV_DEVICE void never_arrives(u8* shared) {
  u64* const barrier = reinterpret_cast<u64*>(shared);
  if (threadIdx.x == 0) barrier_init(barrier, 2);
  __syncthreads();
  if (threadIdx.x == 0) barrier_arrive(barrier);
  barrier_wait(barrier, 0);
}

TV_DEVICE void reaches_an_ended_block(u8* shared) {
  u64* const barrier = reinterpret_cast<u64*>(shared);
  if (threadIdx.x == 0) barrier_init(barrier, 100);
  cluster_barrier();
  if (rank_in_cluster() == 1) return;
  for (u32 i = 0; i < 50; ++i) {
    __syncthreads();
    if (threadIdx.x == 0) barrier_arrive_at(barrier, 1);
  }
}

TV_DEVICE void multiplies(float* out, int fences, int swizzles, u8* shared) {
  float sums[32];
  const u64 tile = matrix_descriptor(shared, 8192, 1024);
  if (fences) wgmma_fence();
  const u64 a = swizzles ? tile : tile & ~(u64{3} << 62);
  Wgmma<Half, 64>::multiply<0, 0>(sums, a, tile, false);
  wgmma_commit();
  wgmma_wait<0>();
  out[threadIdx.x] = sums[0];
}

}  // namespace tv

#define TV_HOPPER(name, parameters, call) \
  TV_KERNEL(256, name) parameters {       \
    TV_DYNAMIC_SHARED(shared);            \
    tv::call;                             \
  }                                       \
  TV_EXPORT(name)
