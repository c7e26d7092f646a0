// Purpose: one step of an optimizer for many tensors in one launch: parameters and their
// state change in place, by a rule of tv_optimizers.cuh. P is the type of the parameters, G
// that of the gradients, C the one that is computed with and that of the state: double for
// P double, else float. With MASTER, the parameters are kept a second time, as float: the
// step is done with those, and the parameters become their rounded values.
//
// Work split: see tv_tensors.cuh; a vector fills 16 bytes of the widest array. `prepare`,
// one block, goes before: it turns the step, the learning rate, the loss scale and what
// sum_squares found into the numbers that `update` multiplies with, and counts the step. It
// works in double, so Adam's powers are right for any step. Where the gradients are not
// finite and that is to be looked at, neither the step nor any tensor changes.
//
// Arrays of a tensor in the table: parameter, gradient, master if any, slots of the rule.
// Bytes moved per element: sizeof(G) read, sizeof(P) written and, but for MASTER, read; 4
// (float64: 8) read and written for each slot and the master.
// Limits: fewer than 2^63 elements in fewer than 2^28 tensors. A gradient may be the
// parameter itself, element for element; no array that is written may overlap another.
#include "tv_optimizers.cuh"
#include "tv_scalars.cuh"
#include "tv_tensors.cuh"

namespace tv {

constexpr u64 CLIPS = 1;
constexpr u64 SKIPS = 2;
constexpr u64 CORRECTS = 4;

TV_DEVICE void prepare(Scalars* scalars, const Partial* partials, u64 count, double clip_norm,
                       double beta_1, double beta_2, u64 options, double* sums,
                       double* counts) {
  double sum = 0;
  double not_finite = 0;
  for (u64 i = threadIdx.x; i < count; i += TENSOR_THREADS) {
    sum += partials[i].sum;
    not_finite += partials[i].not_finite;
  }
  sums[threadIdx.x] = sum;
  counts[threadIdx.x] = not_finite;
  add_threads(sums, counts);
  if (threadIdx.x) return;

  double clip = 1;
  bool skip = false;
  if (count) {
    const double norm = sqrt(sums[0]) / scalars->loss_scale;
    scalars->norm = norm;
    scalars->finite = counts[0] == 0;
    // As in TensorFlow: a norm that is not finite makes every gradient NaN.
    if (options & CLIPS) clip = (norm > clip_norm ? clip_norm / norm : 1) + (norm - norm);
    skip = options & SKIPS && counts[0] != 0;
  }
  scalars->clip_factor = clip;
  scalars->skip = skip;
  if (skip) return;

  const double step = scalars->step + 1;
  const double rate = scalars->learning_rate;
  double corrected = rate;
  if (options & CORRECTS)
    corrected = rate * sqrt(1 - pow(beta_2, step)) / (1 - pow(beta_1, step));
  const double factor = clip / scalars->loss_scale;
  scalars->step = step;
  scalars->rate = rate;
  scalars->corrected_rate = corrected;
  scalars->gradient_factor = factor;
  scalars->rate_as_float = static_cast<float>(rate);
  scalars->corrected_rate_as_float = static_cast<float>(corrected);
  scalars->gradient_factor_as_float = static_cast<float>(factor);
}

TV_DEVICE void read_rates(const Scalars* scalars, Rates<float>& rates) {
  rates = {scalars->rate_as_float, scalars->corrected_rate_as_float,
           scalars->gradient_factor_as_float};
}

TV_DEVICE void read_rates(const Scalars* scalars, Rates<double>& rates) {
  rates = {scalars->rate, scalars->corrected_rate, scalars->gradient_factor};
}

template <class Rule, class C, class P, class G, bool MASTER, int UNROLL, class Table>
struct Update {
  static constexpr int SLOTS = Rule::SLOTS;
  static constexpr int WIDEST = larger(larger(sizeof(P), sizeof(G)),
                                       SLOTS || MASTER ? static_cast<int>(sizeof(C)) : 0);
  static constexpr int LENGTH = VECTOR_BYTES / WIDEST;
  static constexpr u32 MASTERS = 2;
  static constexpr u32 FIRST_SLOT = MASTER ? 3 : 2;

  // One vector of each array. A list of no arrays is not allowed.
  struct Item {
    Vector<P, LENGTH> parameter;
    Vector<G, LENGTH> gradient;
    Vector<C, LENGTH> master;
    Vector<C, LENGTH> slots[larger(SLOTS, 1)];
    bool whole;
  };

  const Table& table;
  u32 tensors;
  u32 decayed;  // the tensors before this one have weight decay
  const Rule& rule;
  Rates<C> rates;

  template <class T> TV_DEVICE T* at(u32 array, const Place& place) const {
    return address_of<T>(table, tensors, array, place);
  }

  TV_DEVICE bool is_whole(const Place& place) const {
    // Without short cuts, which would be branches.
    bool whole = place.count == LENGTH;
    whole &= holds_vector<LENGTH>(at<P>(0, place));
    whole &= holds_vector<LENGTH>(at<G>(1, place));
    if constexpr (MASTER) whole &= holds_vector<LENGTH>(at<C>(MASTERS, place));
#pragma unroll
    for (u32 s = 0; s < SLOTS; ++s)
      whole &= holds_vector<LENGTH>(at<C>(FIRST_SLOT + s, place));
    return whole;
  }

