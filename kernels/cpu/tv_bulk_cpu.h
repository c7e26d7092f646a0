// Purpose: the copy engine adds a piece of shared memory to global memory, on the CPU. See
// tv_bulk.cuh. What a thread asks for is done when it waits for it and not before, so that
// whoever writes to the memory too early, or does not wait, spoils the result. A sum that
// the engine would refuse ends the launch with an error.
#pragma once
#include <vector>

#include "tv_fibers.h"

namespace tvcpu {

struct BulkSum {
  void (*add)(void* to, const void* from, size_t bytes);
  void* to;
  const void* from;
  size_t bytes;
  unsigned thread;
  uint64_t block;
  bool committed;
};
inline std::vector<BulkSum> bulk_sums;

inline void bulk_add(const BulkSum& sum) {
  if (reinterpret_cast<uintptr_t>(sum.to) % 16 || reinterpret_cast<uintptr_t>(sum.from) % 16 ||
      sum.bytes % 16 || sum.bytes == 0)
    fail("a bulk sum whose addresses or size 16 does not divide");
  for (const BulkSum& earlier : bulk_sums)
    if (earlier.block != block_serial) {
      bulk_sums.clear();
      fail("a block ended before its bulk sums had read shared memory");
    }
  bulk_sums.push_back(sum);
}

inline void bulk_commit() {
  for (BulkSum& sum : bulk_sums) sum.committed |= sum.thread == current->index;
}

inline void bulk_wait() {
  std::vector<BulkSum> rest;
  for (const BulkSum& sum : bulk_sums) {
    if (sum.thread == current->index && sum.committed) sum.add(sum.to, sum.from, sum.bytes);
    else rest.push_back(sum);
  }
  bulk_sums.swap(rest);
}

}  // namespace tvcpu
