// Elementwise functions on blocks of float32, written so that the compiler turns them into vector instructions.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

namespace normforge {

inline float from_bits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
inline uint32_t to_bits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

// e^x within 2 units in the last place: 2^n · e^r by a minimax polynomial of e^r on |r| ≤ ln(2)/2, doubled, so that 2^(n − 1)
// is a float for all n up to 128. NaN stays NaN; past the range of floats inf, from 2^-125.5 downwards 0.
inline float exponential(float x) {
  x = x > 89.0f ? 89.0f : x;
  x = x < -87.0f ? -87.0f : x;
  const float shifted = x * 1.44269504088896341f + 12582912.0f;  // rounds: 1.5 · 2^23
  const float n = shifted - 12582912.0f;
  const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  float p = 2.7673588018e-03f;
  p = p * r + 1.6749714148e-02f;
  p = p * r + 8.3336457367e-02f;
  p = p * r + 3.3332839361e-01f;
  p = p * r + 9.9999984112e-01f;
  p = p * r + 2.0f;
  p = p * r + 2.0f;
  return p * from_bits((to_bits(shifted) << 23) + (126 << 23));
}

// ln x of a positive, normal x within 2 units in the last place, after Cephes' logf.
inline float logarithm(float x) {
  const uint32_t bits = to_bits(x);
  // The exponent that leaves a mantissa in [√½, √2).
  const int32_t above = static_cast<int32_t>(bits - 0x3f3504f3) >> 23;
  const float m = from_bits(bits - (static_cast<uint32_t>(above) << 23)) - 1.0f;
  const float e = static_cast<float>(above);
  const float z = m * m;
  float p = 7.0376836292e-2f;
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  const float y = m * z * p + e * -2.12194440e-4f - 0.5f * z;
  const float result = m + y + e * 0.693359375f;
  return x <= 3.4028234e38f ? (x > 0.0f ? result : (x == 0.0f ? -INFINITY : NAN)) : x;
}

// tanh x by the rational function of Eigen's and XLA's tanh.
inline float hyperbolic_tangent(float x) {
  float a = x > 7.99881172f ? 7.99881172f : x;
  a = a < -7.99881172f ? -7.99881172f : a;
  const float z = a * a;
  float p = -2.76076847742355e-16f;
  p = p * z + 2.00018790482477e-13f;
  p = p * z - 8.60467152213735e-11f;
  p = p * z + 5.12229709037114e-08f;
  p = p * z + 1.48572235717979e-05f;
  p = p * z + 6.37261928875436e-04f;
  p = p * z + 4.89352455891786e-03f;
  float q = 1.19825839466702e-06f;
  q = q * z + 1.18534705686654e-04f;
  q = q * z + 2.26843463243900e-03f;
  q = q * z + 4.89352518554385e-03f;
  const float inner = std::fabs(x) < 4e-4f ? x : a * p / q;
  return std::fabs(x) > 9.0f ? std::copysign(1.0f, x) : inner;
}

constexpr float kEpsilon = 1e-5f;

// A value and a comparison are written so that NaN comes through: `a < b ? b : a` is a where either is NaN.
using Elementwise = void (*)(float* to, const float* a, const float* b, const float* c, int length);

#define NORMFORGE_ELEMENTWISE(name, expression)                                                          \
  inline void name(float* to, const float* a_, const float* b_, const float* c_, int length) {           \
    _Pragma("GCC ivdep") for (int i = 0; i < length; i++) {                                              \
      const float a = a_[i];                                                                             \
      const float b = b_[i];                                                                             \
      const float c = c_[i];                                                                             \
      (void)a, (void)b, (void)c;                                                                         \
      to[i] = (expression);                                                                              \
    }                                                                                                    \
  }

NORMFORGE_ELEMENTWISE(op_add, a + b)
NORMFORGE_ELEMENTWISE(op_sub, a - b)
NORMFORGE_ELEMENTWISE(op_mul, a * b)
NORMFORGE_ELEMENTWISE(op_div, a / b)
NORMFORGE_ELEMENTWISE(op_max, (a < b || b != b) ? b : a)
NORMFORGE_ELEMENTWISE(op_relu_grad, b > 0.0f ? a : 0.0f)
NORMFORGE_ELEMENTWISE(op_sigmoid_grad, b * a * (1.0f - a))
NORMFORGE_ELEMENTWISE(op_tanh_grad, b * (1.0f - a * a))
NORMFORGE_ELEMENTWISE(op_neg, -a)
NORMFORGE_ELEMENTWISE(op_square, a * a)
NORMFORGE_ELEMENTWISE(op_sqrt, std::sqrt(a))
NORMFORGE_ELEMENTWISE(op_reciprocal, 1.0f / a)
NORMFORGE_ELEMENTWISE(op_exp, exponential(a))
NORMFORGE_ELEMENTWISE(op_log, logarithm(a))
NORMFORGE_ELEMENTWISE(op_sigmoid, 1.0f / (1.0f + exponential(-a)))
NORMFORGE_ELEMENTWISE(op_tanh, hyperbolic_tangent(a))
NORMFORGE_ELEMENTWISE(op_relu, a < 0.0f ? 0.0f : a)
NORMFORGE_ELEMENTWISE(op_abs, std::fabs(a))
NORMFORGE_ELEMENTWISE(op_sign, a > 0.0f ? 1.0f : (a < 0.0f ? -1.0f : a))
NORMFORGE_ELEMENTWISE(op_guard, std::fabs(a) < kEpsilon ? (a < 0.0f ? -kEpsilon : kEpsilon) : a)
NORMFORGE_ELEMENTWISE(op_broadcast, a)
NORMFORGE_ELEMENTWISE(op_mul_add, a * b + c)
NORMFORGE_ELEMENTWISE(op_mul_sub, a * b - c)
NORMFORGE_ELEMENTWISE(op_sub_mul, c - a * b)
#undef NORMFORGE_ELEMENTWISE

}  // namespace normforge