  template <bool WHOLE>
  TV_DEVICE void load(Item& item, const Place& place) const {
    const u32 count = place.count;
    item.gradient = load_part<LENGTH, WHOLE>(at<const G>(1, place), count);
    if constexpr (MASTER)
      item.master = load_part<LENGTH, WHOLE>(at<const C>(MASTERS, place), count);
    else
      item.parameter = load_part<LENGTH, WHOLE>(at<const P>(0, place), count);
#pragma unroll
    for (u32 s = 0; s < SLOTS; ++s)
      item.slots[s] = load_part<LENGTH, WHOLE>(at<const C>(FIRST_SLOT + s, place), count);
  }

  TV_DEVICE void compute(Item& item, bool decays) const {
#pragma unroll
    for (int i = 0; i < LENGTH; ++i) {
      C w;
      if constexpr (MASTER) w = item.master.element[i];
      else w = convert<C>(item.parameter.element[i]);
      C slots[larger(SLOTS, 1)];
#pragma unroll
      for (int s = 0; s < SLOTS; ++s) slots[s] = item.slots[s].element[i];
      if (decays) w = w - w * rule.weight_decay * rates.learning_rate;
      rule.apply(w, convert<C>(item.gradient.element[i]) * rates.gradient_factor, slots, rates);
#pragma unroll
      for (int s = 0; s < SLOTS; ++s) item.slots[s].element[i] = slots[s];
      if constexpr (MASTER) item.master.element[i] = w;
      item.parameter.element[i] = convert<P>(w);
    }
  }

  template <bool WHOLE>
  TV_DEVICE void store(const Item& item, const Place& place) const {
    const u32 count = place.count;
    store_part<LENGTH, WHOLE>(at<P>(0, place), item.parameter, count);
    if constexpr (MASTER) store_part<LENGTH, WHOLE>(at<C>(MASTERS, place), item.master, count);
#pragma unroll
    for (u32 s = 0; s < SLOTS; ++s)
      store_part<LENGTH, WHOLE>(at<C>(FIRST_SLOT + s, place), item.slots[s], count);
  }

  template <bool ALONE>
  TV_DEVICE void run(const Place (&places)[UNROLL]) const {
    Item items[UNROLL];
#pragma unroll
    for (int u = 0; u < UNROLL; ++u) {
      if (!ALONE && places[u].count == 0) continue;
      items[u].whole = ALONE || is_whole(places[u]);
      if (items[u].whole) load<true>(items[u], places[u]);
      else load<false>(items[u], places[u]);
    }
#pragma unroll
    for (int u = 0; u < UNROLL; ++u) {
      if (!ALONE && places[u].count == 0) continue;
      compute(items[u], places[u].tensor < decayed);
      if (items[u].whole) store<true>(items[u], places[u]);
      else store<false>(items[u], places[u]);
    }
  }
};

template <class C, class P, class G, bool MASTER, int UNROLL, class Table, class Rule>
TV_DEVICE void update(const Table& table, u64 tensors, u64 decayed, u64 range,
                      const Scalars* scalars, const Rule& rule) {
  if (scalars->skip) return;
  typedef Update<Rule, C, P, G, MASTER, UNROLL, Table> Work;
  Work work = {table, static_cast<u32>(tensors), static_cast<u32>(decayed), rule, {}};
  read_rates(scalars, work.rates);
  walk_tensors<Work::LENGTH, UNROLL>(table, static_cast<u32>(tensors), range, work);
}

}  // namespace tv

// What tensorvar/_cuda/optimizers.py appends, one line per kernel that it needs.
#define TV_UPDATE(name, Rule, C, P, G, MASTER, UNROLL, Table)                              \
  TV_KERNEL(tv::TENSOR_THREADS, name)                                                      \
  (const __grid_constant__ Table table, tv::u64 tensors, tv::u64 decayed, tv::u64 range,   \
   const tv::Scalars* scalars, const __grid_constant__ tv::Rule<C> rule) {                 \
    tv::update<C, P, G, MASTER, UNROLL>(table, tensors, decayed, range, scalars, rule);    \
  }                                                                                        \
  TV_EXPORT(name)

#define TV_PREPARE(name)                                                                   \
  TV_KERNEL(tv::TENSOR_THREADS, name)                                                      \
  (tv::Scalars* scalars, const tv::Partial* partials, tv::u64 count, double clip_norm,     \
   double beta_1, double beta_2, tv::u64 options) {                                        \
    TV_SHARED(double, sums, [tv::TENSOR_THREADS]);                                         \
    TV_SHARED(double, counts, [tv::TENSOR_THREADS]);                                       \
    tv::prepare(scalars, partials, count, clip_norm, beta_1, beta_2, options, sums,        \
                counts);                                                                   \
  }                                                                                        \
  TV_EXPORT(name)
