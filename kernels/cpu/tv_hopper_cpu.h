// Purpose: what tv_hopper.cuh means on the CPU: barriers that count arrivals and bytes, the
// copy engine, the tensor cores of a warpgroup.
//
// What a GPU does beside the threads is done as early as it may be where threads run forward
// (a slot that is given back too soon is overwritten before it was read), as late as it may
// be in reverse order (what nobody waits for has not happened yet), and either way at random.
// Products are always computed late: when a thread waits for them.
// Misuse ends the launch: shared memory that was written by a thread and is stored by the
// copy engine without a fence, products without a fence, descriptors that no wgmma reads,
// a block that ends before its stores have read its memory.
//
// What it cannot find: fences between barriers and the copy engine, more registers than
// setmaxnreg leaves, and whether a GPU reads descriptors as they are read here.
#pragma once
#include "tv_copy_engine_cpu.h"
#include "tv_wgmma_cpu.h"

namespace tv {

TV_DEVICE u32 shared_address(const void* shared) { return tvcpu::offset_of(shared); }

TV_DEVICE tvcpu::Barrier& host_barrier(u64* barrier) {
  tvcpu::renew();
  if (reinterpret_cast<uintptr_t>(barrier) % 8) tvcpu::fail("a barrier is not aligned");
  return *reinterpret_cast<tvcpu::Barrier*>(barrier);
}

TV_DEVICE void barrier_init(u64* barrier, u32 arrivals) {
  const u16 count = static_cast<u16>(arrivals);
  host_barrier(barrier) = {0, count, static_cast<u16>(count & 0x7fff), 0};
}
TV_DEVICE void barrier_wait(u64* barrier, u32 parity) {
  tvcpu::wait_until({tvcpu::phase_is_over, &host_barrier(barrier), parity});
}
TV_DEVICE void barrier_arrive(u64* barrier) {
  tvcpu::Barrier& host = host_barrier(barrier);
  if (!host.pending) tvcpu::fail("more arrivals at a barrier than it was made for");
  host.pending = static_cast<u16>((host.pending - 1) & 0x7fff);
  tvcpu::complete(host);
}
TV_DEVICE void barrier_expect(u64* barrier, u32 bytes) {
  host_barrier(barrier).bytes += static_cast<i32>(bytes);
  barrier_arrive(barrier);
}
TV_DEVICE void fence_barrier_init() {}

TV_DEVICE void named_barrier(u32 number, u32 threads) {
  tvcpu::renew();
  tvcpu::wait_at(tvcpu::named_barriers[tvcpu::rank_of(*tvcpu::current)][number], threads);
}

TV_DEVICE u32 rank_in_cluster() { return tvcpu::rank_of(*tvcpu::current); }
TV_DEVICE void cluster_barrier() {
  tvcpu::renew();
  tvcpu::wait_at(tvcpu::cluster_barrier, static_cast<u32>(tvcpu::fibers.size()));
}
TV_DEVICE void barrier_arrive_at(u64* barrier, u32 rank) {
  barrier_arrive(tvcpu::in_block(barrier, rank));
}

struct TensorMap;

TV_DEVICE void prefetch_map(const TensorMap&) {}
TV_DEVICE void load_tile(void* to, const TensorMap& map, u64* barrier, i32 x, i32 y, i32 z) {
  tvcpu::Copy copy = tvcpu::describe_copy(&map, to, &host_barrier(barrier), x, y, z);
  if (tvcpu::at_once()) tvcpu::move(copy);
  else tvcpu::loads.push_back(copy);
}
TV_DEVICE void load_tile_for(u32 ranks, void* to, const TensorMap& map, u64* barrier, i32 x, i32 y,
                             i32 z) {
  for (u32 rank = 0; rank < tvcpu::cluster_blocks; ++rank) {
    if (!(ranks >> rank & 1)) continue;
    tvcpu::Copy copy = tvcpu::describe_copy(&map, to, nullptr, x, y, z);
    copy.shared = tvcpu::in_block(copy.shared, rank);
    copy.barrier = &host_barrier(tvcpu::in_block(barrier, rank));
    if (tvcpu::at_once()) tvcpu::move(copy);
    else tvcpu::loads.push_back(copy);
  }
}
TV_DEVICE void store_tile(const TensorMap& map, void* from, i32 x, i32 y, i32 z) {
  tvcpu::Stores& self = tvcpu::my_stores();
  tvcpu::Copy copy = tvcpu::describe_copy(&map, from, nullptr, x, y, z);
  const u8* const end = copy.shared + copy.map.box[0] * copy.map.box[1] * copy.map.element;
  for (const tvcpu::Stores& each : tvcpu::stores)
    if (each.written < end && copy.shared < each.written_end)
      tvcpu::fail("a tile is stored that was written without fence.proxy.async");
  if (tvcpu::at_once()) tvcpu::move(copy);
  self.open.push_back(copy);
}
TV_DEVICE void commit_stores() {
  tvcpu::Stores& self = tvcpu::my_stores();
  self.groups.push_back(self.open);
  self.open.clear();
}
template <int NEWEST>
TV_DEVICE void wait_stores_read() {
  tvcpu::Stores& self = tvcpu::my_stores();
  while (self.groups.size() > NEWEST) {
    for (tvcpu::Copy& copy : self.groups.front())
      if (!copy.done) tvcpu::move(copy);
    self.groups.erase(self.groups.begin());
  }
}
TV_DEVICE void fence_async() {
  tvcpu::Stores& self = tvcpu::my_stores();
  self.written = self.written_end = nullptr;
}

// Lane 8 i + r names the address of row r of matrix i.
TV_DEVICE void store_matrices(void* to, u32 a, u32 b, u32 c, u32 d) {
  const u32 words[4] = {a, b, c, d};
  const u32 lane = tvcpu::lane();
  for (u32 i = 0; i < 4; ++i) {
    const u64 row = tvcpu::exchange(reinterpret_cast<u64>(to), i * 8 + lane / 4);
    u8* const word = reinterpret_cast<u8*>(row) + lane % 4 * 4;
    std::memcpy(word, &words[i], sizeof(u32));
    tvcpu::mark_written(word, sizeof(u32));
  }
}
TV_DEVICE void store_pair(void* to, float a, float b) {
  const float pair[2] = {a, b};
  std::memcpy(to, pair, sizeof pair);
  tvcpu::mark_written(to, sizeof pair);
}
TV_DEVICE u32 round_tf32(float value) {
  const u32 bits = __float_as_uint(value);
  return value == value ? (bits + 0x1000u) & ~0x1fffu : 0x7fffffffu;
}

template <int COUNT> TV_DEVICE void release_registers() {}
template <int COUNT> TV_DEVICE void take_registers() {}

TV_DEVICE void wgmma_fence() { tvcpu::my_products().fenced = true; }
TV_DEVICE void wgmma_commit() {
  tvcpu::my_products().ends.push_back(tvcpu::my_products().begun.size());
}
template <int NEWEST>
TV_DEVICE void wgmma_wait() { tvcpu::finish_products(NEWEST); }

struct Tf32;
template <class T, int N> struct Wgmma;

#define TV_HOST_WGMMA(T, VALUE)                                                              \
  template <int N> struct Wgmma<T, N> {                                                      \
    template <int TRANSPOSED_A, int TRANSPOSED_B>                                            \
    TV_DEVICE static void multiply(float (&sums)[N / 2], u64 a, u64 b, bool accumulate) {    \
      tvcpu::begin_product({tvcpu::product_16_bit<T, VALUE, N, TRANSPOSED_A, TRANSPOSED_B>,  \
                            sums, a, b, nullptr, accumulate});                               \
    }                                                                                        \
  };
TV_HOST_WGMMA(Half, tvcpu::half_value)
TV_HOST_WGMMA(BFloat16, tvcpu::bfloat16_value)
#undef TV_HOST_WGMMA

template <int N> struct Wgmma<Tf32, N> {
  TV_DEVICE static void multiply(float (&sums)[N / 2], const u32 (&a)[4], u64 b,
                                 bool accumulate) {
    tvcpu::begin_product({tvcpu::product_tf32<N>, sums, 0, b, a, accumulate});
  }
};

}  // namespace tv
