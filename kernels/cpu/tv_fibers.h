// Purpose: the threads of a block as fibers, barriers, and the order in which they run. See
// tv_cpu.h.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include <sys/mman.h>

struct uint3 { unsigned x, y, z; };

namespace tvcpu {

enum class State : unsigned char { fresh, ready, at_block_barrier, at_warp_barrier, done };
enum Order : unsigned { forward, reversed, shuffled };

constexpr unsigned WARP = 32;
constexpr size_t STACK_BYTES = 64 << 10;
constexpr size_t GUARD_BYTES = 4 << 10;
constexpr unsigned char POISON = 0xcd;

struct Fiber {
  void* stack_pointer;
  char* stack;
  State state;
  int line;  // of the barrier it waits at
  uint3 thread;
  unsigned index;
};

inline std::vector<Fiber> fibers;
inline std::vector<char*> spare_stacks;
inline Fiber* current;
inline void* scheduler;
inline uint3 grid_extent, block_extent, block;
inline uint64_t block_serial;  // tells shared variables that a new block has begun
inline unsigned living;
inline uint32_t random_state;
inline void (*entry)();

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
  spare_stacks.push_back(current->stack);
  tv_switch(&current->stack_pointer, scheduler);
  __builtin_trap();
}

inline char* take_stack() {
  if (spare_stacks.empty()) {
    char* memory = static_cast<char*>(mmap(nullptr, GUARD_BYTES + STACK_BYTES,
                                           PROT_READ | PROT_WRITE,
                                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    if (memory == MAP_FAILED || mprotect(memory, GUARD_BYTES, PROT_NONE)) __builtin_trap();
    spare_stacks.push_back(memory + GUARD_BYTES);
  }
  char* stack = spare_stacks.back();
  spare_stacks.pop_back();
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

// Lets go whom a barrier holds, if all have come; gives an error or nullptr.
inline const char* open_barriers(unsigned count, bool& opened) {
  unsigned waiting = 0;
  int line = 0;
  bool mixed = false;
  for (unsigned i = 0; i < count; ++i) {
    if (fibers[i].state != State::at_block_barrier) continue;
    mixed |= waiting && line != fibers[i].line;
    line = fibers[i].line;
    ++waiting;
  }
  if (waiting && waiting == living) {
    if (mixed) return "threads of one block wait at different __syncthreads()";
    for (unsigned i = 0; i < count; ++i)
      if (fibers[i].state == State::at_block_barrier) fibers[i].state = State::ready;
    opened = true;
  }
  for (unsigned first = 0; first < count; first += WARP) {
    const unsigned end = first + WARP < count ? first + WARP : count;
    unsigned alive = 0, here = 0;
    for (unsigned i = first; i < end; ++i) {
      alive += fibers[i].state != State::done;
      here += fibers[i].state == State::at_warp_barrier;
    }
    if (!here || here != alive) continue;
    for (unsigned i = first; i < end; ++i)
      if (fibers[i].state == State::at_warp_barrier) fibers[i].state = State::ready;
    opened = true;
  }
  return nullptr;
}

// What the lanes of a warp hand to each other: two slots in turn, so that one warp barrier
// per exchange is enough.
struct Exchange {
  uint64_t slot[2];
  unsigned turn;
};
inline std::vector<Exchange> exchanges;

inline const char* run_block(unsigned count, unsigned order, std::vector<unsigned>& sequence) {
  ++block_serial;
  living = count;
  for (unsigned i = 0; i < count; ++i) {
    Fiber& fiber = fibers[i];
    fiber.state = State::fresh;
    fiber.index = i;
    fiber.thread = {i % block_extent.x, i / block_extent.x % block_extent.y,
                    i / (block_extent.x * block_extent.y)};
    exchanges[i] = {};
  }
  while (living) {
    arrange(sequence, order);
    for (unsigned i : sequence) {
      Fiber& fiber = fibers[i];
      if (fiber.state == State::fresh) start(fiber);
      if (fiber.state != State::ready) continue;
      current = &fiber;
      tv_switch(&scheduler, fiber.stack_pointer);
    }
    bool opened = living == 0;
    if (const char* error = open_barriers(count, opened)) return error;
    if (!opened) return "deadlock: some threads wait at a barrier that the others never reach";
  }
  return nullptr;
}

// Fibers that will never end give their stacks back.
inline void abandon(unsigned count) {
  for (unsigned i = 0; i < count; ++i)
    if (fibers[i].state != State::done && fibers[i].state != State::fresh)
      spare_stacks.push_back(fibers[i].stack);
}

inline const char* run_grid(const unsigned* grid, const unsigned* threads, unsigned order,
                            unsigned seed) {
  grid_extent = {grid[0], grid[1], grid[2]};
  block_extent = {threads[0], threads[1], threads[2]};
  random_state = seed | 1;
  const unsigned count = threads[0] * threads[1] * threads[2];
  fibers.resize(count);
  exchanges.resize(count);
  std::vector<unsigned> sequence(count), blocks(grid[0] * grid[1] * grid[2]);
  arrange(blocks, order);
  for (unsigned b : blocks) {
    block = {b % grid[0], b / grid[0] % grid[1], b / (grid[0] * grid[1])};
    if (const char* error = run_block(count, order, sequence)) {
      abandon(count);
      return error;
    }
  }
  return nullptr;
}

}  // namespace tvcpu
