// The TensorFlow op NormForgeDepthwiseFilter: a depthwise convolution's gradient by its filter, with padding SAME. Inputs
// x [n, h, w, c] and dy [n, p, q, c], output [kernel, kernel, c, 1].
#pragma once
#include "depthwise.h"
#include "op.h"

namespace normforge {

struct DepthwiseFilter {
  static constexpr const char* name = "NormForgeDepthwiseFilter";
  int64_t kernel = 0, stride = 0;

  static void* create(TF_OpKernelConstruction* context) {
    Status status;
    auto* made = new DepthwiseFilter;
    TF_OpKernelConstruction_GetAttrInt64(context, "kernel", &made->kernel, status);
    if (status.ok()) TF_OpKernelConstruction_GetAttrInt64(context, "stride", &made->stride, status);
    if (status.ok() && made->kernel != 3 && made->kernel != 5)
      TF_SetStatus(status, TF_INVALID_ARGUMENT, "NormForgeDepthwiseFilter: needs a kernel of 3 or 5");
    if (status.ok()) return made;
    TF_OpKernelConstruction_Failure(context, status);
    delete made;
    return nullptr;
  }

  static void destroy(void* made) { delete static_cast<DepthwiseFilter*>(made); }

  static void compute(void* made, TF_OpKernelContext* context) {
    const auto [kernel, stride] = *static_cast<DepthwiseFilter*>(made);
    Status status;
    TF_Tensor *first = nullptr, *second = nullptr;
    TF_GetInput(context, 0, &first, status);
    const Tensor x(first);
    if (status.ok()) TF_GetInput(context, 1, &second, status);
    const Tensor dy(second);
    if (!status.ok()) return TF_OpKernelContext_Failure(context, status);
    if (TF_NumDims(x.get()) != 4 || TF_NumDims(dy.get()) != 4)
      return refuse(context, name, "needs [n, h, w, c] twice");
    const auto dim = [](const Tensor& tensor, int i) { return int(TF_Dim(tensor.get(), i)); };
    const auto before = [&](int from, int to) { return std::max(0, int((to - 1) * stride + kernel) - from) / 2; };
    const int h = dim(x, 1), w = dim(x, 2), c = dim(x, 3), p = dim(dy, 1), q = dim(dy, 2);
    const bool fits = p == (h + stride - 1) / stride && q == (w + stride - 1) / stride;
    if (!fits || dim(dy, 0) != dim(x, 0) || dim(dy, 3) != c)
      return refuse(context, name, "needs x and dy of one convolution");
    const int64_t shape[4] = {kernel, kernel, c, 1};
    const size_t bytes = kernel * kernel * c * sizeof(float);
    const Tensor result(TF_AllocateOutput(context, 0, TF_FLOAT, shape, 4, bytes, status));
    if (!status.ok()) return TF_OpKernelContext_Failure(context, status);
    const Depthwise d{dim(x, 0), h, w, c, p, q, int(stride), before(h, p), before(w, q)};
    (kernel == 3 ? filter_gradient<3> : filter_gradient<5>)(
        d, static_cast<const float*>(TF_TensorData(x.get())), static_cast<const float*>(TF_TensorData(dy.get())),
        static_cast<float*>(TF_TensorData(result.get())));
  }

  // TensorFlow's C API can't make a shape of attributes: the caller reshapes to one that is known.
  static void infer(TF_ShapeInferenceContext* context, TF_Status* status) {
    TF_ShapeInferenceContextSetUnknownShape(context, status);
  }

  static std::string join() {
    Status status;
    TF_OpDefinitionBuilder* op = TF_NewOpDefinitionBuilder(name);
    TF_OpDefinitionBuilderAddInput(op, "x: float");
    TF_OpDefinitionBuilderAddInput(op, "dy: float");
    TF_OpDefinitionBuilderAddOutput(op, "filter: float");
    TF_OpDefinitionBuilderAddAttr(op, "kernel: int >= 1");
    TF_OpDefinitionBuilderAddAttr(op, "stride: int >= 1");
    TF_OpDefinitionBuilderSetShapeInferenceFunction(op, infer);
    TF_RegisterOpDefinition(op, status);
    if (status.ok())
      TF_RegisterKernelBuilder(name, TF_NewKernelBuilder(name, "CPU", create, compute, destroy), status);
    return status.ok() ? "" : TF_Message(status);
  }
};

}  // namespace normforge
