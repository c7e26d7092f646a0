// Purpose: the copy engine of Hopper and its barriers on the CPU. See tv_hopper_cpu.h.
#pragma once
#include <array>
#include <vector>

#include "tv_cpu.h"

namespace tvcpu {

constexpr unsigned SWIZZLE_ROW = 128;

// What tensorvar/_cuda/tensor_map.py packs for the emulation.
struct Map {
  uint64_t address;
  uint64_t extents[3];  // elements, innermost first
  uint64_t pitches[2];  // bytes from one row, and one matrix, to the next
  uint32_t box[3];
  uint32_t element;     // bytes
};

// In shared memory, where a GPU has 8 opaque bytes.
struct Barrier {
  int32_t bytes;  // announced and not yet arrived
  uint16_t arrivals;
  uint16_t pending : 15;
  uint16_t parity : 1;  // of the phase that is under way
};
static_assert(sizeof(Barrier) == 8, "a barrier takes the room that a GPU gives it");

struct Copy {
  Map map;
  unsigned char* shared;
  int32_t at[3];
  Barrier* barrier;  // nullptr for a store
  bool done;
};

// A store group that has not been waited for.
typedef std::vector<Copy> Group;

// What a thread has asked to store.
struct Stores {
  Group open;                 // not committed
  std::vector<Group> groups;  // oldest first
  // Shared memory that the thread wrote since its last fence.
  const unsigned char *written, *written_end;
};

struct NamedBarrier {
  unsigned arrived, threads, turn;
};

inline std::vector<Stores> stores;  // by thread
inline std::vector<Copy> loads;
inline std::vector<std::array<NamedBarrier, 16>> named_barriers;  // by block of the cluster
inline NamedBarrier cluster_barrier;
inline uint64_t engine_serial;

// A new cluster of blocks finds nothing of the one before.
inline void renew() {
  if (engine_serial == block_serial) return;
  engine_serial = block_serial;
  stores.assign(fibers.size(), Stores{});
  loads.clear();
  named_barriers.assign(cluster_blocks, {});
  cluster_barrier = {};
}

inline Stores& my_stores() {
  renew();
  return stores[current->index];
}

inline bool at_once() {
  return thread_order == forward || (thread_order == shuffled && next_random() % 2);
}

inline unsigned offset_of(const void* shared) {
  return static_cast<unsigned>(static_cast<const unsigned char*>(shared) - dynamic_shared.first);
}

// Sixteen-byte chunks of a row of 128 bytes change places by the number of the row. The
// memory of a block begins at a multiple of 1024, so addresses serve as offsets do.
inline unsigned char* swizzled(unsigned char* address) {
  const uintptr_t bits = reinterpret_cast<uintptr_t>(address);
  return reinterpret_cast<unsigned char*>(bits ^ (bits >> 7 & 7) << 4);
}

inline void complete(Barrier& barrier) {
  if (barrier.pending || barrier.bytes) return;
  barrier.parity ^= 1;
  barrier.pending = barrier.arrivals & 0x7fff;
}

// Moves the part of a box that is inside; of a load, the rest becomes zero.
inline void move(Copy& copy) {
  const Map& map = copy.map;
  const unsigned row_bytes = map.box[0] * map.element;
  unsigned char* place = copy.shared;
  for (unsigned z = 0; z < map.box[2]; ++z)
    for (unsigned y = 0; y < map.box[1]; ++y)
      for (unsigned x = 0; x < row_bytes; x += map.element, place += map.element) {
        unsigned char* const shared = swizzled(place);
        const uint64_t at[3] = {copy.at[0] + x / map.element, static_cast<uint64_t>(copy.at[1]) + y,
                                static_cast<uint64_t>(copy.at[2]) + z};
        const bool inside =
            at[0] < map.extents[0] && at[1] < map.extents[1] && at[2] < map.extents[2];
        char* const global = reinterpret_cast<char*>(map.address) + at[0] * map.element +
                             at[1] * map.pitches[0] + at[2] * map.pitches[1];
        if (!copy.barrier && inside) std::memcpy(global, shared, map.element);
        else if (copy.barrier && inside) std::memcpy(shared, global, map.element);
        else if (copy.barrier) std::memset(shared, 0, map.element);
      }
  copy.done = true;
  if (!copy.barrier) return;
  copy.barrier->bytes -= static_cast<int32_t>(row_bytes * map.box[1] * map.box[2]);
  complete(*copy.barrier);
}

inline Copy describe_copy(const void* map, void* shared, Barrier* barrier, int32_t x, int32_t y,
                          int32_t z) {
  Copy copy = {};
  std::memcpy(&copy.map, map, sizeof copy.map);
  copy.shared = static_cast<unsigned char*>(shared);
  copy.at[0] = x, copy.at[1] = y, copy.at[2] = z;
  copy.barrier = barrier;
  const unsigned offset = offset_of(shared);
  if (offset % SWIZZLE_ROW) fail("a tile in shared memory is not aligned to 128 bytes");
  const uint64_t bytes = uint64_t{copy.map.box[0]} * copy.map.box[1] * copy.map.box[2] *
                         copy.map.element;
  if (offset + bytes > dynamic_shared.size) fail("a tile goes beyond shared memory");
  return copy;
}

inline bool proceed() {
  renew();
  std::vector<Copy*> waiting;
  for (Copy& load : loads)
    if (!load.done) waiting.push_back(&load);
  if (!waiting.empty()) {
    move(*waiting[thread_order == shuffled ? next_random() % waiting.size() : 0]);
    return true;
  }
  loads.clear();
  return false;
}

inline const char* end_of_block() {
  renew();
  for (const Stores& each : stores)
    if (!each.open.empty() || !each.groups.empty())
      return "a block ended before its stores had read its shared memory";
  for (const Copy& load : loads)
    if (!load.done) return "a block ended while its loads were under way";
  return nullptr;
}

inline const bool in_background = (background = {proceed, end_of_block}, true);

inline void mark_written(const void* shared, unsigned bytes) {
  Stores& self = my_stores();
  const unsigned char* const first = static_cast<const unsigned char*>(shared);
  if (self.written == self.written_end) self.written = self.written_end = first;
  self.written = self.written < first ? self.written : first;
  self.written_end = self.written_end > first + bytes ? self.written_end : first + bytes;
}

inline bool phase_is_over(const void* subject, unsigned parity) {
  return static_cast<const Barrier*>(subject)->parity != parity;
}

inline bool turn_is_over(const void* subject, unsigned turn) {
  return static_cast<const NamedBarrier*>(subject)->turn != turn;
}

inline void wait_at(NamedBarrier& barrier, unsigned threads) {
  if (barrier.arrived && barrier.threads != threads)
    fail("threads wait at one barrier for different numbers of threads");
  barrier.threads = threads;
  const unsigned turn = barrier.turn;
  if (++barrier.arrived == threads) {
    barrier.arrived = 0;
    ++barrier.turn;
  }
  wait_until({turn_is_over, &barrier, turn});
}

// The same place in the shared memory of another block of the cluster.
template <class T>
T* in_block(T* shared, unsigned rank) {
  if (rank >= cluster_blocks) fail("a block outside the cluster is named");
  const Fiber* const threads = fibers.data() + rank * block_threads;
  unsigned done = 0;
  for (unsigned i = 0; i < block_threads; ++i) done += threads[i].state == State::done;
  if (done == block_threads) fail("a block that has ended is reached from its cluster");
  return reinterpret_cast<T*>(dynamic_shared.of_block(rank) + offset_of(shared));
}

}  // namespace tvcpu
