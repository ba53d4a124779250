// Writes the two lists that TensorFlow's libraries give of themselves into the files named: all ops (OpList) and the kernels
// registered for them (KernelList), as protocol buffers.
#include <cstdio>

#include "tensorflow/c/c_api.h"

static bool write(const char* file, TF_Buffer* buffer) {
  FILE* out = buffer ? fopen(file, "wb") : nullptr;
  return out && fwrite(buffer->data, 1, buffer->length, out) == buffer->length && fclose(out) == 0;
}

int main(int count, char** names) {
  if (count != 3) return 2;
  TF_Status* status = TF_NewStatus();
  return write(names[1], TF_GetAllOpList()) && write(names[2], TF_GetAllRegisteredKernels(status)) ? 0 : 1;
}
