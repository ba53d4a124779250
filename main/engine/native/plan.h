// A plan (shared/symbolic/schedule.ts) as the kernel holds it, and its reading from text.
#pragma once
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "elementwise.h"

namespace normforge {

enum class Size { scalar, c, n, nc, full };
inline bool has_c(Size size) { return size == Size::c || size == Size::nc || size == Size::full; }
inline bool has_n(Size size) { return size == Size::n || size == Size::nc || size == Size::full; }

enum class Place { input, output, register_, tile, small };
struct Location {
  Place in;
  int index;
};
enum class Kind { elementwise, sum, mul_sum, variance, moments, group_mean };
struct Op {
  Kind kind;
  Elementwise run;
};
struct SmallOp : Op {
  int to;
  std::vector<int> from;
};
struct FullOp : Op {
  Location to;
  // The small value that the sum of `moments` goes to.
  int sum = -1;
  std::vector<Location> from;
};
struct Step {
  std::vector<SmallOp> sample;
  std::vector<int> tiles;
  int registers;
  std::vector<FullOp> full;
};
struct Phase {
  std::vector<SmallOp> batch;
  std::vector<Step> steps;
};
struct Port {
  Size size;
  int small;
};
struct Constant {
  int small;
  double value, hw, n, c, k;
};
struct Plan {
  std::vector<Port> inputs, outputs;
  std::vector<Size> smalls;
  std::vector<Constant> constants;
  std::vector<Phase> phases;
};

class PlanReader {
 public:
  explicit PlanReader(const std::string& text) : words_(text) {}

  Plan read() {
    if (word() != "plan" || number() != 1) fail("needs the heading \"plan 1\"");
    Plan plan;
    plan.inputs = list<Port>([this] { return port(); });
    plan.outputs = list<Port>([this] { return port(); });
    plan.smalls = list<Size>([this] { return size(); });
    plan.constants = list<Constant>([this] {
      const int small = number();
      const double value = real(), hw = real(), n = real(), c = real(), k = real();
      return Constant{small, value, hw, n, c, k};
    });
    plan.phases = list<Phase>([this] {
      Phase phase;
      phase.batch = list<SmallOp>([this] { return small_op(); });
      phase.steps = list<Step>([this] { return step(); });
      return phase;
    });
    return plan;
  }

 private:
  std::istringstream words_;

  [[noreturn]] void fail(const std::string& what) { throw std::runtime_error("NormForge plan: " + what); }
  std::string word() {
    std::string text;
    if (!(words_ >> text)) fail("ends too early");
    return text;
  }
  double real() { return std::stod(word()); }
  int number() { return std::stoi(word()); }
  template <class T, class Read>
  std::vector<T> list(Read read) {
    std::vector<T> items;
    for (int count = number(); count > 0; count--) items.push_back(read());
    return items;
  }
  int find(const char* const* names, int count, const std::string& name) {
    for (int i = 0; i < count; i++)
      if (name == names[i]) return i;
    fail("does not know " + name);
  }
  Size size() {
    static const char* const names[] = {"scalar", "c", "n", "nc", "full"};
    return static_cast<Size>(find(names, 5, word()));
  }
  Port port() {
    const Size its = size();
    return {its, number()};
  }
  Location location() {
    static const char* const names[] = {"input", "output", "register", "tile", "small"};
    const Place in = static_cast<Place>(find(names, 5, word()));
    return {in, number()};
  }
  Op op() {
    const std::string name = word();
    if (name == "sum") return {Kind::sum, nullptr};
    if (name == "mulSum") return {Kind::mul_sum, nullptr};
    if (name == "variance") return {Kind::variance, nullptr};
    if (name == "moments") return {Kind::moments, nullptr};
    if (name == "groupMean") return {Kind::group_mean, nullptr};
    for (const Named& known : kElementwise)
      if (name == known.name) return {Kind::elementwise, known.run};
    fail("does not know the op " + name);
  }
  SmallOp small_op() {
    SmallOp made;
    static_cast<Op&>(made) = op();
    made.to = number();
    made.from = list<int>([this] { return number(); });
    return made;
  }
  Step step() {
    Step made;
    made.sample = list<SmallOp>([this] { return small_op(); });
    made.tiles = list<int>([this] { return number(); });
    made.registers = number();
    made.full = list<FullOp>([this] {
      FullOp full;
      static_cast<Op&>(full) = op();
      full.to = location();
      full.from = list<Location>([this] { return location(); });
      if (full.kind == Kind::moments) full.sum = number();
      return full;
    });
    return made;
  }
};

}  // namespace normforge
