// Purpose: the sum of the squares of all elements of many tensors, and how many of them
// are infinite or NaN: what the global norm of gradients and the check of a loss scale need,
// in one pass. G is the element type, A the one that a thread adds up in.
//
// Work split: see tv_tensors.cuh. A thread adds up its elements in A, the block adds up its
// threads in float64 in a fixed tree, and writes one Partial; prepare in optimizer.cu adds
// those up, also in a fixed order. So the result is the same on every run with the same
// grid, and no sum is longer than a range in float32.
//
// Bytes moved per element: sizeof(G) read.
// Limits: fewer than 2^63 elements in fewer than 2^28 tensors. Squares beyond the range of
// A make the sum infinite, which is no element that is not finite.
#include "tv_scalars.cuh"
#include "tv_tensors.cuh"

namespace tv {

template <class G, class A, int UNROLL, class Table>
struct SumOfSquares {
  static constexpr int LENGTH = VECTOR_BYTES / static_cast<int>(sizeof(G));
  const Table& table;
  u32 tensors;
  A sum;
  u32 not_finite;

  TV_DEVICE const G* at(const Place& place) const {
    return address_of<const G>(table, tensors, 0, place);
  }

  TV_DEVICE bool is_whole(const Place& place) const {
    return place.count == LENGTH && holds_vector<LENGTH>(at(place));
  }

  template <bool ALONE>
  TV_DEVICE void run(const Place (&places)[UNROLL]) {
    Vector<G, LENGTH> values[UNROLL];
#pragma unroll
    for (int u = 0; u < UNROLL; ++u) {
      // Elements that are not there are zeros, which add nothing.
      values[u] = {};
      if (!ALONE && places[u].count == 0) continue;
      values[u] = ALONE || is_whole(places[u])
                      ? load_part<LENGTH, true>(at(places[u]), LENGTH)
                      : load_part<LENGTH, false>(at(places[u]), places[u].count);
    }
#pragma unroll
    for (int u = 0; u < UNROLL; ++u) {
#pragma unroll
      for (int i = 0; i < LENGTH; ++i) {
        const A value = convert<A>(values[u].element[i]);
        sum += value * value;
        // The difference of two infinities is NaN.
        not_finite += value - value == 0 ? 0 : 1;
      }
    }
  }
};

template <class G, class A, int UNROLL, class Table>
TV_DEVICE void sum_squares(const Table& table, u32 tensors, u64 range, Partial* partials,
                           double* sums, double* counts) {
  SumOfSquares<G, A, UNROLL, Table> work = {table, tensors, 0, 0};
  walk_tensors<SumOfSquares<G, A, UNROLL, Table>::LENGTH, UNROLL>(table, tensors, range, work);
  sums[threadIdx.x] = static_cast<double>(work.sum);
  counts[threadIdx.x] = work.not_finite;
  add_threads(sums, counts);
  if (threadIdx.x == 0) partials[blockIdx.x] = {sums[0], counts[0]};
}

}  // namespace tv

// What tensorvar/_cuda/optimizers.py appends, one line per kernel that it needs.
#define TV_SUM_SQUARES(name, G, A, UNROLL, Table)                                          \
  TV_KERNEL(tv::TENSOR_THREADS, name)                                                      \
  (const __grid_constant__ Table table, tv::u64 tensors, tv::u64 range,                    \
   tv::Partial* partials) {                                                                \
    TV_SHARED(double, sums, [tv::TENSOR_THREADS]);                                         \
    TV_SHARED(double, counts, [tv::TENSOR_THREADS]);                                       \
    tv::sum_squares<G, A, UNROLL>(table, static_cast<tv::u32>(tensors), range, partials,   \
                                  sums, counts);                                           \
  }                                                                                        \
  TV_EXPORT(name)
