// Purpose: the threads of a block as fibers, barriers, and the order in which they run. See
// tv_cpu.h. The blocks of a cluster run together.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include <sys/mman.h>

struct uint3 { unsigned x, y, z; };

namespace tvcpu {

enum class State : unsigned char {
  fresh, ready, at_block_barrier, at_warp_barrier, at_condition, done
};
enum Order : unsigned { forward, reversed, shuffled };

constexpr unsigned WARP = 32;
constexpr size_t STACK_BYTES = 160 << 10;  // the arguments, up to 32 KB, lie there twice
constexpr size_t GUARD_BYTES = 4 << 10;
constexpr unsigned char POISON = 0xcd;

// What a thread waits for that is no barrier of the block or the warp.
struct Condition {
  bool (*holds)(const void* subject, unsigned wanted);
  const void* subject;
  unsigned wanted;
};

struct Fiber {
  void* stack_pointer;
  char* stack;
  State state;
  int line;  // of the barrier it waits at
  Condition condition;
  uint3 thread;
  unsigned index;  // among the threads of the cluster
};

inline std::vector<Fiber> fibers;
// Those of the first library of a process, which the others use too: each stack has a guard,
// and a process may have 65,530 pieces of memory.
inline std::vector<char*> own_stacks;
inline std::vector<char*>* spare_stacks = &own_stacks;
inline Fiber* current;
inline void* scheduler;
inline uint3 grid_extent, block_extent, block;
inline unsigned cluster_blocks;  // 1 where there are no clusters
inline unsigned block_threads;
inline unsigned cluster_first;   // block of the cluster that runs now
inline uint64_t block_serial;  // tells shared variables that a new block has begun
inline unsigned living;
inline uint32_t random_state;
inline unsigned thread_order;
inline const char* failure;  // what a kernel did that a GPU forbids, or nullptr
inline void (*entry)();

// Work that goes on beside the threads. `proceed` does a piece of it and says whether there
// was one; `end` is asked once the threads of a block are done, and gives an error or nullptr.
struct Background {
  bool (*proceed)();
  const char* (*end)();
};
inline Background background;

// Saves the callee-saved registers on the stack that is left, and takes them from the
// other one.
extern "C" __attribute__((visibility("hidden"))) void tv_switch(void** save, void* to);
#if defined(__x86_64__)
asm(R"(
.text
.hidden tv_switch
.weak tv_switch
.type tv_switch,@function
tv_switch:
  pushq %rbp; pushq %rbx; pushq %r12; pushq %r13; pushq %r14; pushq %r15
  movq %rsp,(%rdi)
  movq %rsi,%rsp
  popq %r15; popq %r14; popq %r13; popq %r12; popq %rbx; popq %rbp
  ret
)");
constexpr size_t SAVED_WORDS = 6;
constexpr size_t RETURN_WORD = 6;
#elif defined(__aarch64__)
asm(R"(
.text
.hidden tv_switch
.weak tv_switch
.type tv_switch,%function
tv_switch:
  sub sp,sp,#176
  stp x19,x20,[sp,#0];  stp x21,x22,[sp,#16]; stp x23,x24,[sp,#32]; stp x25,x26,[sp,#48]
  stp x27,x28,[sp,#64]; stp x29,x30,[sp,#80]; stp d8,d9,[sp,#96];   stp d10,d11,[sp,#112]
  stp d12,d13,[sp,#128]; stp d14,d15,[sp,#144]
  mov x9,sp; str x9,[x0]; mov sp,x1
  ldp x19,x20,[sp,#0];  ldp x21,x22,[sp,#16]; ldp x23,x24,[sp,#32]; ldp x25,x26,[sp,#48]
  ldp x27,x28,[sp,#64]; ldp x29,x30,[sp,#80]; ldp d8,d9,[sp,#96];   ldp d10,d11,[sp,#112]
  ldp d12,d13,[sp,#128]; ldp d14,d15,[sp,#144]
  add sp,sp,#176
  ret
)");
constexpr size_t SAVED_WORDS = 22;
constexpr size_t RETURN_WORD = 11;
#else
#error "tv_cpu.h knows how to switch stacks on x86-64 and aarch64 only"
#endif

inline void run_fiber() {
  entry();
  current->state = State::done;
  --living;
  spare_stacks->push_back(current->stack);
  tv_switch(&current->stack_pointer, scheduler);
  __builtin_trap();
}

inline char* take_stack() {
  if (spare_stacks->empty()) {
    char* memory = static_cast<char*>(mmap(nullptr, GUARD_BYTES + STACK_BYTES,
                                           PROT_READ | PROT_WRITE,
                                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    if (memory == MAP_FAILED || mprotect(memory, GUARD_BYTES, PROT_NONE)) __builtin_trap();
    spare_stacks->push_back(memory + GUARD_BYTES);
  }
  char* stack = spare_stacks->back();
  spare_stacks->pop_back();
  return stack;
}

inline void start(Fiber& fiber) {
  fiber.stack = take_stack();
  uintptr_t* top = reinterpret_cast<uintptr_t*>(fiber.stack + STACK_BYTES - 64);
  uintptr_t* saved = top - SAVED_WORDS;
  saved[RETURN_WORD] = reinterpret_cast<uintptr_t>(run_fiber);
  fiber.stack_pointer = saved;
  fiber.state = State::ready;
}

inline void wait(State state, int line) {
  current->state = state;
  current->line = line;
  tv_switch(&current->stack_pointer, scheduler);
}

inline void wait_until(Condition condition) {
  if (condition.holds(condition.subject, condition.wanted)) return;
  current->condition = condition;
  wait(State::at_condition, 0);
}

// Ends the launch with an error.
[[noreturn]] inline void fail(const char* what) {
  failure = what;
  tv_switch(&current->stack_pointer, scheduler);
  __builtin_trap();
}

inline uint32_t next_random() {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return random_state;
}

inline void arrange(std::vector<unsigned>& sequence, unsigned order) {
  const unsigned count = static_cast<unsigned>(sequence.size());
  for (unsigned i = 0; i < count; ++i) sequence[i] = order == reversed ? count - 1 - i : i;
  if (order != shuffled) return;
  for (unsigned i = count; i > 1; --i) std::swap(sequence[i - 1], sequence[next_random() % i]);
}

inline const char* open_block_barrier(unsigned first, unsigned end, bool& opened) {
  unsigned alive = 0, waiting = 0;
  int line = 0;
  bool mixed = false;
  for (unsigned i = first; i < end; ++i) {
    alive += fibers[i].state != State::done;
    if (fibers[i].state != State::at_block_barrier) continue;
    mixed |= waiting && line != fibers[i].line;
    line = fibers[i].line;
    ++waiting;
  }
  if (!waiting || waiting != alive) return nullptr;
  if (mixed) return "threads of one block wait at different __syncthreads()";
  for (unsigned i = first; i < end; ++i)
    if (fibers[i].state == State::at_block_barrier) fibers[i].state = State::ready;
  opened = true;
  return nullptr;
}

// Lets go whom barriers of blocks and conditions hold, if all have come; gives an error or
// nullptr.
inline const char* open_barriers(unsigned count, bool& opened) {
  for (unsigned first = 0; first < count; first += block_threads)
    if (const char* error = open_block_barrier(first, first + block_threads, opened))
      return error;
  for (unsigned i = 0; i < count; ++i) {
    Fiber& fiber = fibers[i];
    if (fiber.state != State::at_condition) continue;
    if (!fiber.condition.holds(fiber.condition.subject, fiber.condition.wanted)) continue;
    fiber.state = State::ready;
    opened = true;
  }
  return nullptr;
}

inline bool open_warp_barrier(unsigned first, unsigned end) {
  unsigned alive = 0, here = 0;
  for (unsigned i = first; i < end; ++i) {
    alive += fibers[i].state != State::done;
    here += fibers[i].state == State::at_warp_barrier;
  }
  if (!here || here != alive) return false;
  for (unsigned i = first; i < end; ++i)
    if (fibers[i].state == State::at_warp_barrier) fibers[i].state = State::ready;
  return true;
}

// What the lanes of a warp hand to each other: two slots in turn, so that one warp barrier
// per exchange is enough.
struct Exchange {
  uint64_t slot[2];
  unsigned turn;
};
inline std::vector<Exchange> exchanges;

// Dynamic shared memory of the blocks of a cluster, whose last byte is next to a page that
// must not be touched.
struct DynamicShared {
  static constexpr size_t ALIGNMENT = 1024;
  unsigned char* first;  // of the block that runs now
  size_t size;           // of one block

  unsigned char* of_block(unsigned rank) const { return every + rank * size; }

  void resize(size_t wanted, unsigned blocks) {
    const size_t rounded = (wanted + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (rounded == size && blocks == count) return;
    const size_t pages = (rounded * blocks + GUARD_BYTES - 1) / GUARD_BYTES * GUARD_BYTES;
    void* const memory = mmap(nullptr, pages + GUARD_BYTES, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) __builtin_trap();
    unsigned char* const end = static_cast<unsigned char*>(memory) + pages;
    if (mprotect(end, GUARD_BYTES, PROT_NONE)) __builtin_trap();
    if (pages_size) munmap(pages_first, pages_size);
    pages_first = memory;
    pages_size = pages + GUARD_BYTES;
    first = every = end - rounded * blocks;
    size = rounded;
    count = blocks;
  }

 private:
  unsigned char* every;
  unsigned count;
  void* pages_first;
  size_t pages_size;
};
inline DynamicShared dynamic_shared;

inline unsigned rank_of(const Fiber& fiber) { return fiber.index / block_threads; }

inline void resume(Fiber& fiber) {
  const unsigned b = cluster_first + rank_of(fiber);
  block = {b % grid_extent.x, b / grid_extent.x % grid_extent.y,
           b / (grid_extent.x * grid_extent.y)};
  dynamic_shared.first = dynamic_shared.of_block(rank_of(fiber));
  current = &fiber;
  tv_switch(&scheduler, fiber.stack_pointer);
}

// Runs a warp until it waits for others, as far ahead of them as it can get; in random order
// it may stop before that, and the result says so.
inline bool run_warp(unsigned first, unsigned end, unsigned order) {
  static std::vector<unsigned> lanes;
  lanes.resize(end - first);
  do {
    arrange(lanes, order);
    for (unsigned lane : lanes) {
      Fiber& fiber = fibers[first + lane];
      if (fiber.state == State::fresh) start(fiber);
      if (fiber.state != State::ready) continue;
      resume(fiber);
      if (failure) return false;
    }
    if (!open_warp_barrier(first, end)) return false;
  } while (order != shuffled || next_random() % 4);
  return true;
}

// The blocks of one cluster, count threads together.
inline const char* run_cluster(unsigned count, unsigned order, std::vector<unsigned>& warps) {
  ++block_serial;
  living = count;
  if (dynamic_shared.size)
    std::memset(dynamic_shared.of_block(0), POISON, dynamic_shared.size * cluster_blocks);
  for (unsigned i = 0; i < count; ++i) {
    Fiber& fiber = fibers[i];
    fiber.state = State::fresh;
    fiber.index = i;
    const unsigned t = i % block_threads;
    fiber.thread = {t % block_extent.x, t / block_extent.x % block_extent.y,
                    t / (block_extent.x * block_extent.y)};
    exchanges[i] = {};
  }
  while (living) {
    arrange(warps, order);
    bool opened = false;
    for (unsigned warp : warps) {
      const unsigned first = warp * WARP;
      opened |= run_warp(first, first + WARP < count ? first + WARP : count, order);
      if (failure) return failure;
    }
    opened |= living == 0;
    if (const char* error = open_barriers(count, opened)) return error;
    if (opened || (background.proceed && background.proceed())) continue;
    return failure ? failure : "deadlock: some threads wait for what the others never do";
  }
  return background.end ? background.end() : nullptr;
}

// Fibers that will never end give their stacks back.
inline void abandon(unsigned count) {
  for (unsigned i = 0; i < count; ++i)
    if (fibers[i].state != State::done && fibers[i].state != State::fresh)
      spare_stacks->push_back(fibers[i].stack);
}

inline const char* run_grid(const unsigned* grid, const unsigned* threads, unsigned shared,
                            unsigned cluster, unsigned order, unsigned seed) {
  grid_extent = {grid[0], grid[1], grid[2]};
  block_extent = {threads[0], threads[1], threads[2]};
  block_threads = threads[0] * threads[1] * threads[2];
  cluster_blocks = cluster;
  random_state = seed | 1;
  thread_order = order;
  failure = nullptr;
  if (grid[0] % cluster) return "the number of blocks is no multiple of the cluster";
  if (cluster > 1 && block_threads % WARP) return "a cluster of blocks with half a warp";
  dynamic_shared.resize(shared, cluster);
  const unsigned count = block_threads * cluster;
  fibers.resize(count);
  exchanges.resize(count);
  std::vector<unsigned> warps((count + WARP - 1) / WARP);
  std::vector<unsigned> clusters(grid[0] * grid[1] * grid[2] / cluster);
  arrange(clusters, order);
  for (unsigned c : clusters) {
    cluster_first = c * cluster;
    if (const char* error = run_cluster(count, order, warps)) {
      abandon(count);
      return error;
    }
  }
  return nullptr;
}

}  // namespace tvcpu
