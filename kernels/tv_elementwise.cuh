// Purpose: the loops over all elements that assign.cu and fused.cu share. See assign.cu for
// the work split; here is how a position is found and how wide a vector is.
#pragma once
#include "tv_strided.cuh"
#include "tv_types.cuh"

namespace tv {

constexpr int THREADS = 256;

template <class D, class S>
constexpr int VECTOR_LENGTH =
    larger(1, smaller(VECTOR_BYTES / smaller(sizeof(D), sizeof(S)),
                      4 * VECTOR_BYTES / larger(sizeof(D), sizeof(S))));

template <class Op, class C, class D, class S>
TV_DEVICE D combine(D destination, S source) {
  if constexpr (Op::READS_DESTINATION)
    return convert<D>(Op::apply(convert<C>(destination), convert<C>(source)));
  else
    return convert<D>(source);
}

// Elements before the first one at which a vector of the destination may be stored.
template <class D, int LENGTH>
TV_DEVICE u64 elements_to_peel(const D* destination, u64 count) {
  u64 past = reinterpret_cast<u64>(destination) % Vector<D, LENGTH>::ALIGNMENT;
  u64 missing = past ? (Vector<D, LENGTH>::ALIGNMENT - past) / sizeof(D) : 0;
  return missing < count ? missing : count;
}

// How vectors are dealt out: a block takes chunks of UNROLL vectors per thread, in turn with
// the others. Between the loads of a whole chunk nothing is asked, so that they all are on
// their way before the first is used; an `if` for each would make the compiler wait in
// between. What is left after the whole chunks is one block's, a vector per thread at a time.
template <int UNROLL>
struct Chunks {
  static constexpr u64 LENGTH = static_cast<u64>(THREADS) * UNROLL;
  u64 whole;  // vectors in whole chunks

