#pragma once
// Processes as threads of one test: messages go through queues, the counter is an atomic number.
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "oneproxy/engine/share/processes.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy::test {

class ThreadProcesses {
 public:
  explicit ThreadProcesses(int size) : size_(size), boxes_(size * size) {}

  // Runs the body as each rank; the first exception is rethrown after all have ended.
  void run(const std::function<void(Processes&)>& body) {
    std::vector<std::thread> threads;
    std::vector<std::exception_ptr> failures(size_);
    for (int rank = 0; rank < size_; ++rank)
      threads.emplace_back([&, rank] {
        Rank own(*this, rank);
        try {
          body(own);
        } catch (...) {
          const std::lock_guard lock(mutex_);
          failures[rank] = std::current_exception();
          failed_ = true;
          arrived_.notify_all();
        }
      });
    for (auto& thread : threads) thread.join();
    for (const auto& failure : failures)
      if (failure) std::rethrow_exception(failure);
  }

  std::int64_t n_messages() const { return n_messages_; }

 private:
  class Rank : public Processes {
   public:
    Rank(ThreadProcesses& all, int rank) : all_(all), rank_(rank) {}
    int rank() const override { return rank_; }
    int size() const override { return all_.size_; }
    int local_rank() const override { return rank_; }
    int local_size() const override { return all_.size_; }
    void send(int to, const std::string& bytes) override {
      const std::lock_guard lock(all_.mutex_);
      ++all_.n_messages_;
      all_.boxes_[rank_ * all_.size_ + to].push_back(bytes);
      all_.arrived_.notify_all();
    }
    std::string receive(int from) override {
      std::unique_lock lock(all_.mutex_);
      auto& box = all_.boxes_[from * all_.size_ + rank_];
      all_.arrived_.wait(lock, [&] { return !box.empty() || all_.failed_; });
      if (box.empty()) throw Error("killed");  // as mpirun does to the ranks beside one that failed
      const std::string bytes = box.front();
      box.pop_front();
      return bytes;
    }
    std::uint64_t take(std::uint64_t counter, std::uint64_t step) override {
      const std::lock_guard lock(all_.mutex_);
      auto& value = all_.counters_[counter];
      value += step;
      return value - step;
    }
    void abort(int) override { std::terminate(); }

   private:
    ThreadProcesses& all_;
    int rank_;
  };

  int size_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<std::deque<std::string>> boxes_;  // [from, to]
  std::map<std::uint64_t, std::uint64_t> counters_;
  std::int64_t n_messages_ = 0;
  bool failed_ = false;
};

}  // namespace oneproxy::test
