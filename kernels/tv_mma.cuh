// Purpose: the instructions that feed tensor cores from shared memory and run them, on
// sm_75 and newer: ldmatrix and mma.sync. cpu/tv_mma_cpu.h gives their meaning on a CPU.
//
// A block is what one ldmatrix loads: 16 rows of A, or columns of B, by 32 bytes along k. Of
// row g + 8 h lane 4 g + t holds the bytes 4 t .. 4 t + 3 of half c: for A in register
// h + 2 c, for B in c + 2 h, so that those of one mma are neighbours. For double register h
// holds the bytes 8 t .. 8 t + 7.
#pragma once
#include "tv_async_copy.cuh"
#include "tv_types.cuh"
#ifdef TV_CPU
#include "cpu/tv_mma_cpu.h"
#endif

// The chip: 100 times its compute capability.
#ifndef TV_ARCH
#ifdef __CUDA_ARCH__
#define TV_ARCH __CUDA_ARCH__
#else
#define TV_ARCH 800
#endif
#endif

namespace tv {

// One register from shared memory.
template <class Register>
TV_DEVICE Register load_shared(u32 from) {
  Register result;
#ifdef TV_CPU
  std::memcpy(&result, tvcpu::load_shared(from, sizeof result), sizeof result);
#else
  if constexpr (sizeof(Register) == 8)
    asm volatile("ld.shared.f64 %0, [%1];" : "=d"(result) : "r"(from) : "memory");
  else
    asm volatile("ld.shared.u32 %0, [%1];" : "=r"(result) : "r"(from) : "memory");
#endif
  return result;
}

// Sixteen bytes to shared memory.
TV_DEVICE void store_chunk(u32 to, const u32 (&word)[4]) {
#ifdef TV_CPU
  std::memcpy(tvcpu::shared_at(to, sizeof word), word, sizeof word);
#else
  asm volatile("st.shared.v4.u32 [%0], {%1, %2, %3, %4};"
               :: "r"(to), "r"(word[0]), "r"(word[1]), "r"(word[2]), "r"(word[3]) : "memory");
#endif
}

// Four matrices of 8 rows of 16 bytes; lane l gives the address of row l % 8 of matrix
// l / 8. Each lane gets two neighbours of 16 bits, of a row, or of a column if TRANSPOSED.
template <bool TRANSPOSED>
TV_DEVICE void load_matrices(u32 (&registers)[4], u32 row) {
#ifdef TV_CPU
  tvcpu::load_matrices(registers, row, TRANSPOSED);
#else
  if constexpr (TRANSPOSED)
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(registers[0]), "=r"(registers[1]), "=r"(registers[2]),
                   "=r"(registers[3]) : "r"(row) : "memory");
  else
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(registers[0]), "=r"(registers[1]), "=r"(registers[2]),
                   "=r"(registers[3]) : "r"(row) : "memory");
#endif
}

// A float of which tensor cores see all that counts: 10 bits of mantissa.
TV_DEVICE u32 to_tf32(u32 bits) {
#ifdef TV_CPU
  return tvcpu::float_to_tf32(__uint_as_float(bits));
#else
  u32 result;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(result) : "f"(__uint_as_float(bits)));
  return result;
#endif
}

// Bytes 0 and 2 of both registers, or bytes 1 and 3.
TV_DEVICE u32 every_second_byte(u32 low, u32 high, bool odd) {
#ifdef TV_CPU
  const u32 a = low >> (odd ? 8 : 0), b = high >> (odd ? 8 : 0);
  return (a & 0xffu) | (a >> 8 & 0xff00u) | (b & 0xffu) << 16 | (b >> 16 & 0xffu) << 24;
#else
  return __byte_perm(low, high, odd ? 0x7531 : 0x6420);
#endif
}

// What tensor cores do with elements of type D. `multiply` adds the product of the block a
// and of the columns 8 half .. 8 half + 7 of the block b: sum[r] of lane 4 g + t is that of
// row g + 8 (r / 2) and column 2 t + r % 2.
template <class D> struct TensorCore;

template <>
struct TensorCore<Half> {
  typedef u32 Register;
  typedef float Sum;
  static constexpr int REGISTERS = 4;

  TV_DEVICE static void multiply(Sum (&sum)[4], const u32 (&a)[4], const u32 (&b)[4],
                                 int half) {
#if TV_ARCH >= 800
    multiply_16(sum, a, b[2 * half], b[2 * half + 1]);
#else
    multiply_8(sum, a[0], a[1], b[2 * half]);
    multiply_8(sum, a[2], a[3], b[2 * half + 1]);
#endif
  }

  TV_DEVICE static void multiply_16(Sum (&sum)[4], const u32 (&a)[4], u32 b0, u32 b1) {
#ifdef TV_CPU
    const u32 b[] = {b0, b1};
    tvcpu::multiply<tvcpu::HalfElements, 16, 16>(sum, a, b);
#else
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#endif
  }

