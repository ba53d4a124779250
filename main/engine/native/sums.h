// Sums over the rows of a block, kept side by side: each of `lanes` running sums takes every lanes-th value, so that adding
// one value need not wait for the last. They stay in the processor's registers for the length of a block.
#pragma once
#include <algorithm>

namespace normforge {

#if defined(__AVX512F__)
constexpr int kVector = 16;
#elif defined(__AVX__)
constexpr int kVector = 8;
#else
constexpr int kVector = 4;
#endif
// A register of floats, at any address.
typedef float Vector __attribute__((vector_size(kVector * sizeof(float)), aligned(sizeof(float)), may_alias));
inline Vector& vector_at(float* from) { return *reinterpret_cast<Vector*>(from); }
inline const Vector& vector_at(const float* from) { return *reinterpret_cast<const Vector*>(from); }

// Calls wide(first) for as many lanes as `registers` hold, then narrow(first, end) for what is left of them.
template <int registers, class Wide, class Narrow>
inline void each_lane(int lanes, Wide wide, Narrow narrow) {
  int first = 0;
  for (; first + registers * kVector <= lanes; first += registers * kVector) wide(first);
  if (first < lanes) narrow(first, lanes);
}

// sum[i] += value(i) for all i, those beyond `lanes` counted from the start again; values(i) are those of a register.
template <class Value, class Values>
inline void add_up(float* sum, int count, int lanes, Value value, Values values) {
  constexpr int kRegisters = 8;
  const int whole = count - count % lanes;
  each_lane<kRegisters>(
      lanes,
      [&](int first) {
        Vector sums[kRegisters];
        for (int r = 0; r < kRegisters; r++) sums[r] = vector_at(sum + first + r * kVector);
        for (int at = first; at < whole; at += lanes)
          for (int r = 0; r < kRegisters; r++) sums[r] += values(at + r * kVector);
        for (int r = 0; r < kRegisters; r++) vector_at(sum + first + r * kVector) = sums[r];
      },
      [&](int first, int end) {
        for (int at = 0; at < whole; at += lanes)
#pragma GCC ivdep
          for (int i = first; i < end; i++) sum[i] += value(at + i);
      });
#pragma GCC ivdep
  for (int i = 0; i < count - whole; i++) sum[i] += value(whole + i);
}

inline void add_rows(float* sum, const float* a, int count, int lanes) {
  add_up(sum, count, lanes, [=](int i) { return a[i]; }, [=](int i) { return vector_at(a + i); });
}
inline void add_products(float* sum, const float* a, const float* b, int count, int lanes) {
  const auto values = [=](int i) { return vector_at(a + i) * vector_at(b + i); };
  add_up(sum, count, lanes, [=](int i) { return a[i] * b[i]; }, values);
}

// Adds a[i] − centre[i] to first[i] and its square to second[i].
inline void add_moments(const float* centre, float* first, float* second, const float* a, int count, int lanes) {
  constexpr int kRegisters = 4;
  const int whole = count - count % lanes;
  const auto narrow = [&](int at, int begin, int end) {
#pragma GCC ivdep
    for (int i = begin; i < end; i++) {
      const float d = a[at + i] - centre[i];
      first[i] += d;
      second[i] += d * d;
    }
  };
  each_lane<kRegisters>(
      lanes,
      [&](int lane) {
        Vector centres[kRegisters], firsts[kRegisters], seconds[kRegisters];
        for (int r = 0; r < kRegisters; r++) {
          const int i = lane + r * kVector;
          centres[r] = vector_at(centre + i), firsts[r] = vector_at(first + i), seconds[r] = vector_at(second + i);
        }
        for (int at = lane; at < whole; at += lanes)
          for (int r = 0; r < kRegisters; r++) {
            const Vector d = vector_at(a + at + r * kVector) - centres[r];
            firsts[r] += d;
            seconds[r] += d * d;
          }
        for (int r = 0; r < kRegisters; r++) {
          const int i = lane + r * kVector;
          vector_at(first + i) = firsts[r], vector_at(second + i) = seconds[r];
        }
      },
      [&](int begin, int end) {
        for (int at = 0; at < whole; at += lanes) narrow(at, begin, end);
      });
  narrow(whole, 0, count - whole);
}

}  // namespace normforge
