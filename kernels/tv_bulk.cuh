// Purpose: the copy engine of sm_90 and newer adds a piece of shared memory to global memory:
// one request for a whole row in place of one per 16 bytes. Addresses and sizes are multiples
// of 16 bytes. On the CPU, cpu/tv_bulk_cpu.h says what it means.
//
// A thread that has written shared memory calls bulk_fence(), the threads meet, then one
// calls bulk_add() and bulk_commit(). Before the memory is written again, or the block ends,
// that one calls bulk_wait().
#pragma once
#include "tv_types.cuh"

#ifdef TV_CPU
#include "cpu/tv_bulk_cpu.h"
#endif

namespace tv {

#ifdef TV_CPU
template <class D>
TV_DEVICE void bulk_add(D* to, const D* shared, u32 bytes) {
  const auto add = [](void* into, const void* from, size_t size) {
    for (size_t i = 0; i < size / sizeof(D); ++i) {
      D& sum = static_cast<D*>(into)[i];
      sum = convert<D>(widen(sum) + widen(static_cast<const D*>(from)[i]));
    }
  };
  tvcpu::bulk_add({add, to, shared, bytes, tvcpu::current->index, tvcpu::block_serial, false});
}

TV_DEVICE void bulk_commit() { tvcpu::bulk_commit(); }
TV_DEVICE void bulk_wait() { tvcpu::bulk_wait(); }
TV_DEVICE void bulk_fence() {}
#else
#define TV_BULK_ADD(D, TYPE)                                                               \
  TV_DEVICE void bulk_add(D* to, const D* shared, u32 bytes) {                             \
    asm volatile("cp.reduce.async.bulk.global.shared::cta.bulk_group.add." TYPE            \
                 " [%0], [%1], %2;"                                                        \
                 :: "l"(to), "r"(static_cast<u32>(__cvta_generic_to_shared(shared))),      \
                    "r"(bytes) : "memory");                                                \
  }
TV_BULK_ADD(float, "f32")
TV_BULK_ADD(double, "f64")
TV_BULK_ADD(Half, "noftz.f16")
TV_BULK_ADD(BFloat16, "noftz.bf16")

TV_DEVICE void bulk_commit() { asm volatile("cp.async.bulk.commit_group;" ::: "memory"); }

// Until shared memory has been read; global memory is done when the kernel is.
TV_DEVICE void bulk_wait() { asm volatile("cp.async.bulk.wait_group.read 0;" ::: "memory"); }

TV_DEVICE void bulk_fence() {
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}
#endif

}  // namespace tv
