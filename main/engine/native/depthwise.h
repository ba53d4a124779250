// A depthwise convolution's gradient by its filter. TensorFlow's own is quick for 3×3 filters; for 5×5 it takes some six
// times as long as this.
#pragma once
#include <algorithm>
#include <cstring>
#include <functional>
#include <vector>

#include "threads.h"

namespace normforge {

// x is [n, h, w, c], dy [n, p, q, c], with zeros around x such that output (0, 0) sees x from (-top, -left) on.
struct Depthwise {
  int n, h, w, c, p, q, stride, top, left;
};

typedef float Eight __attribute__((vector_size(32)));
template <class T>
inline T at(const float* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

// Adds the sums of one row of dy with one row of x, for as many channels as V values of T hold, to sum [K, channels].
template <int K, int V, class T>
inline void row(const Depthwise& d, const float* x, const float* dy, float* sum) {
  constexpr int lanes = sizeof(T) / sizeof(float);
  T kept[K][V];
  for (int k = 0; k < K; k++)
    for (int v = 0; v < V; v++) kept[k][v] = at<T>(sum + long(k) * d.c + v * lanes);
  for (int o = 0; o < d.q; o++) {
    T given[V];
    for (int v = 0; v < V; v++) given[v] = at<T>(dy + long(o) * d.c + v * lanes);
    const int first = o * d.stride - d.left;
    const float* from = x + long(first) * d.c;
    if (first >= 0 && first + K <= d.w) {
      for (int k = 0; k < K; k++)
        for (int v = 0; v < V; v++) kept[k][v] += at<T>(from + long(k) * d.c + v * lanes) * given[v];
    } else {
      for (int k = 0; k < K; k++)
        if (first + k >= 0 && first + k < d.w)
          for (int v = 0; v < V; v++) kept[k][v] += at<T>(from + long(k) * d.c + v * lanes) * given[v];
    }
  }
  for (int k = 0; k < K; k++)
    for (int v = 0; v < V; v++) std::memcpy(sum + long(k) * d.c + v * lanes, &kept[k][v], sizeof(T));
}

// Adds what row o of sample n gives to channels c … c + V · lanes of the result [K, K, channels].
template <int K, int V, class T>
inline void channels(const Depthwise& d, long n, int o, int c, const float* x, const float* dy, float* result) {
  for (int k = 0; k < K; k++) {
    const int y = o * d.stride - d.top + k;
    if (y < 0 || y >= d.h) continue;
    row<K, V, T>(d, x + (n * d.h + y) * d.w * d.c + c, dy + (n * d.p + o) * d.q * d.c + c,
                 result + long(k) * K * d.c + c);
  }
}

// result: [K, K, channels]. Threads share out the channels, so that their number doesn't change the sums; few ranges,
// each of which goes through all of x and dy.
template <int K>
void filter_gradient(const Depthwise& d, const float* x, const float* dy, float* result) {
  std::fill(result, result + long(K) * K * d.c, 0.0f);
  Threads& threads = Threads::shared();
  const int blocks = (d.c + 15) / 16;
  const auto range = [&](int begin, int end) {
    const int last = std::min(d.c, end * 16);
    for (long n = 0; n < d.n; n++)
      for (int o = 0; o < d.p; o++) {
        int c = begin * 16;
        for (; c + 16 <= last; c += 16) channels<K, 2, Eight>(d, n, o, c, x, dy, result);
        for (; c + 8 <= last; c += 8) channels<K, 1, Eight>(d, n, o, c, x, dy, result);
        for (; c < last; c++) channels<K, 1, float>(d, n, o, c, x, dy, result);
      }
  };
  threads.each(blocks, range, (blocks + threads.size() - 1) / threads.size());
}

}  // namespace normforge
