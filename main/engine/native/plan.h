// A plan (shared/symbolic/plan.ts) as the kernel holds it, and its reading from text.
#pragma once
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "ops.h"

namespace normforge {

inline bool has_c(Size size) { return size == Size::c || size == Size::nc || size == Size::full; }
inline bool has_n(Size size) { return size == Size::n || size == Size::nc || size == Size::full; }

struct Location {
  Place in;
  int index;
};
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
  // How many full-size values of a sample later steps find where an earlier one put them.
  int kept;
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
    if (word() != kHeading || number() != kForm) fail("needs the heading plan " + std::to_string(kForm));
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
      phase.kept = number();
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
  template <class T, size_t count>
  T find(const Named<T> (&table)[count], const std::string& name) {
    for (const Named<T>& known : table)
      if (name == known.name) return known.value;
    fail("does not know " + name);
  }
  Size size() { return find(kSizes, word()); }
  Port port() {
    const Size its = size();
    return {its, number()};
  }
  Location location() {
    const Place in = find(kPlaces, word());
    return {in, number()};
  }
  Op op() {
    const std::string name = word();
    for (const Named<Kind>& known : kReductions)
      if (name == known.name) return {known.value, nullptr};
    return {Kind::elementwise, find(kElementwise, name)};
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