  TV_DEVICE explicit Chunks(u64 vectors) : whole(vectors / LENGTH * LENGTH) {}
  TV_DEVICE u64 first() const { return blockIdx.x * LENGTH + threadIdx.x; }
  TV_DEVICE u64 step() const { return gridDim.x * LENGTH; }
};

// The loop that all dense variants share. Operand gives the source elements of a position:
// `vector(i)` those from element i on, `one(i)` a single one.
template <class Op, class C, class D, int LENGTH, int UNROLL, class Operand>
TV_DEVICE void assign_dense(D* destination, const Operand& operand, u64 count) {
  typedef Vector<D, LENGTH> Elements;
  typedef decltype(operand.vector(0)) Sources;
  const u64 thread = thread_index();
  const u64 head = elements_to_peel<D, LENGTH>(destination, count);
  const u64 vectors = (count - head) / LENGTH;
  const u64 tail = head + vectors * LENGTH;
  for (u64 i = thread; i < head; i += thread_count())
    destination[i] = combine<Op, C>(destination[i], operand.one(i));

  const auto compute = [&](Elements& values, const Sources& sources) {
#pragma unroll
    for (int e = 0; e < LENGTH; ++e)
      values.element[e] = combine<Op, C>(values.element[e], sources.element[e]);
  };
  const Chunks<UNROLL> chunks(vectors);
  u64 first = chunks.first();
#pragma unroll 1
  for (; first < chunks.whole; first += chunks.step()) {
    const u64 element = head + first * LENGTH;
    Elements values[UNROLL];
    Sources sources[UNROLL];
#pragma unroll
    for (int u = 0; u < UNROLL; ++u) {
      sources[u] = operand.vector(element + u * THREADS * LENGTH);
      if constexpr (Op::READS_DESTINATION)
        values[u] = load_vector<D, LENGTH>(destination + element + u * THREADS * LENGTH);
    }
#pragma unroll
    for (int u = 0; u < UNROLL; ++u) {
      compute(values[u], sources[u]);
      store_vector<D, LENGTH>(destination + element + u * THREADS * LENGTH, values[u]);
    }
  }
#pragma unroll 1
  for (; first < vectors; first += THREADS) {
    const u64 element = head + first * LENGTH;
    Elements values;
    if constexpr (Op::READS_DESTINATION)
      values = load_vector<D, LENGTH>(destination + element);
    compute(values, operand.vector(element));
    store_vector<D, LENGTH>(destination + element, values);
  }
  for (u64 i = tail + thread; i < count; i += thread_count())
    destination[i] = combine<Op, C>(destination[i], operand.one(i));
}

template <class S, int LENGTH, bool SOURCE_VECTORS>
struct DenseSource {
  const S* source;
  TV_DEVICE S one(u64 i) const { return source[i]; }
  TV_DEVICE Vector<S, LENGTH> vector(u64 i) const {
    if constexpr (SOURCE_VECTORS) return load_vector<S, LENGTH>(source + i);
    else return load_elements<S, LENGTH>(source + i);
  }
};

template <class T, int LENGTH>
struct OneValue {
  T value;
  TV_DEVICE T one(u64) const { return value; }
  TV_DEVICE Vector<T, LENGTH> vector(u64) const {
    Vector<T, LENGTH> result;
#pragma unroll
    for (int e = 0; e < LENGTH; ++e) result.element[e] = value;
    return result;
  }
};

template <class S, int LENGTH, bool SOURCE_VECTORS>
struct RepeatedRow {
  const S* source;
  const Divisor& inner;
  TV_DEVICE u64 column(u64 i) const { return i - divide(i, inner) * inner.value; }
  TV_DEVICE S one(u64 i) const { return source[column(i)]; }
  TV_DEVICE Vector<S, LENGTH> vector(u64 i) const {
    u64 at = column(i);
    if constexpr (SOURCE_VECTORS) {
      return load_vector<S, LENGTH>(source + at);
    } else {
      Vector<S, LENGTH> result;
#pragma unroll
      for (int e = 0; e < LENGTH; ++e) {
        result.element[e] = source[at];
        at = at + 1 == inner.value ? 0 : at + 1;
      }
      return result;
    }
  }
};

template <class Op, class C, class D, class S, bool SOURCE_VECTORS, int UNROLL>
TV_DEVICE void assign_contiguous(D* destination, const S* source, u64 count) {
  constexpr int LENGTH = VECTOR_LENGTH<D, S>;
  const DenseSource<S, LENGTH, SOURCE_VECTORS> operand = {source};
  assign_dense<Op, C, D, LENGTH, UNROLL>(destination, operand, count);
}

template <class Op, class C, class D, class T, int UNROLL>
TV_DEVICE void assign_value(D* destination, T value, u64 count) {
  constexpr int LENGTH = VECTOR_LENGTH<D, D>;
  const OneValue<T, LENGTH> operand = {value};
  assign_dense<Op, C, D, LENGTH, UNROLL>(destination, operand, count);
}

template <class Op, class C, class D, class S, bool SOURCE_VECTORS, int UNROLL>
TV_DEVICE void assign_row(D* destination, const S* source, u64 count, const Divisor& inner) {
  constexpr int LENGTH = VECTOR_LENGTH<D, S>;
  const RepeatedRow<S, LENGTH, SOURCE_VECTORS> operand = {source, inner};
  assign_dense<Op, C, D, LENGTH, UNROLL>(destination, operand, count);
}

template <class Op, class C, class D, class S, bool ALIGNED>
TV_DEVICE void assign_strided(u8* destination, const u8* source, const Walk& walk) {
  for (u64 i = thread_index(); i < walk.count; i += thread_count()) {
    const Offsets at = locate(walk, i);
    D value = {};
    if constexpr (Op::READS_DESTINATION)
      value = load_one<ALIGNED, D>(destination + at.destination);
    const S operand = load_one<ALIGNED, S>(source + at.source);
    store_one<ALIGNED>(destination + at.destination, combine<Op, C>(value, operand));
  }
}

template <class Op, class C, class D, bool ALIGNED>
TV_DEVICE void assign_value_strided(u8* destination, C scalar, const Walk& walk) {
  for (u64 i = thread_index(); i < walk.count; i += thread_count()) {
    u8* const at = destination + locate(walk, i).destination;
    D value = {};
    if constexpr (Op::READS_DESTINATION) value = load_one<ALIGNED, D>(at);
    store_one<ALIGNED>(at, combine<Op, C>(value, scalar));
  }
}

}  // namespace tv
