// Purpose: brings tiles of a matrix to shared memory as [k][line], where a line is a row of A
// or a column of B, so that what is multiplied at once lies side by side. What is outside of
// the matrix is filled with zeros.
//
// Two ways: AsyncTile copies beside the arithmetic (sm_80 and newer; elements of 4 to 16
// bytes), StagedTile goes by way of registers and converts (all chips, all types).
// K_CONTIGUOUS says that the elements of a line are neighbours in global memory, otherwise
// those of one k are. VECTORS says that 16 bytes may be moved at once: the address and the
// distance between stored rows are multiples of that.
#pragma once
#include "tv_async_copy.cuh"
#include "tv_types.cuh"

namespace tv {

// Keeps the rows [k] of a tile 16 bytes aligned, and on other banks than their neighbours.
constexpr int TILE_PADDING = 4;

// What of a matrix a block sees: from its first line and its first k on.
template <class T>
struct Window {
  const T* first;
  u64 leading;   // elements from one stored row to the next
  u64 lines;     // that there are; may be more than a tile has
};

// The pieces of a tile that one thread moves: `line(i)` and `k(i)` are constants added to
// the position of the first one.
template <int LINES, int KS, int LENGTH, bool K_CONTIGUOUS, int THREADS, int ELEMENT_BYTES>
struct Pieces {
  // Neighbouring threads read 32 bytes of a line and then go to the next line: whole
  // sectors of global memory, and all banks of the shared one.
  static constexpr int ALONG =
      K_CONTIGUOUS ? smaller(KS, larger(LENGTH, 32 / ELEMENT_BYTES)) / LENGTH : LINES / LENGTH;
  static constexpr int ACROSS = K_CONTIGUOUS ? LINES : KS;
  static constexpr int ALL = LINES * KS / LENGTH;
  static constexpr int COUNT = (ALL + THREADS - 1) / THREADS;
  static constexpr bool EVERYBODY = ALL % THREADS == 0;
  static_assert(EVERYBODY || ALL < THREADS, "every thread has as many pieces");
  static_assert(THREADS % ALONG == 0 || ALONG % THREADS == 0, "pieces are a rectangle");

  static constexpr int across(int piece) { return piece / ALONG % ACROSS; }
  static constexpr int along(int piece) {
    return (piece % ALONG + piece / (ALONG * ACROSS) * ALONG) * LENGTH;
  }
  // The pieces of a thread in the order in which they go across.
  static constexpr int ROUNDS = larger(1, COUNT / larger(1, ALONG * ACROSS / THREADS));
  static constexpr int in_order(int i) {
    return (THREADS < ALONG ? i : i % ROUNDS * (COUNT / ROUNDS) + i / ROUNDS) * THREADS;
  }
  static constexpr int line(int piece) { return K_CONTIGUOUS ? across(piece) : along(piece); }
  static constexpr int k(int piece) { return K_CONTIGUOUS ? along(piece) : across(piece); }
};

// How many of LENGTH elements from `at` on are before `end`.
template <int LENGTH>
TV_DEVICE int inside(int at, int end) {
  const int left = end - at;
  return left < 0 ? 0 : left < LENGTH ? left : LENGTH;
}

TV_DEVICE int at_most(u64 value, int limit) {
  return value < static_cast<u64>(limit) ? static_cast<int>(value) : limit;
}

// The same number, as one that the compiler has not seen before: what follows from it is
// computed when it is needed and not kept in registers all the time.
TV_DEVICE u64 anew(u64 number) {
#ifndef TV_CPU
  asm volatile("" : "+l"(number));
#endif
  return number;
}

template <class T, int LINES, int KS, bool K_CONTIGUOUS, bool VECTORS, int THREADS>
struct AsyncTile {
  static constexpr int LENGTH = VECTORS && !K_CONTIGUOUS ? VECTOR_BYTES / sizeof(T) : 1;
  static constexpr int BYTES = LENGTH * sizeof(T);
  static constexpr int PITCH = LINES + TILE_PADDING;
  typedef Pieces<LINES, KS, LENGTH, K_CONTIGUOUS, THREADS, sizeof(T)> P;

  const T* from;
  u64 leading;
  int lines;
  u32 to;    // in the first of the tiles

  TV_DEVICE AsyncTile(const Window<T>& window, u32 tile)
      : leading(window.leading), lines(at_most(window.lines, LINES)) {
    const int line = P::line(threadIdx.x), k = P::k(threadIdx.x);
    from = window.first + (K_CONTIGUOUS ? line * leading + k : k * leading + line);
    to = tile + static_cast<u32>((k * PITCH + line) * sizeof(T));
  }

