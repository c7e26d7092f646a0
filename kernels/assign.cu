// Purpose: destination = destination (op) source in place, op one of Set, Add, Sub, Mul,
// Min, Max, for every pair of element types; with Set it is also fill, cast and strided
// copy. D is the type of the destination, S of the source, C the one that is computed with;
// 16-bit floats are rounded once.
//
// Work split: one thread per vector, in a grid-stride loop; a block takes UNROLL vectors
// per thread at a time and issues all loads before the first use. A vector fills 16 bytes
// of the narrower type and at most 64 of the wider. The first elements are peeled until
// the destination is aligned; the rest after the last vector is done one by one.
//   contiguous   source as dense as the destination; SOURCE_VECTORS is false where the
//                source is not aligned once the destination is: it is read by elements
//   scalar       the operand is a kernel argument of type C
//   single       the operand is one element in device memory
//   row          a dense source of `inner` elements, repeated; SOURCE_VECTORS needs
//                `inner` to be a multiple of the vector and both operands aligned
//   strided      any strides and broadcasts, one element per thread; ALIGNED is false
//                where an address is no multiple of the element size
//
// Bytes moved per element: sizeof(D) written, sizeof(D) read unless op is Set, and
// sizeof(S) read (nothing for scalar and single; a row comes from the caches).
// Limits: fewer than 2^63 elements. The source may be the destination itself, element for
// element; any other overlap is for the caller to resolve. A conversion of a value that an
// integer type cannot hold gives an unspecified integer, as in NumPy.
#include "tv_elementwise.cuh"

// What tensorvar/_cuda/assign.py appends, one line per kernel that it needs.
#define TV_ASSIGN_CONTIGUOUS(name, Op, C, D, S, SOURCE_VECTORS, UNROLL)                    \
  TV_KERNEL(tv::THREADS, name)(D * destination, const S* source, tv::u64 count) {   \
    tv::assign_contiguous<tv::Op, C, D, S, SOURCE_VECTORS, UNROLL>(destination, source,    \
                                                                   count);                 \
  }                                                                                        \
  TV_EXPORT(name)

#define TV_ASSIGN_SCALAR(name, Op, C, D, UNROLL)                                           \
  TV_KERNEL(tv::THREADS, name)(D * destination, C value, tv::u64 count) {           \
    tv::assign_value<tv::Op, C, D, C, UNROLL>(destination, value, count);                  \
  }                                                                                        \
  TV_EXPORT(name)

#define TV_ASSIGN_SINGLE(name, Op, C, D, S, UNROLL)                                        \
  TV_KERNEL(tv::THREADS, name)(D * destination, const S* source, tv::u64 count) {   \
    tv::assign_value<tv::Op, C, D, S, UNROLL>(destination, *source, count);                \
  }                                                                                        \
  TV_EXPORT(name)

#define TV_ASSIGN_ROW(name, Op, C, D, S, SOURCE_VECTORS, UNROLL)                           \
  TV_KERNEL(tv::THREADS, name)                                                      \
  (D * destination, const S* source, tv::u64 count, const tv::Divisor inner) {             \
    tv::assign_row<tv::Op, C, D, S, SOURCE_VECTORS, UNROLL>(destination, source, count,    \
                                                            inner);                        \
  }                                                                                        \
  TV_EXPORT(name)

#define TV_ASSIGN_STRIDED(name, Op, C, D, S, ALIGNED)                                      \
  TV_KERNEL(tv::THREADS, name)                                                      \
  (tv::u8 * destination, const tv::u8* source, const __grid_constant__ tv::Walk walk) {    \
    tv::assign_strided<tv::Op, C, D, S, ALIGNED>(destination, source, walk);               \
  }                                                                                        \
  TV_EXPORT(name)

#define TV_ASSIGN_SCALAR_STRIDED(name, Op, C, D, ALIGNED)                                  \
  TV_KERNEL(tv::THREADS, name)                                                      \
  (tv::u8 * destination, C value, const __grid_constant__ tv::Walk walk) {                 \
    tv::assign_value_strided<tv::Op, C, D, ALIGNED>(destination, value, walk);             \
  }                                                                                        \
  TV_EXPORT(name)
