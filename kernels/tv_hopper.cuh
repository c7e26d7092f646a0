// Purpose: what only Hopper (sm_90a) has, one function per instruction: barriers that count
// bytes, the copy engine, products of a warpgroup, registers that change hands. On the CPU,
// cpu/tv_hopper_cpu.h says what they mean.
//
// Rows of 128 bytes: every tile in shared memory is made of rows of 128 bytes, 1024-byte
// aligned, and the copy engine swaps the 16-byte chunks of a row by the number of the row
// modulo 8 (the swizzle of 128 bytes), so that columns are read without bank conflicts.
#pragma once
#include "tv_types.cuh"

#ifdef TV_CPU
#include "cpu/tv_hopper_cpu.h"
#endif

namespace tv {

constexpr int WARPGROUP = 128;
constexpr int TILE_ROW_BYTES = 128;

// What the driver encodes; it is opaque to the kernel.
struct alignas(128) TensorMap { u64 word[16]; };

// A float of which the tensor cores see 10 bits of mantissa.
struct Tf32 { u32 bits; };

TV_DEVICE u32 swizzled(u32 row, u32 byte) {
  return row * TILE_ROW_BYTES + (byte ^ (row & 7) << 4);
}

#ifndef TV_CPU
TV_DEVICE u32 shared_address(const void* shared) {
  return static_cast<u32>(__cvta_generic_to_shared(shared));
}

TV_DEVICE void barrier_init(u64* barrier, u32 arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;"
               :: "r"(shared_address(barrier)), "r"(arrivals) : "memory");
}

// Returns once the phase of this parity is over.
TV_DEVICE void barrier_wait(u64* barrier, u32 parity) {
  asm volatile(
      "{\n.reg .pred over;\n"
      "TRY:\nmbarrier.try_wait.parity.shared::cta.b64 over, [%0], %1;\n"
      "@over bra OVER;\nbra TRY;\nOVER:\n}"
      :: "r"(shared_address(barrier)), "r"(parity) : "memory");
}

TV_DEVICE void barrier_arrive(u64* barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];"
               :: "r"(shared_address(barrier)) : "memory");
}

// Arrives, and keeps the phase open until the copy engine has brought so many bytes.
TV_DEVICE void barrier_expect(u64* barrier, u32 bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;"
               :: "r"(shared_address(barrier)), "r"(bytes) : "memory");
}

// Lets the copy engine and the cluster see barriers that this thread made.
TV_DEVICE void fence_barrier_init() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}

// Barriers 1 to 15; 0 is __syncthreads.
TV_DEVICE void named_barrier(u32 number, u32 threads) {
  asm volatile("bar.sync %0, %1;" :: "r"(number), "r"(threads) : "memory");
}

// The blocks of a cluster run at the same time and reach each other's shared memory.
TV_DEVICE u32 rank_in_cluster() {
  u32 rank;
  asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  return rank;
}

// Of all threads of all blocks. Orders no memory: barriers that were made are seen by
// `fence_barrier_init`, and nothing else is handed over this way.
TV_DEVICE void cluster_barrier() {
  asm volatile("barrier.cluster.arrive.relaxed;\nbarrier.cluster.wait;" ::: "memory");
}

// Arrives at the barrier that lies at the same place in another block, or this one. It says
// that memory was read, and hands over nothing that was written: with `.release.cluster` each
// arrival would wait until all of the card sees this thread's writes (MEMBAR.ALL.GPU).
TV_DEVICE void barrier_arrive_at(u64* barrier, u32 rank) {
  asm volatile(
      "{\n.reg .b32 there;\nmapa.shared::cluster.u32 there, %0, %1;\n"
      "mbarrier.arrive.shared::cluster.b64 _, [there];\n}"
      :: "r"(shared_address(barrier)), "r"(rank) : "memory");
}

TV_DEVICE void prefetch_map(const TensorMap& map) {
  asm volatile("prefetch.tensormap [%0];" :: "l"(&map) : "memory");
}

// Begins to bring a box, zeros where it is outside; arrives with the bytes of the whole box.
TV_DEVICE void load_tile(void* to, const TensorMap& map, u64* barrier, i32 x, i32 y, i32 z) {
  asm volatile(
      "cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes "
      "[%0], [%1, {%3, %4, %5}], [%2];"
      :: "r"(shared_address(to)), "l"(&map), "r"(shared_address(barrier)), "r"(x), "r"(y), "r"(z)
      : "memory");
}

