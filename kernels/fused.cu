// Purpose: a formula of many elementwise ops in one pass: what would be written and read
// again between two ops stays in registers. tensorvar/_cuda/fused_text.py writes the formula,
// one line per op of tv_formulas.cuh; operands and loop are here.
//
// Work split: that of assign.cu, for several operands and results of one shape. The results
// are dense. The first elements are peeled until the first result is aligned. An operand is
//   Dense     as dense as the results; VECTORS is false where it is not aligned once the
//             first result is: it is then read by elements
//   Number    a kernel argument
//   Single    one element in device memory, read once per thread
//   Row       a dense row that is repeated; VECTORS needs rows of whole vectors
//   Strided   any strides and broadcasts; with WHOLE a vector never leaves a row of the
//             innermost dimension, and is found by one walk
//
// Bytes moved per element: those of the dense operands and of the results, each once.
// Limits: fewer than 2^63 elements. A result may lie where a dense operand of its size lies,
// element for element; operands and results must not overlap otherwise.
#include "tv_elementwise.cuh"
#include "tv_formulas.cuh"

namespace tv {

// A list of things of different types.
template <class First, class... Rest>
struct Group {
  First first;
  Group<Rest...> rest;
};
template <class Last>
struct Group<Last> {
  Last first;
};

template <int I, class G>
TV_DEVICE auto& part(G& group) {
  if constexpr (I == 0) return group.first;
  else return part<I - 1>(group.rest);
}

// Where an operand's element stands for each element of the results; innermost first.
struct Positions {
  u64 rank;
  Divisor extents[MAX_RANK];  // the outermost one is not read
  i64 strides[MAX_RANK];      // in bytes
};

TV_DEVICE i64 offset_of(const Positions& positions, u64 index) {
  i64 offset = 0;
#pragma unroll
  for (int d = 0; d < MAX_RANK; ++d) {
    if (static_cast<u64>(d) >= positions.rank) break;
    const bool outermost = static_cast<u64>(d) + 1 == positions.rank;
    const u64 outer = outermost ? 0 : divide(index, positions.extents[d]);
    offset += static_cast<i64>(index - outer * positions.extents[d].value) *
              positions.strides[d];
    index = outer;
  }
  return offset;
}

template <class T, int LENGTH, bool WHOLE>
struct StridedSource {
  const u8* source;
  const Positions& positions;
  TV_DEVICE T at(i64 offset) const { return *reinterpret_cast<const T*>(source + offset); }
  TV_DEVICE T one(u64 i) const { return at(offset_of(positions, i)); }
  TV_DEVICE Vector<T, LENGTH> vector(u64 i) const {
    Vector<T, LENGTH> result;
    const i64 begin = WHOLE ? offset_of(positions, i) : 0;
#pragma unroll
    for (int e = 0; e < LENGTH; ++e)
      result.element[e] = WHOLE ? at(begin + e * positions.strides[0]) : one(i + e);
    return result;
  }
};

// Operands as the host hands them over; each a multiple of 8 bytes.
template <class T, bool VECTORS>
struct Dense {
  typedef T Element;
  const T* source;
  template <int LENGTH> TV_DEVICE auto open() const {
    return DenseSource<T, LENGTH, VECTORS>{source};
  }
};

template <class T>
struct Single {
  typedef T Element;
  const T* source;
  template <int LENGTH> TV_DEVICE auto open() const { return OneValue<T, LENGTH>{*source}; }
};

template <class T>
struct alignas(8) Number {
  typedef T Element;
  T value;
  template <int LENGTH> TV_DEVICE auto open() const { return OneValue<T, LENGTH>{value}; }
};

template <class T, bool VECTORS>
struct Row {
  typedef T Element;
  const T* source;
  Divisor inner;
  template <int LENGTH> TV_DEVICE auto open() const {
    return RepeatedRow<T, LENGTH, VECTORS>{source, inner};
  }
};

template <class T, bool WHOLE>
struct Strided {
  typedef T Element;
  const u8* source;
  Positions positions;
  template <int LENGTH> TV_DEVICE auto open() const {
    return StridedSource<T, LENGTH, WHOLE>{source, positions};
  }
};

// A result; VECTORS is false where it is not aligned once the first one is.
template <class T, bool VECTORS>
struct Written {
  typedef T Element;
  T* to;
  template <int LENGTH> TV_DEVICE u64 to_peel(u64 count) const {
    return elements_to_peel<T, LENGTH>(to, count);
  }
  template <int COUNT> TV_DEVICE void store(u64 i, const Vector<T, COUNT>& values) const {
    if constexpr (VECTORS && COUNT > 1) {
      store_vector<T, COUNT>(to + i, values);
    } else {
#pragma unroll
      for (int e = 0; e < COUNT; ++e) to[i + e] = values.element[e];
    }
  }
};

// COUNT neighbouring elements of each operand or result.
template <int COUNT, class... Parts>
using Elements = Group<Vector<typename Parts::Element, COUNT>...>;

template <int LENGTH, class First, class... Rest>
TV_DEVICE auto open(const Group<First, Rest...>& operands) {
  typedef Group<decltype(operands.first.template open<LENGTH>()),
                decltype(Rest().template open<LENGTH>())...> Sources;
  if constexpr (sizeof...(Rest) == 0)
    return Sources{operands.first.template open<LENGTH>()};
  else
    return Sources{operands.first.template open<LENGTH>(), open<LENGTH>(operands.rest)};
}

template <class... Sources, class... Values>
TV_DEVICE void load_one_of_each(const Group<Sources...>& sources, u64 i, Group<Values...>& values) {
  values.first.element[0] = sources.first.one(i);
  if constexpr (sizeof...(Values) > 1) load_one_of_each(sources.rest, i, values.rest);
}

template <class... Sources, class... Values>
TV_DEVICE void load_vectors(const Group<Sources...>& sources, u64 i, Group<Values...>& values) {
  values.first = sources.first.vector(i);
  if constexpr (sizeof...(Values) > 1) load_vectors(sources.rest, i, values.rest);
}

template <class... Results, class... Values>
TV_DEVICE void store(const Group<Results...>& results, u64 i, const Group<Values...>& values) {
  results.first.store(i, values.first);
  if constexpr (sizeof...(Values) > 1) store(results.rest, i, values.rest);
}

template <class Formula, int LENGTH, int UNROLL, class... R, class... O>
TV_DEVICE void compute(const Group<R...>& results, const Group<O...>& operands, u64 count) {
  const auto sources = open<LENGTH>(operands);
  const auto compute_one = [&](u64 i) {
    Elements<1, O...> x;
    Elements<1, R...> y;
    load_one_of_each(sources, i, x);
    Formula::apply(x, y, 0);
    store(results, i, y);
  };
  const u64 thread = thread_index();
  const u64 head = results.first.template to_peel<LENGTH>(count);
  const u64 vectors = (count - head) / LENGTH;
  for (u64 i = thread; i < head; i += thread_count()) compute_one(i);

  const auto compute_vector = [&](const auto& x, u64 i) {
    Elements<LENGTH, R...> y;
#pragma unroll
    for (int e = 0; e < LENGTH; ++e) Formula::apply(x, y, e);
    store(results, i, y);
  };
  const Chunks<UNROLL> chunks(vectors);
  u64 first = chunks.first();
#pragma unroll 1
  for (; first < chunks.whole; first += chunks.step()) {
    const u64 element = head + first * LENGTH;
    Elements<LENGTH, O...> x[UNROLL];
#pragma unroll
    for (int u = 0; u < UNROLL; ++u) load_vectors(sources, element + u * THREADS * LENGTH, x[u]);
#pragma unroll
    for (int u = 0; u < UNROLL; ++u) compute_vector(x[u], element + u * THREADS * LENGTH);
  }
#pragma unroll 1
  for (; first < vectors; first += THREADS) {
    Elements<LENGTH, O...> x;
    load_vectors(sources, head + first * LENGTH, x);
    compute_vector(x, head + first * LENGTH);
  }
  for (u64 i = head + vectors * LENGTH + thread; i < count; i += thread_count()) compute_one(i);
}

}  // namespace tv

// What tensorvar/_cuda/fused_text.py appends, one line per kernel. What follows UNROLL is the
// formula: the types Results and Operands, and `apply`, which computes element e of all
// results y from that of all operands x.
#define TV_FUSED(name, LENGTH, UNROLL, ...)                                                \
  struct name##_formula {                                                                  \
    __VA_ARGS__                                                                            \
  };                                                                                       \
  TV_KERNEL(tv::THREADS, name)                                                             \
  (tv::u64 count, const __grid_constant__ name##_formula::Results results,                 \
   const __grid_constant__ name##_formula::Operands operands) {                            \
    tv::compute<name##_formula, LENGTH, UNROLL>(results, operands, count);                 \
  }                                                                                        \
  TV_EXPORT(name)
