// Runs a plan on tensors in memory.
#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

#include "plan.h"
#include "threads.h"

namespace normforge {

struct Shape {
  int n, hw, c, groups;
};

// About as many floats as a block has: a dozen blocks, and what is fetched for the next, stay in the first-level cache.
constexpr int kBlock = 512;
constexpr int kCacheLine = 64 / sizeof(float);
// At least as many floats as sums are kept side by side: enough that adding one row need not wait for the last.
constexpr int kSums = 128;

class Run {
 public:
  Run(const Plan& plan, Shape shape, const float* const* inputs, float* const* outputs)
      : plan_(plan), shape_(shape), inputs_(inputs), outputs_(outputs), smalls_(plan.smalls.size()) {
    rows_ = std::min(shape.hw, std::max(1, kBlock / shape.c));
    block_ = rows_ * shape.c;
    lanes_ = std::min(rows_, std::max(1, kSums / shape.c)) * shape.c;
    size_t total = 0;
    std::vector<size_t> offsets;
    for (const Size size : plan.smalls) {
      offsets.push_back(total);
      total += length(size);
    }
    storage_.resize(total);
    for (size_t i = 0; i < smalls_.size(); i++) smalls_[i] = storage_.data() + offsets[i];
    for (const Constant& constant : plan.constants)
      *smalls_[constant.small] = static_cast<float>(
          constant.value * std::pow(shape.hw, constant.hw) * std::pow(shape.n, constant.n) *
          std::pow(shape.c, constant.c) * std::pow(shape.c / shape.groups, constant.k));
    for (size_t i = 0; i < plan.inputs.size(); i++)
      if (plan.inputs[i].small >= 0)
        std::copy_n(inputs[i], length(plan.inputs[i].size), smalls_[plan.inputs[i].small]);
  }

  void operator()() {
    for (const Phase& phase : plan_.phases) {
      std::vector<float> scratch(2 * shape_.c);
      for (const SmallOp& op : phase.batch) batch(op, scratch.data());
      if (phase.steps.empty()) continue;
      Threads::shared().each(shape_.n, [&](int begin, int end) { samples(phase, begin, end); });
    }
    for (size_t i = 0; i < plan_.outputs.size(); i++)
      if (plan_.outputs[i].small >= 0)
        std::copy_n(smalls_[plan_.outputs[i].small], length(plan_.outputs[i].size), outputs_[i]);
  }

 private:
  const Plan& plan_;
  const Shape shape_;
  const float* const* inputs_;
  float* const* outputs_;
  std::vector<float> storage_;
  std::vector<float*> smalls_;
  int rows_, block_;
  // Length of a running sum: a few rows, so that a block is a whole number of them, or ends within one.
  int lanes_;

  size_t length(Size size) const { return (has_n(size) ? shape_.n : 1) * size_t(has_c(size) ? shape_.c : 1); }
  float* small(int index, int sample) {
    const Size size = plan_.smalls[index];
    return smalls_[index] + (has_n(size) ? size_t(sample) * (has_c(size) ? shape_.c : 1) : 0);
  }
  // A small value of a sample as `count` floats.
  const float* spread(int index, int sample, int count, float* scratch) {
    const float* from = small(index, sample);
    if (has_c(plan_.smalls[index]) || count == 1) return from;
    std::fill_n(scratch, count, *from);
    return scratch;
  }

