// Purpose: the tensor cores of a warpgroup on the CPU. See tv_hopper_cpu.h.
#pragma once
#include <vector>

#include "tv_copy_engine_cpu.h"

namespace tvcpu {

constexpr unsigned WARPGROUP = 128;
constexpr unsigned MATRIX_BASE_MASK = 0x3fff;

// One lane's part of a product of its warp.
struct Product {
  void (*compute)(unsigned first_lane, size_t position);  // for the whole warp
  float* sums;
  uint64_t a, b;
  const uint32_t* fragment;  // of A, where it comes from registers
  bool accumulate;
};

// What a thread has begun, oldest first.
struct Products {
  std::vector<Product> begun;
  std::vector<size_t> ends;  // of the committed groups
  bool fenced;
};

inline std::vector<Products> products;  // by thread
inline uint64_t products_serial;

inline Products& my_products() {
  if (products_serial != block_serial) products.assign(fibers.size(), Products{});
  products_serial = block_serial;
  return products[current->index];
}

// A tile in shared memory as a matrix descriptor tells it; only 128-byte swizzles are known.
struct Tile {
  unsigned start, leading, stride;

  explicit Tile(uint64_t descriptor)
      : start((descriptor & MATRIX_BASE_MASK) << 4),
        leading((descriptor >> 16 & MATRIX_BASE_MASK) << 4),
        stride((descriptor >> 32 & MATRIX_BASE_MASK) << 4) {
    if (descriptor >> 62 != 1 || (descriptor >> 49 & 7))
      fail("a matrix descriptor without the swizzle of 128 bytes");
  }

  // Rows of 128 bytes along K; eight rows, then the stride.
  template <class T> const unsigned char* along_k(unsigned row, unsigned k) const {
    return at(start + row / 8 * stride + row % 8 * SWIZZLE_ROW + k * unsigned{sizeof(T)});
  }
  // Rows of 128 bytes across K; eight rows, then the stride; 128 bytes across, then `leading`.
  template <class T> const unsigned char* across_k(unsigned row, unsigned k) const {
    constexpr unsigned WIDTH = SWIZZLE_ROW / sizeof(T);
    return at(start + row / WIDTH * leading + k / 8 * stride + k % 8 * SWIZZLE_ROW +
              row % WIDTH * unsigned{sizeof(T)});
  }

 private:
  static const unsigned char* at(unsigned offset) {
    if (offset >= dynamic_shared.size) fail("a matrix descriptor points beyond shared memory");
    return swizzled(dynamic_shared.first + offset);
  }
};

inline float half_value(uint16_t bits) {
  static std::vector<float> table;
  if (table.empty())
    for (unsigned i = 0; i < 1 << 16; ++i)
      table.push_back(static_cast<float>(half_to_double(static_cast<uint16_t>(i))));
  return table[bits];
}

inline float bfloat16_value(uint16_t bits) {
  return __uint_as_float(static_cast<unsigned>(bits) << 16);
}

// The tensor cores do not look at the last 13 bits.
inline float tf32_value(uint32_t bits) { return __uint_as_float(bits & ~0x1fffu); }

// Sixteen rows of A and all columns of B, for a warp. Lane 4 g + t holds columns
// 8 i + 2 t + {0, 1} of the rows g and g + 8.
template <int N, int K, class LoadB>
inline void add_products(unsigned first_lane, size_t position, const float (&a)[16][K],
                         LoadB load_b) {
  for (unsigned column = 0; column < N; ++column) {
    float b[K];
    for (unsigned k = 0; k < K; ++k) b[k] = load_b(column, k);
    for (unsigned row = 0; row < 16; ++row) {
      const Products& lane = products[first_lane + row % 8 * 4 + column % 8 / 2];
      const Product& product = lane.begun[position];
      float* const sum = product.sums + column / 8 * 4 + row / 8 * 2 + column % 2;
      float total = product.accumulate ? *sum : 0;
      for (unsigned k = 0; k < K; ++k) total += a[row][k] * b[k];
      *sum = total;
    }
  }
}

template <class T, float (*VALUE)(uint16_t), int N, int TRANSPOSED_A, int TRANSPOSED_B>
void product_16_bit(unsigned first_lane, size_t position) {
  const Product& product = products[first_lane].begun[position];
  const Tile tile_a(product.a), tile_b(product.b);
  const auto value = [](const unsigned char* from) {
    uint16_t bits;
    std::memcpy(&bits, from, sizeof bits);
    return VALUE(bits);
  };
  float a[16][16];
  for (unsigned i = 0; i < 16; ++i)
    for (unsigned k = 0; k < 16; ++k) {
      const unsigned row = first_lane % WARPGROUP / WARP * 16 + i;
      a[i][k] = value(TRANSPOSED_A ? tile_a.across_k<T>(row, k) : tile_a.along_k<T>(row, k));
    }
  add_products<N>(first_lane, position, a, [&](unsigned column, unsigned k) {
    return value(TRANSPOSED_B ? tile_b.across_k<T>(column, k) : tile_b.along_k<T>(column, k));
  });
}

// A comes from registers: lane 4 g + t holds columns t and t + 4 of the rows g and g + 8.
template <int N>
void product_tf32(unsigned first_lane, size_t position) {
  const Tile tile_b(products[first_lane].begun[position].b);
  float a[16][8];
  for (unsigned i = 0; i < 16; ++i)
    for (unsigned k = 0; k < 8; ++k) {
      const Products& lane = products[first_lane + i % 8 * 4 + k % 4];
      a[i][k] = tf32_value(lane.begun[position].fragment[k / 4 * 2 + i / 8]);
    }
  add_products<N>(first_lane, position, a, [&](unsigned column, unsigned k) {
    uint32_t bits;
    std::memcpy(&bits, tile_b.along_k<uint32_t>(column, k), sizeof bits);
    return tf32_value(bits);
  });
}

inline void begin_product(const Product& product) {
  if (!my_products().fenced) fail("a product of matrices was begun without wgmma.fence");
  my_products().begun.push_back(product);
}

// All groups of products but the newest, which the lanes of a warp await together.
inline void finish_products(size_t newest) {
  wait(State::at_warp_barrier, 0);
  Products& self = my_products();
  const size_t groups = self.ends.size() > newest ? self.ends.size() - newest : 0;
  const size_t count = groups ? self.ends[groups - 1] : 0;
  if (lane() == 0) {
    for (unsigned i = 1; i < WARP; ++i)
      if (products[current->index + i].ends != self.ends)
        fail("lanes of a warp begin other products");
    for (size_t i = 0; i < count; ++i) self.begun[i].compute(current->index, i);
  }
  wait(State::at_warp_barrier, 0);
  self.begun.erase(self.begun.begin(), self.begun.begin() + static_cast<long>(count));
  self.ends.erase(self.ends.begin(), self.ends.begin() + static_cast<long>(groups));
  for (size_t& end : self.ends) end -= count;
  self.fenced = false;
}

}  // namespace tvcpu
