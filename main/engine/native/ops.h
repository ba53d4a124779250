// Made by main/engine/lowering/optable.ts from shared/symbolic (program.ts, plan.ts): `npm run check -- --write`.
#pragma once
#include "elementwise.h"

namespace normforge {

template <class T>
struct Named {
  const char* name;
  T value;
};

constexpr const char* kHeading = "plan";
constexpr int kForm = 2;

enum class Size { scalar, c, n, nc, full };
constexpr Named<Size> kSizes[] = {
    {"scalar", Size::scalar},
    {"c", Size::c},
    {"n", Size::n},
    {"nc", Size::nc},
    {"full", Size::full},
};

enum class Place { input, output, register_, tile, small, kept };
constexpr Named<Place> kPlaces[] = {
    {"input", Place::input},
    {"output", Place::output},
    {"register", Place::register_},
    {"tile", Place::tile},
    {"small", Place::small},
    {"kept", Place::kept},
};

enum class Kind { elementwise, sum, variance, group_mean, mul_sum, moments };
constexpr Named<Kind> kReductions[] = {
    {"sum", Kind::sum},
    {"variance", Kind::variance},
    {"groupMean", Kind::group_mean},
    {"mulSum", Kind::mul_sum},
    {"moments", Kind::moments},
};

constexpr Named<Elementwise> kElementwise[] = {
    {"add", op_add},
    {"sub", op_sub},
    {"mul", op_mul},
    {"div", op_div},
    {"max", op_max},
    {"reluGrad", op_relu_grad},
    {"sigmoidGrad", op_sigmoid_grad},
    {"tanhGrad", op_tanh_grad},
    {"neg", op_neg},
    {"square", op_square},
    {"sqrt", op_sqrt},
    {"reciprocal", op_reciprocal},
    {"exp", op_exp},
    {"log", op_log},
    {"sigmoid", op_sigmoid},
    {"tanh", op_tanh},
    {"relu", op_relu},
    {"abs", op_abs},
    {"sign", op_sign},
    {"guard", op_guard},
    {"broadcast", op_broadcast},
    {"mulAdd", op_mul_add},
    {"mulSub", op_mul_sub},
    {"subMul", op_sub_mul},
};

}  // namespace normforge
