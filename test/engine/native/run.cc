// Runs the engine's own kernels without TensorFlow, for sanitizers: run <cases> <results>. Both files are 32-bit numbers,
// one case after another. Every tensor is an allocation of its own, so that a sanitizer sees where it ends.
//
//     plan:       0, bytes of its text, n, hw, c, groups, inputs, outputs, the length of each, text, the inputs' values
//     depthwise:  1, kernel, n, h, w, c, p, q, stride, top, left, the values of x and of dy
//
// The results are the outputs' values. Each case runs twice at once on two threads, of which one has to work alone.
#include <cstdint>
#include <cstdio>
#include <memory>

#include "depthwise.h"
#include "run.h"

namespace {

using namespace normforge;

struct File {
  std::FILE* const file;
  File(const char* name, const char* mode) : file(std::fopen(name, mode)) {
    if (file == nullptr) std::perror(name), std::exit(2);
  }
  ~File() { std::fclose(file); }
};
class Reader {
 public:
  explicit Reader(const char* name) : from_(name, "rb") {}
  bool next(int32_t& value) { return std::fread(&value, sizeof value, 1, from_.file) == 1; }
  int number() {
    int32_t value;
    if (!next(value)) std::fprintf(stderr, "the cases end too early\n"), std::exit(2);
    return value;
  }
  std::vector<int> numbers(int count) {
    std::vector<int> made(count);
    for (int& value : made) value = number();
    return made;
  }
  template <class T>
  std::unique_ptr<T[]> values(int count) {
    std::unique_ptr<T[]> made(new T[count]);
    if (std::fread(made.get(), sizeof(T), count, from_.file) != size_t(count)) std::exit(2);
    return made;
  }

 private:
  File from_;
};

using Floats = std::unique_ptr<float[]>;

// Runs `work` on two sets of outputs at once; gives the first, and stops where the second is not the same.
template <class Work>
std::vector<Floats> twice(const std::vector<int>& lengths, Work work) {
  std::vector<Floats> both[2];
  for (auto& outputs : both)
    for (const int length : lengths) outputs.emplace_back(new float[length]);
  std::thread beside([&] { work(both[1]); });
  work(both[0]);
  beside.join();
  for (size_t i = 0; i < lengths.size(); i++)
    if (std::memcmp(both[0][i].get(), both[1][i].get(), sizeof(float) * lengths[i]) != 0)
      std::fprintf(stderr, "two runs at once differ\n"), std::exit(3);
  return std::move(both[0]);
}

void write(const File& to, const std::vector<Floats>& outputs, const std::vector<int>& lengths) {
  for (size_t i = 0; i < outputs.size(); i++) std::fwrite(outputs[i].get(), sizeof(float), lengths[i], to.file);
}

void run_plan(Reader& from, const File& to) {
  const std::vector<int> head = from.numbers(7);
  const std::vector<int> inputs = from.numbers(head[5]), outputs = from.numbers(head[6]);
  const auto text = from.values<char>(head[0]);
  const Plan plan = PlanReader(std::string(text.get(), head[0])).read();
  std::vector<Floats> given;
  std::vector<const float*> pointers;
  for (const int length : inputs) {
    given.push_back(from.values<float>(length));
    pointers.push_back(given.back().get());
  }
  const Shape shape{head[1], head[2], head[3], head[4]};
  write(to, twice(outputs, [&](const std::vector<Floats>& made) {
    std::vector<float*> results;
    for (const Floats& values : made) results.push_back(values.get());
    Run(plan, shape, pointers.data(), results.data())();
  }), outputs);
}

void run_depthwise(Reader& from, const File& to) {
  const int kernel = from.number();
  const std::vector<int> g = from.numbers(9);
  const Depthwise d{g[0], g[1], g[2], g[3], g[4], g[5], g[6], g[7], g[8]};
  const auto x = from.values<float>(d.n * d.h * d.w * d.c), dy = from.values<float>(d.n * d.p * d.q * d.c);
  const std::vector<int> lengths{kernel * kernel * d.c};
  write(to, twice(lengths, [&](const std::vector<Floats>& made) {
    (kernel == 3 ? filter_gradient<3> : filter_gradient<5>)(d, x.get(), dy.get(), made[0].get());
  }), lengths);
}

}  // namespace

int main(int, char** names) {
  Reader from(names[1]);
  const File to(names[2], "wb");
  for (int32_t kind; from.next(kind);) (kind == 0 ? run_plan : run_depthwise)(from, to);
}
