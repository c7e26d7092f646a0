// Purpose: cp.async on the CPU, for the emulation. The destination is spoiled when a copy
// begins and filled when its group is waited for, so that both a read too early and a copy
// begun too early show.
#pragma once

namespace tvcpu {

inline unsigned char* shared_at(uint32_t address, unsigned bytes) {
  if (address % bytes) fail("an address in shared memory is no multiple of what is accessed");
  if (address > dynamic_shared.size || dynamic_shared.size - address < bytes)
    fail("an access outside the dynamic shared memory");
  return dynamic_shared.first + address;
}

struct Copy {
  uint32_t to;
  const void* from;
  unsigned bytes, valid, group;
};
struct Copies {
  uint64_t block;
  unsigned group;
  std::vector<Copy> pending;
};
inline std::vector<Copies> copies;

inline Copies& own_copies() {
  if (copies.size() < fibers.size()) copies.resize(fibers.size());
  Copies& own = copies[current->index];
  if (own.block != block_serial) {
    own.block = block_serial;
    own.group = 0;
    own.pending.clear();
  }
  return own;
}

inline void copy_async(uint32_t to, const void* from, unsigned bytes, unsigned valid) {
  if (reinterpret_cast<uintptr_t>(from) % bytes) fail("cp.async from a misaligned address");
  if (valid > bytes) fail("cp.async reads more than it writes");
  std::memset(shared_at(to, bytes), POISON, bytes);
  Copies& own = own_copies();
  own.pending.push_back({to, from, bytes, valid, own.group});
}

inline void commit_copies() { ++own_copies().group; }

inline void wait_for_copies(unsigned groups_pending) {
  Copies& own = own_copies();
  size_t done = 0;
  for (const Copy& copy : own.pending) {
    if (copy.group + groups_pending >= own.group) break;
    unsigned char* const to = shared_at(copy.to, copy.bytes);
    std::memset(to, 0, copy.bytes);
    if (copy.valid) std::memcpy(to, copy.from, copy.valid);
    ++done;
  }
  own.pending.erase(own.pending.begin(), own.pending.begin() + static_cast<ptrdiff_t>(done));
}

}  // namespace tvcpu
