// Runs a plan on tensors in memory.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <vector>

#include "plan.h"
#include "sums.h"
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

  // Memory in which full-size ops find their blocks, freed with its owner.
  using Memory = std::unique_ptr<float, void (*)(void*)>;
  static Memory allocated(size_t floats) {
    return Memory(static_cast<float*>(std::aligned_alloc(kCacheLine * sizeof(float), floats * sizeof(float))), std::free);
  }
  // How a block moves: registers and tiles stay, what is kept of a sample moves with the block, and tensors with the
  // sample, too.
  enum Moves : size_t { stays, with_block, with_sample };
  // A full-size op with its blocks found.
  struct Bound {
    Kind kind;
    Elementwise run;
    float* to;
    const float *a, *b, *c;
    Moves to_moves, a_moves, b_moves, c_moves;
    float* sums;
    // Where they go, and the sum of `moments`.
    int small, sum;
  };
  // The blocks one thread works with in one step.
  struct Workspace {
    Memory memory{nullptr, std::free};
    float* tiles;
    float* scratch;
    std::vector<Bound> ops;
    // The full-size tensors that the step reads and writes, and how many floats of each are fetched beside an op.
    std::vector<const float*> reads, writes;
    int fetched;
  };
  // Room for a full-size value of one sample.
  size_t sample_floats() const { return padded(shape_.hw * shape_.c); }
  static int padded(int floats) { return (floats + kCacheLine - 1) / kCacheLine * kCacheLine; }
  static int sums_of(Kind kind) {
    return kind == Kind::elementwise ? 0 : kind == Kind::variance || kind == Kind::moments ? 3 : 1;
  }
  Workspace workspace(const Step& step, float* kept) const {
    Workspace made;
    int sums = 0;
    for (const FullOp& op : step.full) sums += sums_of(op.kind);
    const size_t blocks = step.registers + step.tiles.size(), block = padded(block_), lanes = padded(lanes_);
    const size_t floats = blocks * block + sums * lanes + padded(2 * shape_.c);
    made.memory = allocated(floats);
    float* const registers = made.memory.get();
    made.tiles = registers + step.registers * block;
    float* sum = made.tiles + step.tiles.size() * block;
    made.scratch = sum + sums * lanes;

    const auto find = [&](Location location, Moves* moves) -> float* {
      const bool tensor = location.in == Place::input || location.in == Place::output;
      *moves = tensor ? with_sample : location.in == Place::kept ? with_block : stays;
      switch (location.in) {
        case Place::input: return const_cast<float*>(inputs_[location.index]);
        case Place::output: return outputs_[location.index];
        case Place::register_: return registers + location.index * block;
        case Place::tile: return made.tiles + location.index * block;
        case Place::kept: return kept + location.index * sample_floats();
        default: return nullptr;
      }
    };
    const auto add = [](std::vector<const float*>& list, const float* tensor) {
      if (std::find(list.begin(), list.end(), tensor) == list.end()) list.push_back(tensor);
    };
    for (const FullOp& op : step.full) {
      Bound bound{op.kind, op.run, nullptr, nullptr, nullptr, nullptr, stays, stays, stays, stays, sum, op.to.index, op.sum};
      bound.to = find(op.to, &bound.to_moves);
      bound.a = find(op.from[0], &bound.a_moves);
      bound.b = find(op.from.size() > 1 ? op.from[1] : op.from[0], &bound.b_moves);
      bound.c = find(op.from.size() > 2 ? op.from[2] : op.from[0], &bound.c_moves);
      sum += sums_of(op.kind) * lanes;
      made.ops.push_back(bound);
      for (const Location& from : op.from)
        if (from.in == Place::input) add(made.reads, inputs_[from.index]);
      if (op.to.in == Place::output) add(made.writes, outputs_[op.to.index]);
    }
    const int parts = std::max<int>(1, made.ops.size());
    made.fetched = padded((block_ + parts - 1) / parts);
    return made;
  }

  void samples(const Phase& phase, int begin, int end) {
    const Memory kept = allocated(phase.kept * sample_floats());
    std::vector<Workspace> spaces;
    for (const Step& step : phase.steps) {
      spaces.push_back(workspace(step, kept.get()));
      for (size_t i = 0; i < step.tiles.size(); i++)
        if (!has_n(plan_.smalls[step.tiles[i]])) repeat(step.tiles[i], 0, spaces.back().tiles + i * padded(block_));
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
      if (has_n(plan_.smalls[step.tiles[i]])) repeat(step.tiles[i], sample, space.tiles + i * padded(block_));

    const size_t image = size_t(sample) * shape_.hw * shape_.c;
    for (int row = 0; row < shape_.hw; row += rows_) {
      const size_t offset = image + size_t(row) * shape_.c;
      const size_t offsets[] = {0, size_t(row) * shape_.c, offset};
      const int count = std::min(rows_, shape_.hw - row) * shape_.c;
      size_t fetched = 0;
      for (const Bound& op : space.ops) {
        fetched = fetch(space, offset + block_, fetched);
        const float *a = op.a + offsets[op.a_moves], *b = op.b + offsets[op.b_moves];
        if (op.kind == Kind::elementwise) {
          op.run(op.to + offsets[op.to_moves], a, b, op.c + offsets[op.c_moves], count);
        } else if (op.kind == Kind::sum || op.kind == Kind::mul_sum) {
          if (row == 0) std::fill_n(op.sums, lanes_, 0.0f);
          if (op.kind == Kind::sum) add_rows(op.sums, a, count, lanes_);
          else add_products(op.sums, a, b, count, lanes_);
        } else {
          float *centre = op.sums, *first = centre + padded(lanes_), *second = first + padded(lanes_);
          // Deviations from the sample's first row: no cancellation, whatever the mean.
          if (row == 0) {
            for (int i = 0; i < lanes_; i += shape_.c) std::copy_n(a, shape_.c, centre + i);
            std::fill_n(first, lanes_, 0.0f);
            std::fill_n(second, lanes_, 0.0f);
          }
          add_moments(centre, first, second, a, count, lanes_);
        }
      }
    }
    finish(space, sample);
  }

  // Asks for a part of the next block, so that memory is at work while this block is computed: the processor's own
  // prefetching stops at the end of each page, and a block is half a page. Gives how far it came. Inlined, since GCC 12
  // drops calls of a function that does nothing but prefetch.
  [[gnu::always_inline]] size_t fetch(const Workspace& space, size_t offset, size_t begin) const {
    const size_t end = std::min<size_t>(block_, begin + space.fetched);
    for (const float* tensor : space.reads)
      for (size_t i = begin; i < end; i += kCacheLine) __builtin_prefetch(tensor + offset + i, 0);
    for (const float* tensor : space.writes)
      for (size_t i = begin; i < end; i += kCacheLine) __builtin_prefetch(tensor + offset + i, 1);
    return end;
  }

  // A running sum's rows added up, into the first.
  void fold(float* sums) const {
    for (int row = shape_.c; row < lanes_; row += shape_.c) add_rows(sums, sums + row, shape_.c, shape_.c);
  }
  // The sums of a sample, each over the rows of its lanes.
  void finish(const Workspace& space, int sample) {
    for (const Bound& op : space.ops) {
      if (op.kind == Kind::elementwise) continue;
      float* to = small(op.small, sample);
      if (op.kind == Kind::sum || op.kind == Kind::mul_sum) {
        fold(op.sums);
        std::copy_n(op.sums, shape_.c, to);
        continue;
      }
      float *centre = op.sums, *first = centre + padded(lanes_), *second = first + padded(lanes_);
      fold(first);
      fold(second);
      if (op.kind == Kind::moments) {
        float* sum = small(op.sum, sample);
        for (int i = 0; i < shape_.c; i++) sum[i] = first[i] + shape_.hw * centre[i];
      }
      for (int i = 0; i < shape_.c; i++) {
        const float mean = first[i] / shape_.hw;
        const float variance = second[i] / shape_.hw - mean * mean;
        to[i] = variance < 0.0f ? 0.0f : variance;
      }
    }
  }
};

}  // namespace normforge
