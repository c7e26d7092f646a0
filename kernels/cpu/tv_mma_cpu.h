// Purpose: what the instructions of tv_mma.cuh mean, for the emulation: who holds which
// element of a fragment, as in NVIDIA's PTX ISA.
//
// g = lane / 4 and t = lane % 4 are the group of a lane and its place in it. A 32-bit
// register holds E neighbours along k, E = 1 for tf32, 2 for 16 bits, 4 for 8 bits:
//   A   register r: row g + 8 (r % 2), k = r / 2 * 4 E + t E + 0..E-1
//   B   register r: column g, k = r * 4 E + t E + 0..E-1
//   C   register r: row g + 8 (r / 2), column 2 t + r % 2
//
// With TV_CPU_BANKS an access of shared memory that meets one bank twice is an error.
#pragma once

namespace tvcpu {

// What the lanes of a warp lay out for each other, in two places in turn, so that one
// barrier per instruction is enough.
struct Table {
  alignas(16) unsigned char bytes[4096];
  uint64_t block;
  unsigned lanes;
  const void* instruction;
};
struct Tables {
  uint64_t block[WARP];  // that the turn of the lane belongs to
  unsigned turn[WARP];
  Table table[2];
};
inline std::vector<Tables> tables;

// Hands `lay` the table of this turn, waits for the other lanes, and gives the table.
template <class T, class Lay>
const T& lay_out(const void* instruction, Lay lay) {
  static_assert(sizeof(T) <= sizeof(Table::bytes), "the table of a warp is too small");
  if (tables.size() < (fibers.size() + WARP - 1) / WARP) tables.resize(fibers.size() / WARP + 1);
  const unsigned warp = current->index / WARP;
  uint64_t& block = tables[warp].block[lane()];
  unsigned& next = tables[warp].turn[lane()];
  const unsigned turn = next = block == block_serial ? next ^ 1 : 0;
  block = block_serial;
  Table& table = tables[warp].table[turn];
  if (table.block != block_serial || table.lanes == WARP) {
    table.block = block_serial;
    table.lanes = 0;
    table.instruction = instruction;
  }
  if (table.instruction != instruction) fail("lanes of one warp are at different instructions");
  ++table.lanes;
  lay(*reinterpret_cast<T*>(table.bytes));
  wait(State::at_warp_barrier, 0);
  const Table& complete = tables[warp].table[turn];
  if (complete.lanes != WARP) fail("an instruction of the whole warp misses lanes");
  return *reinterpret_cast<const T*>(complete.bytes);
}

// Fails where `count` accesses of `bytes` at once meet one of the 32 banks of 4 bytes twice,
// but for the same word.
inline void check_banks(const uint32_t* addresses, unsigned count, unsigned bytes) {
#ifdef TV_CPU_BANKS
  uint32_t words[32];
  bool met[32] = {};
  for (unsigned i = 0; i < count; ++i)
    for (unsigned word = addresses[i] / 4; word < (addresses[i] + bytes) / 4; ++word) {
      if (met[word % 32] && words[word % 32] != word) fail("two accesses at once meet one bank");
      met[word % 32] = true;
      words[word % 32] = word;
    }
#else
  static_cast<void>(addresses), static_cast<void>(count), static_cast<void>(bytes);
#endif
}

// A register of 4 or 8 bytes; 128 bytes of the warp are loaded at once.
inline const unsigned char* load_shared(uint32_t from, unsigned bytes) {
#ifdef TV_CPU_BANKS
  static const char instruction = 0;
  typedef uint32_t Addresses[WARP];
  const Addresses& all =
      lay_out<Addresses>(&instruction, [&](Addresses& each) { each[lane()] = from; });
  const unsigned together = 128 / bytes;
  check_banks(&all[lane() / together * together], together, bytes);
#endif
  return shared_at(from, bytes);
}

inline void load_matrices(uint32_t (&registers)[4], uint32_t row, bool transposed) {
  static const char instruction[2] = {};
  typedef uint32_t Rows[WARP];
  const Rows& rows = lay_out<Rows>(&instruction[transposed], [&](Rows& all) { all[lane()] = row; });
  const unsigned g = lane() / 4, t = lane() % 4;
  for (unsigned matrix = 0; matrix < 4; ++matrix) {
    check_banks(&rows[matrix * 8], 8, 16);
    if (!transposed) {
      std::memcpy(&registers[matrix], shared_at(rows[matrix * 8 + g], 16) + t * 4, 4);
      continue;
    }
    uint16_t pair[2];
    for (unsigned i = 0; i < 2; ++i)
      std::memcpy(&pair[i], shared_at(rows[matrix * 8 + t * 2 + i], 16) + g * 2, 2);
    std::memcpy(&registers[matrix], pair, 4);
  }
}

// As half_to_double, without the time that takes.
inline float half_to_float(uint16_t bits) {
  const unsigned exponent = bits >> 10 & 31;
  if (exponent == 0) {
    const float size = static_cast<float>(bits & 1023) * 0x1p-24f;
    return bits & 0x8000 ? -size : size;
  }
  const uint32_t size = ((bits & 0x7fffu) << 13) + ((exponent == 31 ? 224u : 112u) << 23);
  const uint32_t wide = (bits & 0x8000u) << 16 | size;
  float value;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}

// The elements of a register. A tensor core does not see the lowest bits of tf32.
struct HalfElements {
  typedef uint32_t Register;
  typedef float Value;
  static constexpr int COUNT = 2;
  static Value at(Register bits, int i) {
    return half_to_float(static_cast<uint16_t>(bits >> 16 * i));
  }
};
struct BFloat16Elements {
  typedef uint32_t Register;
  typedef float Value;
  static constexpr int COUNT = 2;
  static Value at(Register bits, int i) {
    const Register wide = i ? bits & 0xffff0000u : bits << 16;
    Value value;
    std::memcpy(&value, &wide, sizeof value);
    return value;
  }
};
struct Tf32Elements {
  typedef uint32_t Register;
  typedef float Value;
  static constexpr int COUNT = 1;
  static Value at(Register bits, int) {
    bits &= ~0x1fffu;
    Value value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
};
struct Int8Elements {
  typedef uint32_t Register;
  typedef uint32_t Value;  // which wraps
  static constexpr int COUNT = 4;
  static Value at(Register bits, int i) {
    return static_cast<Value>(static_cast<int>(static_cast<int8_t>(bits >> 8 * i)));
  }
};
struct DoubleElements {
  typedef double Register;
  typedef double Value;
  static constexpr int COUNT = 1;
  static Value at(Register value, int) { return value; }
};

// C += A B for A of ROWS x K and B of K x 8, ROWS = 8 or 16.
template <class Elements, int ROWS, int K, class Sum>
void multiply(Sum* sum, const typename Elements::Register* a,
              const typename Elements::Register* b) {
  typedef typename Elements::Value Value;
  struct Factors {
    Value a[ROWS][K], b[8][K];
  };
  static const char instruction = 0;
  constexpr int E = Elements::COUNT;
  constexpr int TALL = ROWS / 8;
  const unsigned g = lane() / 4, t = lane() % 4;
  const Factors& factors = lay_out<Factors>(&instruction, [&](Factors& all) {
    for (unsigned r = 0; r < TALL * K / (4 * E); ++r)
      for (int e = 0; e < E; ++e)
        all.a[g + 8 * (r % TALL)][(r / TALL * 4 + t) * E + e] = Elements::at(a[r], e);
    for (unsigned r = 0; r < K / (4 * E); ++r)
      for (int e = 0; e < E; ++e) all.b[g][(r * 4 + t) * E + e] = Elements::at(b[r], e);
  });
  for (unsigned h = 0; h < TALL; ++h, sum += 2) {
    const Value* const row = factors.a[g + 8 * h];
    const Value *const left = factors.b[2 * t], *const right = factors.b[2 * t + 1];
    Value first = static_cast<Value>(sum[0]), second = static_cast<Value>(sum[1]);
    for (int k = 0; k < K; ++k) {
      first += row[k] * left[k];
      second += row[k] * right[k];
    }
    sum[0] = static_cast<Sum>(first);
    sum[1] = static_cast<Sum>(second);
  }
}

// To nearest, halves away from zero.
inline uint32_t float_to_tf32(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return value != value ? 0x7fffffffu : (bits + 0x1000u) & ~0x1fffu;
}

}  // namespace tvcpu