  TV_DEVICE static void multiply_8(Sum (&sum)[4], u32 a0, u32 a1, u32 b0) {
#ifdef TV_CPU
    const u32 a[] = {a0, a1};
    tvcpu::multiply<tvcpu::HalfElements, 16, 8>(sum, a, &b0);
#else
    asm("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 "
        "{%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a0), "r"(a1), "r"(b0));
#endif
  }
};

template <>
struct TensorCore<BFloat16> {
  typedef u32 Register;
  typedef float Sum;
  static constexpr int REGISTERS = 4;

  TV_DEVICE static void multiply(Sum (&sum)[4], const u32 (&a)[4], const u32 (&b)[4],
                                 int half) {
    multiply_16(sum, a, b[2 * half], b[2 * half + 1]);
  }

  TV_DEVICE static void multiply_16(Sum (&sum)[4], const u32 (&a)[4], u32 b0, u32 b1) {
#ifdef TV_CPU
    const u32 b[] = {b0, b1};
    tvcpu::multiply<tvcpu::BFloat16Elements, 16, 16>(sum, a, b);
#else
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#endif
  }
};

// As tf32: the factors must have gone through `to_tf32`.
template <>
struct TensorCore<float> {
  typedef u32 Register;
  typedef float Sum;
  static constexpr int REGISTERS = 4;

  TV_DEVICE static void multiply(Sum (&sum)[4], const u32 (&a)[4], const u32 (&b)[4],
                                 int half) {
    multiply_8(sum, a, b[2 * half], b[2 * half + 1]);
  }

  TV_DEVICE static void multiply_8(Sum (&sum)[4], const u32 (&a)[4], u32 b0, u32 b1) {
#ifdef TV_CPU
    const u32 b[] = {b0, b1};
    tvcpu::multiply<tvcpu::Tf32Elements, 16, 8>(sum, a, b);
#else
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#endif
  }
};

template <>
struct TensorCore<i8> {
  typedef u32 Register;
  typedef i32 Sum;
  static constexpr int REGISTERS = 4;

  TV_DEVICE static void multiply(Sum (&sum)[4], const u32 (&a)[4], const u32 (&b)[4],
                                 int half) {
#if TV_ARCH >= 800
    multiply_32(sum, a, b[2 * half], b[2 * half + 1]);
#else
#pragma unroll
    for (int i = 0; i < 4; ++i)
      multiply_16(sum[i % 2 * 2], sum[i % 2 * 2 + 1], a[i], b[2 * half + i / 2]);
#endif
  }

  TV_DEVICE static void multiply_32(Sum (&sum)[4], const u32 (&a)[4], u32 b0, u32 b1) {
#ifdef TV_CPU
    const u32 b[] = {b0, b1};
    tvcpu::multiply<tvcpu::Int8Elements, 16, 32>(sum, a, b);
#else
    asm("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+r"(sum[0]), "+r"(sum[1]), "+r"(sum[2]), "+r"(sum[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#endif
  }

  TV_DEVICE static void multiply_16(i32& sum0, i32& sum1, u32 a, u32 b) {
#ifdef TV_CPU
    i32 sum[] = {sum0, sum1};
    tvcpu::multiply<tvcpu::Int8Elements, 8, 16>(sum, &a, &b);
    sum0 = sum[0];
    sum1 = sum[1];
#else
    asm("mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32 {%0, %1}, {%2}, {%3}, {%0, %1};"
        : "+r"(sum0), "+r"(sum1) : "r"(a), "r"(b));
#endif
  }
};

template <>
struct TensorCore<double> {
  typedef double Register;
  typedef double Sum;
  static constexpr int REGISTERS = 2;

  TV_DEVICE static void multiply(Sum (&sum)[4], const double (&a)[2], const double (&b)[2],
                                 int half) {
#if TV_ARCH >= 900
    multiply_16_rows(sum, a, b[half]);
#else
    multiply_8_rows(sum[0], sum[1], a[0], b[half]);
    multiply_8_rows(sum[2], sum[3], a[1], b[half]);
#endif
  }

  TV_DEVICE static void multiply_16_rows(Sum (&sum)[4], const double (&a)[2], double b) {
#ifdef TV_CPU
    tvcpu::multiply<tvcpu::DoubleElements, 16, 4>(sum, a, &b);
#else
    asm("mma.sync.aligned.m16n8k4.row.col.f64.f64.f64.f64 "
        "{%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
        : "+d"(sum[0]), "+d"(sum[1]), "+d"(sum[2]), "+d"(sum[3])
        : "d"(a[0]), "d"(a[1]), "d"(b));
#endif
  }

  TV_DEVICE static void multiply_8_rows(double& sum0, double& sum1, double a, double b) {
#ifdef TV_CPU
    double sum[] = {sum0, sum1};
    tvcpu::multiply<tvcpu::DoubleElements, 8, 4>(sum, &a, &b);
    sum0 = sum[0];
    sum1 = sum[1];
#else
    asm("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%0, %1}, {%2}, {%3}, {%0, %1};"
        : "+d"(sum0), "+d"(sum1) : "d"(a), "d"(b));
#endif
  }
};

}  // namespace tv
