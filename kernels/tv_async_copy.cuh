// Purpose: copies from global to shared memory that run beside the arithmetic (cp.async,
// sm_80 and newer). The copies that a thread has begun since its last commit are a group;
// waiting makes old groups visible to that thread, and a barrier then to its block.
#pragma once
#include "tv_core.cuh"
#ifdef TV_CPU
#include "cpu/tv_async_copy_cpu.h"
#endif

namespace tv {

// Where something lies in dynamic shared memory, as the instructions take it.
TV_DEVICE u32 shared_address(const void* pointer) {
#ifdef TV_CPU
  return static_cast<u32>(static_cast<const u8*>(pointer) - tvcpu::dynamic_shared.first);
#else
  return static_cast<u32>(__cvta_generic_to_shared(pointer));
#endif
}

// Begins to copy `valid` of BYTES bytes and to fill the rest with zeros; BYTES is 4, 8 or
// 16 and both addresses are multiples of it. `from` is not read where `valid` is 0.
template <int BYTES>
TV_DEVICE void copy_async(u32 to, const void* from, u32 valid) {
#ifdef TV_CPU
  tvcpu::copy_async(to, from, BYTES, valid);
#else
  // Whole lines are kept out of the first level cache, which is the shared memory itself.
  if constexpr (BYTES == 16)
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;"
                 :: "r"(to), "l"(from), "r"(valid) : "memory");
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;"
                 :: "r"(to), "l"(from), "n"(BYTES), "r"(valid) : "memory");
#endif
}

// The same for all BYTES, which takes one instruction less.
template <int BYTES>
TV_DEVICE void copy_async(u32 to, const void* from) {
#ifdef TV_CPU
  tvcpu::copy_async(to, from, BYTES, BYTES);
#else
  if constexpr (BYTES == 16)
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;"
                 :: "r"(to), "l"(from) : "memory");
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2;"
                 :: "r"(to), "l"(from), "n"(BYTES) : "memory");
#endif
}

// Makes one group of the copies that this thread has begun since the last group.
TV_DEVICE void commit_copies() {
#ifdef TV_CPU
  tvcpu::commit_copies();
#else
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

// Waits until all groups of this thread but the newest PENDING have arrived.
template <int PENDING>
TV_DEVICE void wait_for_copies() {
#ifdef TV_CPU
  tvcpu::wait_for_copies(PENDING);
#else
  asm volatile("cp.async.wait_group %0;" :: "n"(PENDING) : "memory");
#endif
}

}  // namespace tv