  void elementwise(const SmallOp& op, int sample, float* scratch) {
    const int count = has_c(plan_.smalls[op.to]) ? shape_.c : 1;
    const float* a = spread(op.from[0], sample, count, scratch);
    const float* b = op.from.size() > 1 ? spread(op.from[1], sample, count, scratch + shape_.c) : a;
    op.run(small(op.to, sample), a, b, a, count);
  }
  void group_mean(const SmallOp& op, int sample) {
    const int k = shape_.c / shape_.groups;
    const float* from = small(op.from[0], sample);
    float* to = small(op.to, sample);
    for (int first = 0; first < shape_.c; first += k) {
      double sum = 0;
      for (int i = first; i < first + k; i++) sum += from[i];
      std::fill_n(to + first, k, static_cast<float>(sum / k));
    }
  }
  void sum_channels(const float* from, float* to) {
    double sum = 0;
    for (int i = 0; i < shape_.c; i++) sum += from[i];
    *to = static_cast<float>(sum);
  }
  void sum_samples(const SmallOp& op) {
    const Size from = plan_.smalls[op.from[0]];
    const int width = has_c(from) ? shape_.c : 1;
    std::vector<double> sums(width);
    for (int sample = 0; sample < (has_n(from) ? shape_.n : 1); sample++) {
      const float* row = small(op.from[0], sample);
      for (int i = 0; i < width; i++) sums[i] += row[i];
    }
    float* to = small(op.to, 0);
    if (has_c(plan_.smalls[op.to])) {
      for (int i = 0; i < width; i++) to[i] = static_cast<float>(sums[i]);
      return;
    }
    double total = 0;
    for (const double sum : sums) total += sum;
    *to = static_cast<float>(total);
  }

  void batch(const SmallOp& op, float* scratch) {
    if (op.kind == Kind::sum) sum_samples(op);
    else if (op.kind == Kind::group_mean) group_mean(op, 0);
    else elementwise(op, 0, scratch);
  }

  // The blocks one thread works with in one step.
  struct Workspace {
    std::vector<float> memory;
    float* registers;
    float* tiles;
    float* sums;
    float* scratch;
    // The full-size tensors that the step reads and writes.
    std::vector<const float*> reads, writes;
  };
  Workspace workspace(const Step& step) const {
    Workspace made;
    int sums = 0;
    for (const FullOp& op : step.full) sums += op.kind == Kind::sum ? 1 : op.kind == Kind::variance ? 3 : 0;
    const size_t blocks = step.registers + step.tiles.size();
    made.memory.resize(blocks * block_ + size_t(sums) * lanes_ + 2 * shape_.c);
    made.registers = made.memory.data();
    made.tiles = made.registers + size_t(step.registers) * block_;
    made.sums = made.tiles + step.tiles.size() * block_;
    made.scratch = made.sums + size_t(sums) * lanes_;
    const auto add = [](std::vector<const float*>& list, const float* tensor) {
      if (std::find(list.begin(), list.end(), tensor) == list.end()) list.push_back(tensor);
    };
    for (const FullOp& op : step.full) {
      for (const Location& from : op.from)
        if (from.in == Place::input) add(made.reads, inputs_[from.index]);
      if (op.to.in == Place::output) add(made.writes, outputs_[op.to.index]);
    }
    return made;
  }

  void samples(const Phase& phase, int begin, int end) {
    std::vector<Workspace> spaces;
    for (const Step& step : phase.steps) {
      spaces.push_back(workspace(step));
      for (size_t i = 0; i < step.tiles.size(); i++)
        if (!has_n(plan_.smalls[step.tiles[i]])) repeat(step.tiles[i], 0, spaces.back().tiles + i * block_);
    }
    for (int sample = begin; sample < end; sample++)
      for (size_t s = 0; s < phase.steps.size(); s++) one(phase.steps[s], spaces[s], sample);
  }

  // A small value repeated to a block.
  void repeat(int index, int sample, float* to) {
    const float* from = small(index, sample);
    if (!has_c(plan_.smalls[index])) {
      std::fill_n(to, block_, *from);
      return;
    }
    for (int row = 0; row < rows_; row++) std::copy_n(from, shape_.c, to + row * shape_.c);
  }