// The same for every block whose bit is set, each at this place of its own shared memory.
TV_DEVICE void load_tile_for(u32 ranks, void* to, const TensorMap& map, u64* barrier, i32 x, i32 y,
                             i32 z) {
  asm volatile(
      "cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes"
      ".multicast::cluster [%0], [%1, {%3, %4, %5}], [%2], %6;"
      :: "r"(shared_address(to)), "l"(&map), "r"(shared_address(barrier)), "r"(x), "r"(y), "r"(z),
         "h"(static_cast<u16>(ranks))
      : "memory");
}

// Begins to store a box, but for what is outside.
TV_DEVICE void store_tile(const TensorMap& map, void* from, i32 x, i32 y, i32 z) {
  asm volatile(
      "cp.async.bulk.tensor.3d.global.shared::cta.bulk_group [%0, {%2, %3, %4}], [%1];"
      :: "l"(&map), "r"(shared_address(from)), "r"(x), "r"(y), "r"(z) : "memory");
}

TV_DEVICE void commit_stores() { asm volatile("cp.async.bulk.commit_group;" ::: "memory"); }

// Waits until all committed stores of this thread but the newest have read their memory.
template <int NEWEST>
TV_DEVICE void wait_stores_read() {
  asm volatile("cp.async.bulk.wait_group.read %0;" :: "n"(NEWEST) : "memory");
}

// Lets the copy engine and the tensor cores see what this thread wrote to shared memory.
TV_DEVICE void fence_async() {
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

// Four 8 x 8 matrices of 16-bit elements; lane 8 i + r names the address of row r of matrix
// i and holds two neighbours of row lane / 4 of each.
TV_DEVICE void store_matrices(void* to, u32 a, u32 b, u32 c, u32 d) {
  asm volatile("stmatrix.sync.aligned.m8n8.x4.shared::cta.b16 [%0], {%1, %2, %3, %4};"
               :: "r"(shared_address(to)), "r"(a), "r"(b), "r"(c), "r"(d) : "memory");
}

TV_DEVICE void store_pair(void* to, float a, float b) {
  asm volatile("st.shared.v2.f32 [%0], {%1, %2};"
               :: "r"(shared_address(to)), "f"(a), "f"(b) : "memory");
}

// To nearest, ties away from zero: the only rounding that the instruction has.
TV_DEVICE u32 round_tf32(float value) {
  u32 bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(value));
  return bits;
}

// By all warps of a warpgroup, in one branch of a single if. Ignored unless the kernel says
// how many blocks a multiprocessor has at least.
template <int COUNT>
TV_DEVICE void release_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" :: "n"(COUNT));
}
template <int COUNT>
TV_DEVICE void take_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" :: "n"(COUNT));
}

// Before products whose registers were touched.
TV_DEVICE void wgmma_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
TV_DEVICE void wgmma_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }

// Waits until all committed products but the newest groups are done.
template <int NEWEST>
TV_DEVICE void wgmma_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" :: "n"(NEWEST) : "memory");
}

// sums = A B, or added to it: 64 x N floats over the warpgroup. Of 16-bit elements, 16 along
// K; the flags say which operand's rows lie across K. Of tf32, 8 along K; A comes from
// registers, B's rows lie along K.
template <class T, int N> struct Wgmma;
#include "tv_wgmma.cuh"
#endif

// A tile for the tensor cores. Its rows lie along K: `stride` bytes from eight rows to the
// next eight; `leading` is not read. Or across K: `stride` from eight rows to the next, and
// `leading` from 128 bytes of columns to the next.
TV_DEVICE u64 matrix_descriptor(const void* tile, u32 leading, u32 stride) {
  constexpr u64 SWIZZLE_128_BYTES = u64{1} << 62;
  return SWIZZLE_128_BYTES | static_cast<u64>(stride >> 4) << 32 |
         static_cast<u64>(leading >> 4) << 16 | (shared_address(tile) & 0x3ffff) >> 4;
}

// The same tile so many bytes further on.
TV_DEVICE u64 moved_descriptor(u64 descriptor, int bytes) {
  return descriptor + static_cast<u64>(bytes >> 4);
}

// Two floats as neighbours of 16 bits, the first in the low half.
template <class T>
TV_DEVICE u32 pack_pair(float low, float high) {
#ifdef TV_CPU
  return convert<T>(low).bits | static_cast<u32>(convert<T>(high).bits) << 16;
#else
  u32 pair;
  if constexpr (same<T, Half>)
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  else
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  return pair;
#endif
}

}  // namespace tv
