// The TensorFlow op NormForgeProgram: a layer's forward or backward as one op, run by its plan. Loaded as a Node addon
// beside tfjs-node's, it joins the op to the TensorFlow that is there already. Written against TensorFlow's C API,
// which later versions keep.
#include <malloc.h>
#include <node_api.h>

#include "depthwise_op.h"
#include "op.h"
#include "run.h"

namespace normforge {
namespace {

struct Kernel {
  Plan plan;
  int groups;
};

void* create(TF_OpKernelConstruction* context) {
  Status status;
  int32_t items, bytes;
  int64_t groups = 1;
  TF_OpKernelConstruction_GetAttrSize(context, "plan", &items, &bytes, status);
  std::string text(bytes, ' ');
  if (status.ok()) TF_OpKernelConstruction_GetAttrString(context, "plan", text.data(), bytes, status);
  if (status.ok()) TF_OpKernelConstruction_GetAttrInt64(context, "groups", &groups, status);
  if (status.ok()) {
    try {
      return new Kernel{PlanReader(text).read(), static_cast<int>(groups)};
    } catch (const std::exception& error) {
      TF_SetStatus(status, TF_INVALID_ARGUMENT, error.what());
    }
  }
  TF_OpKernelConstruction_Failure(context, status);
  return nullptr;
}

void fail(TF_OpKernelContext* context, const std::string& what) { refuse(context, "NormForgeProgram", what); }

// Input 0 gives the shape: [n, h, w, c].
void compute(void* data, TF_OpKernelContext* context) {
  const Kernel& kernel = *static_cast<Kernel*>(data);
  const Plan& plan = kernel.plan;
  Status status;
  const int count = TF_NumInputs(context);
  if (count != static_cast<int>(plan.inputs.size()))
    return fail(context, "needs " + std::to_string(plan.inputs.size()) + " inputs, got " + std::to_string(count));
  std::vector<Tensor> held;
  std::vector<const float*> inputs;
  for (int i = 0; i < count; i++) {
    TF_Tensor* tensor = nullptr;
    TF_GetInput(context, i, &tensor, status);
    if (!status.ok()) return TF_OpKernelContext_Failure(context, status);
    held.emplace_back(tensor);
    inputs.push_back(static_cast<const float*>(TF_TensorData(tensor)));
  }
  if (TF_NumDims(held[0].get()) != 4) return fail(context, "needs input 0 as [n, h, w, c]");
  int64_t full[4];
  for (int i = 0; i < 4; i++) full[i] = TF_Dim(held[0].get(), i);
  const Shape shape{int(full[0]), int(full[1] * full[2]), int(full[3]), kernel.groups};
  if (shape.c % shape.groups != 0) return fail(context, "needs groups that divide the channels");
  const auto elements = [&](Size size) -> int64_t {
    return (has_n(size) ? full[0] : 1) * (has_c(size) ? full[3] : 1) * (size == Size::full ? shape.hw : 1);
  };
  for (int i = 0; i < count; i++)
    if (TF_TensorElementCount(held[i].get()) != elements(plan.inputs[i].size))
      return fail(context, "needs another shape of input " + std::to_string(i));

  std::vector<float*> outputs;
  for (size_t i = 0; i < plan.outputs.size(); i++) {
    const Size size = plan.outputs[i].size;
    const int64_t nc[4] = {has_n(size) ? full[0] : 1, 1, 1, has_c(size) ? full[3] : 1};
    const bool vector = size == Size::c;
    TF_Tensor* made = TF_AllocateOutput(context, int(i), TF_FLOAT, size == Size::full ? full : vector ? full + 3 : nc,
                                        vector ? 1 : 4, elements(size) * sizeof(float), status);
    if (!status.ok()) return TF_OpKernelContext_Failure(context, status);
    held.emplace_back(made);
    outputs.push_back(static_cast<float*>(TF_TensorData(made)));
  }
  if (elements(Size::full) > 0) Run(plan, shape, inputs.data(), outputs.data())();
}

void destroy(void* kernel) { delete static_cast<Kernel*>(kernel); }

// Output 0 is full-size, as input 0 is; the others are small.
void infer(TF_ShapeInferenceContext* context, TF_Status* status) {
  TF_ShapeHandle* shape = TF_NewShapeHandle();
  TF_ShapeInferenceContextGetInput(context, 0, shape, status);
  if (TF_GetCode(status) == TF_OK) TF_ShapeInferenceContextSetOutput(context, 0, shape, status);
  TF_DeleteShapeHandle(shape);
}

std::string join() {
  Status status;
  TF_OpDefinitionBuilder* op = TF_NewOpDefinitionBuilder("NormForgeProgram");
  TF_OpDefinitionBuilderAddInput(op, "tensors: N * float");
  TF_OpDefinitionBuilderAddOutput(op, "results: M * float");
  for (const char* attribute : {"N: int >= 1", "M: int >= 1", "plan: string", "groups: int >= 1"})
    TF_OpDefinitionBuilderAddAttr(op, attribute);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(op, infer);
  TF_RegisterOpDefinition(op, status);
  if (status.ok()) {
    TF_KernelBuilder* builder = TF_NewKernelBuilder("NormForgeProgram", "CPU", create, compute, destroy);
    TF_RegisterKernelBuilder("NormForgeProgram", builder, status);
  }
  return status.ok() ? "" : TF_Message(status);
}

}  // namespace
}  // namespace normforge

extern "C" napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  static const std::string problem = [] {
    // Freed tensors stay with the process: taking their pages anew from the system at every op costs a third of a step.
    // 32 MiB is the most glibc allows.
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 2000000000);
    mallopt(M_TOP_PAD, 64 << 20);
    const std::string problem = normforge::join();
    return problem.empty() ? normforge::DepthwiseFilter::join() : problem;
  }();
  if (!problem.empty()) napi_throw_error(env, nullptr, problem.c_str());
  return exports;
}