  // Begins to copy the next KS, of which `ks` exist, to the tile that is so many bytes
  // behind the first.
  TV_DEVICE void begin(u32 behind, int ks) {
    if (ks >= KS && lines == LINES) pieces<true>(to + behind, ks);
    else pieces<false>(to + behind, ks);
    from += K_CONTIGUOUS ? KS : KS * anew(leading);
  }

 private:
  template <bool WHOLE>
  TV_DEVICE void pieces(u32 place, int ks) {
    if (!P::EVERYBODY && threadIdx.x >= P::ALL) return;
    const int line = P::line(threadIdx.x), k = P::k(threadIdx.x);
    // Step by step, so that not every piece has a pointer of its own in registers.
    const T* source = from;
    const u64 pitch = anew(leading);
    int reached = 0;
#pragma unroll
    for (int i = 0; i < P::COUNT; ++i) {
      const int piece = P::in_order(i);
      const int other_line = P::line(piece), other_k = P::k(piece);
      const u32 at = place + static_cast<u32>((other_k * PITCH + other_line) * sizeof(T));
      source += (P::across(piece) - reached) * pitch;
      reached = P::across(piece);
      if constexpr (WHOLE) {
        copy_async<BYTES>(at, source + P::along(piece));
      } else {
        const int valid = k + other_k < ks ? inside<LENGTH>(line + other_line, lines) : 0;
        copy_async<BYTES>(at, source + P::along(piece), valid * static_cast<u32>(sizeof(T)));
      }
    }
  }
};

// In PTX, because the compiler takes a load apart whose elements go different ways
// afterwards (NVRTC 13.5, sm_100 and newer).
template <class T, int LENGTH>
TV_DEVICE Vector<T, LENGTH> load_piece(const T* from) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 1000
  if constexpr (LENGTH * sizeof(T) == VECTOR_BYTES) {
    Words<T, LENGTH> piece;
    asm volatile("ld.global.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(piece.word[0]), "=r"(piece.word[1]), "=r"(piece.word[2]),
                   "=r"(piece.word[3]) : "l"(from));
    return piece.elements;
  }
#endif
  return load_vector<T, LENGTH>(from);
}

// Loads T and stores C.
template <class T, class C, int LINES, int KS, bool K_CONTIGUOUS, bool VECTORS, int THREADS>
struct StagedTile {
  static constexpr int LENGTH =
      VECTORS ? smaller(VECTOR_BYTES / sizeof(T), K_CONTIGUOUS ? KS : LINES) : 1;
  static constexpr int PITCH = LINES + TILE_PADDING;
  typedef Pieces<LINES, KS, LENGTH, K_CONTIGUOUS, THREADS, sizeof(T)> P;

  const T* from;
  u64 leading;
  int lines, line, k;
  Vector<T, LENGTH> held[P::COUNT];

  TV_DEVICE StagedTile(const Window<T>& window)
      : leading(window.leading), lines(at_most(window.lines, LINES)),
        line(P::line(threadIdx.x)), k(P::k(threadIdx.x)) {
    from = window.first + (K_CONTIGUOUS ? line * leading + k : k * leading + line);
  }

  // Loads the next KS, of which `ks` exist, to registers.
  TV_DEVICE void load(int ks) {
    if (!P::EVERYBODY && threadIdx.x >= P::ALL) return;
#pragma unroll
    for (int i = 0; i < P::COUNT; ++i) {
      const int other_line = P::line(i * THREADS), other_k = P::k(i * THREADS);
      const T* const source =
          from + (K_CONTIGUOUS ? other_line * leading + other_k : other_k * leading + other_line);
      const int at_line = line + other_line, at_k = k + other_k;
      const int valid = K_CONTIGUOUS ? (at_line < lines ? inside<LENGTH>(at_k, ks) : 0)
                                     : (at_k < ks ? inside<LENGTH>(at_line, lines) : 0);
      if (valid == LENGTH) {
        held[i] = load_piece<T, LENGTH>(source);
      } else {
        held[i] = Vector<T, LENGTH>{};
#pragma unroll
        for (int e = 0; e < LENGTH; ++e)
          if (e < valid) held[i].element[e] = source[e];
      }
    }
    from += K_CONTIGUOUS ? KS : KS * leading;
  }

  // Puts what was loaded into the tile.
  TV_DEVICE void store(C* tile) const {
    if (!P::EVERYBODY && threadIdx.x >= P::ALL) return;
#pragma unroll
    for (int i = 0; i < P::COUNT; ++i) {
      C* const to = tile + (k + P::k(i * THREADS)) * PITCH + line + P::line(i * THREADS);
#pragma unroll
      for (int e = 0; e < LENGTH; ++e)
        to[e * (K_CONTIGUOUS ? PITCH : 1)] = convert<C>(held[i].element[e]);
    }
  }
};

}  // namespace tv
