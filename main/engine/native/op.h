// What the addon's ops share, on TensorFlow's C API.
#pragma once
#include <memory>
#include <string>

#include "kernels.h"
#include "tensorflow/c/ops.h"
#include "tensorflow/c/tf_tensor.h"

namespace normforge {

struct Status {
  TF_Status* const status = TF_NewStatus();
  ~Status() { TF_DeleteStatus(status); }
  operator TF_Status*() const { return status; }
  bool ok() const { return TF_GetCode(status) == TF_OK; }
};
struct Delete {
  void operator()(TF_Tensor* tensor) const { TF_DeleteTensor(tensor); }
};
using Tensor = std::unique_ptr<TF_Tensor, Delete>;

inline void refuse(TF_OpKernelContext* context, const std::string& op, const std::string& what) {
  Status status;
  TF_SetStatus(status, TF_INVALID_ARGUMENT, (op + ": " + what).c_str());
  TF_OpKernelContext_Failure(context, status);
}

}  // namespace normforge
