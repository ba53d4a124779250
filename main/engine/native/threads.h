// A few threads that share out the samples of a batch.
#pragma once
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace normforge {

class Threads {
 public:
  // As many as TensorFlow was told to use.
  static Threads& shared() {
    static Threads* const threads = [] {
      const char* given = std::getenv("TF_NUM_INTRAOP_THREADS");
      const int count = given ? std::atoi(given) : int(std::thread::hardware_concurrency());
      return new Threads(count < 1 ? 1 : count);
    }();
    return *threads;
  }

  int size() const { return int(workers_.size()) + 1; }

  // Calls work(begin, end) on ranges of at least `least` that cover 0 … count. A second caller meanwhile works alone.
  void each(int count, const std::function<void(int, int)>& work, int least = 1) {
    std::unique_lock<std::mutex> turn(turn_, std::try_to_lock);
    if (count < 2 || workers_.empty() || !turn.owns_lock()) return work(0, count);
    std::unique_lock<std::mutex> lock(mutex_);
    work_ = &work;
    count_ = count;
    least_ = least;
    next_ = 0;
    round_++;
    lock.unlock();
    wake_.notify_all();
    lock.lock();
    take(lock);
    // Whoever wakes up only now finds nothing left, and is not waited for.
    work_ = nullptr;
    const auto done = [this] { return busy_ == 0; };
    watch(lock, done);
    done_.wait(lock, done);
  }

 private:
  explicit Threads(int count) {
    for (int i = 1; i < count; i++) workers_.emplace_back([this] { loop(); }).detach();
  }
  void loop() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (long seen = 0;;) {
      const auto called = [&] { return round_ != seen; };
      watch(lock, called);
      wake_.wait(lock, called);
      seen = round_;
      if (work_ == nullptr) continue;
      busy_++;
      take(lock);
      if (--busy_ == 0) done_.notify_one();
    }
  }
  // Works on range after range, each smaller than the last, until none is left: TensorFlow's own threads may hold up
  // any of these. Comes and goes with the lock held.
  void take(std::unique_lock<std::mutex>& lock) {
    const auto& work = *work_;
    while (next_ < count_) {
      const int begin = next_;
      next_ = std::min(count_, begin + std::max(least_, (count_ - begin) / (2 * size())));
      const int end = next_;
      lock.unlock();
      work(begin, end);
      lock.lock();
    }
  }
  // Looks on for some microseconds before a thread goes to sleep: the next phase of an op comes soon, and waking takes
  // longer.
  template <class Ready>
  static void watch(std::unique_lock<std::mutex>& lock, Ready ready) {
    if (ready()) return;
    lock.unlock();
    const auto until = std::chrono::steady_clock::now() + kWatch;
    while (!ready() && std::chrono::steady_clock::now() < until) continue;
    lock.lock();
  }
  static constexpr std::chrono::microseconds kWatch{20};

  std::vector<std::thread> workers_;
  std::mutex turn_, mutex_;
  std::condition_variable wake_, done_;
  const std::function<void(int, int)>* work_ = nullptr;
  int count_ = 0, least_ = 1, next_ = 0;
  // Changed with the lock held, watched without.
  std::atomic<int> busy_{0};
  std::atomic<long> round_{0};
};

}  // namespace normforge
