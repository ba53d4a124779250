// A few threads that share out the samples of a batch.
#pragma once
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

  // Calls work(begin, end) on ranges that cover 0 … count. A second caller meanwhile works alone.
  void each(int count, const std::function<void(int, int)>& work) {
    const int parts = std::min<int>(count, workers_.size() + 1);
    std::unique_lock<std::mutex> turn(turn_, std::try_to_lock);
    if (parts < 2 || !turn.owns_lock()) return work(0, count);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      work_ = &work;
      count_ = count;
      parts_ = parts;
      left_ = parts - 1;
      round_++;
    }
    wake_.notify_all();
    work(0, count / parts);
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [this] { return left_ == 0; });
  }

 private:
  explicit Threads(int count) {
    for (int i = 1; i < count; i++) workers_.emplace_back([this, i] { loop(i); }).detach();
  }
  void loop(int part) {
    for (long seen = 0;;) {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [&] { return round_ != seen; });
      seen = round_;
      if (part >= parts_) continue;
      const auto* work = work_;
      const int begin = long(count_) * part / parts_, end = long(count_) * (part + 1) / parts_;
      lock.unlock();
      (*work)(begin, end);
      lock.lock();
      if (--left_ == 0) done_.notify_one();
    }
  }

  std::vector<std::thread> workers_;
  std::mutex turn_, mutex_;
  std::condition_variable wake_, done_;
  const std::function<void(int, int)>* work_ = nullptr;
  int count_ = 0, parts_ = 0, left_ = 0;
  long round_ = 0;
};

}  // namespace normforge
