// program LIBRARY... OPS KERNELS: writes the two lists that TensorFlow's libraries give of themselves into files, all ops
// (OpList) and the kernels registered for them (KernelList), as protocol buffers. The libraries are loaded by their names: to
// link to them takes seconds.
#include <dlfcn.h>

#include <cstdio>

#include "tensorflow/c/c_api.h"

static bool write(const char* file, TF_Buffer* buffer) {
  FILE* out = buffer ? fopen(file, "wb") : nullptr;
  return out && fwrite(buffer->data, 1, buffer->length, out) == buffer->length && fclose(out) == 0;
}

template <typename F>
static F* find(const char* name) {
  void* found = dlsym(RTLD_DEFAULT, name);
  if (!found) fprintf(stderr, "the libraries lack %s\n", name);
  return reinterpret_cast<F*>(found);
}

int main(int count, char** names) {
  if (count < 4) return 2;
  for (int i = 1; i < count - 2; i++)
    if (!dlopen(names[i], RTLD_NOW | RTLD_GLOBAL)) return fprintf(stderr, "%s\n", dlerror()), 1;
  const auto status = find<decltype(TF_NewStatus)>("TF_NewStatus");
  const auto ops = find<decltype(TF_GetAllOpList)>("TF_GetAllOpList");
  const auto kernels = find<decltype(TF_GetAllRegisteredKernels)>("TF_GetAllRegisteredKernels");
  if (!status || !ops || !kernels) return 1;
  return write(names[count - 2], ops()) && write(names[count - 1], kernels(status())) ? 0 : 1;
}