  void one(const Step& step, Workspace& space, int sample) {
    for (const SmallOp& op : step.sample) {
      if (op.kind == Kind::sum) sum_channels(small(op.from[0], sample), small(op.to, sample));
      else if (op.kind == Kind::group_mean) group_mean(op, sample);
      else elementwise(op, sample, space.scratch);
    }
    if (step.full.empty()) return;
    for (size_t i = 0; i < step.tiles.size(); i++)
      if (has_n(plan_.smalls[step.tiles[i]])) repeat(step.tiles[i], sample, space.tiles + i * block_);

    const size_t image = size_t(sample) * shape_.hw * shape_.c;
    for (int row = 0; row < shape_.hw; row += rows_) {
      const size_t offset = image + size_t(row) * shape_.c;
      const int count = std::min(rows_, shape_.hw - row) * shape_.c;
      const auto at = [&](Location location) -> float* {
        switch (location.in) {
          case Place::input: return const_cast<float*>(inputs_[location.index]) + offset;
          case Place::output: return outputs_[location.index] + offset;
          case Place::register_: return space.registers + size_t(location.index) * block_;
          default: return space.tiles + size_t(location.index) * block_;
        }
      };
      float* sums = space.sums;
      for (size_t i = 0; i < step.full.size(); i++) {
        const FullOp& op = step.full[i];
        fetch(space, offset + block_, i, step.full.size());
        const float* a = at(op.from[0]);
        if (op.kind == Kind::elementwise) {
          const float* b = op.from.size() > 1 ? at(op.from[1]) : a;
          op.run(at(op.to), a, b, op.from.size() > 2 ? at(op.from[2]) : a, count);
        } else if (op.kind == Kind::sum) {
          if (row == 0) std::fill_n(sums, lanes_, 0.0f);
          for (int at = 0; at < count; at += lanes_) add_up(sums, a + at, std::min(lanes_, count - at));
          sums += lanes_;
        } else {
          float *centre = sums, *first = sums + lanes_, *second = sums + 2 * lanes_;
          // Deviations from the sample's first row: no cancellation, whatever the mean.
          if (row == 0) {
            for (int i = 0; i < lanes_; i += shape_.c) std::copy_n(a, shape_.c, centre + i);
            std::fill_n(first, 2 * lanes_, 0.0f);
          }
          for (int at = 0; at < count; at += lanes_)
            add_up_squares(centre, first, second, a + at, std::min(lanes_, count - at));
          sums += 3 * lanes_;
        }
      }
    }
    finish(step, space, sample);
  }

  // Asks for one of `parts` parts of the next block, so that memory is at work while this block is computed: the
  // processor's own prefetching stops at the end of each page, and a block is half a page. Inlined, since GCC 12 drops
  // calls of a function that does nothing but prefetch.
  [[gnu::always_inline]] void fetch(const Workspace& space, size_t offset, size_t part, size_t parts) const {
    const size_t lines = block_ / kCacheLine;
    const size_t begin = lines * part / parts * kCacheLine, end = lines * (part + 1) / parts * kCacheLine;
    for (const float* tensor : space.reads)
      for (size_t i = begin; i < end; i += kCacheLine) __builtin_prefetch(tensor + offset + i, 0);
    for (const float* tensor : space.writes)
      for (size_t i = begin; i < end; i += kCacheLine) __builtin_prefetch(tensor + offset + i, 1);
  }

  static void add_up(float* sum, const float* a, int count) {
#pragma GCC ivdep
    for (int i = 0; i < count; i++) sum[i] += a[i];
  }
  static void add_up_squares(const float* centre, float* first, float* second, const float* a, int count) {
#pragma GCC ivdep
    for (int i = 0; i < count; i++) {
      const float d = a[i] - centre[i];
      first[i] += d;
      second[i] += d * d;
    }
  }

  // A running sum's rows added up, into the first.
  void fold(float* sums) const {
    for (int row = shape_.c; row < lanes_; row += shape_.c) add_up(sums, sums + row, shape_.c);
  }
  // The sums of a sample, each over the rows of its lanes.
  void finish(const Step& step, Workspace& space, int sample) {
    float* sums = space.sums;
    for (const FullOp& op : step.full) {
      if (op.kind == Kind::elementwise) continue;
      float* to = small(op.to.index, sample);
      if (op.kind == Kind::sum) {
        fold(sums);
        std::copy_n(sums, shape_.c, to);
        sums += lanes_;
        continue;
      }
      float *first = sums + lanes_, *second = sums + 2 * lanes_;
      fold(first);
      fold(second);
      for (int i = 0; i < shape_.c; i++) {
        const float mean = first[i] / shape_.hw;
        const float variance = second[i] / shape_.hw - mean * mean;
        to[i] = variance < 0.0f ? 0.0f : variance;
      }
      sums += 3 * lanes_;
    }
  }
};

}  // namespace normforge
