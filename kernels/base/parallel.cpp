// A pool of threads that live as long as the process. A job opens a gate with one ticket a helper; helpers that
// come late find the gate closed, so a short job never waits for a thread that has not woken up yet.
#include "oneproxy/kernels/base/parallel.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr int max_threads = 1024;
constexpr int spins_before_sleep = 1000;  // some 20 to 50 microseconds: the gap between the passes of one sort

std::atomic<int> chosen_threads{0};
thread_local bool inside_parallel_for = false;

int available_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return CPU_COUNT(&set);
  const unsigned hardware = std::thread::hardware_concurrency();
  return hardware == 0 ? 1 : static_cast<int>(hardware);
}

int threads_of_environment(const char* text) {
  int threads = 0;
  const char* end = text + std::strlen(text);
  const auto [stop, failure] = std::from_chars(text, end, threads);
  if (failure != std::errc() || stop != end || threads < 1 || threads > max_threads)
    throw Error("ONEPROXY_THREADS = '" + std::string(text) + "' is no number of threads; set it to 1.." +
                std::to_string(max_threads) + " or unset it");
  return threads;
}

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

class Pool {
 public:
  ~Pool() {
    stopping_ = true;
    wake();
    for (std::thread& helper : helpers_) helper.join();
  }

  // False where another thread's job occupies the pool.
  bool run(std::int64_t count, const std::function<void(std::int64_t)>& body, int threads) {
    const std::unique_lock lock(one_job_, std::try_to_lock);
    if (!lock.owns_lock()) return false;
    start_helpers(threads - 1);

    body_ = &body;
    count_ = count;
    next_ = 0;
    failure_ = nullptr;
    gate_.store(static_cast<std::uint64_t>(threads - 1) * one_ticket, std::memory_order_release);
    wake();
    drain();
    gate_.fetch_and(one_ticket - 1);  // no tickets left: who is not inside yet stays outside
    for (int spin = 0; gate_ != 0 && spin < spins_before_sleep; ++spin) pause();
    while (const std::uint64_t inside = gate_) gate_.wait(inside);
    if (failure_) std::rethrow_exception(failure_);
    return true;
  }

 private:
  static constexpr std::uint64_t one_ticket = std::uint64_t{1} << 32;

  // Those that run already stay, whatever happens: the next job may need no more than these.
  void start_helpers(int count) {
    try {
      while (static_cast<int>(helpers_.size()) < count) helpers_.emplace_back([this] { help(); });
    } catch (const std::system_error& error) {
      throw Error("thread " + std::to_string(helpers_.size() + 2) + " of " + std::to_string(count + 1) +
                  " can not be started (" + error.code().message() +
                  "); use fewer (--threads or ONEPROXY_THREADS), or raise the limits of processes and memory (ulimit "
                  "-u, -v)");
    }
  }

  void wake() {
    ++generation_;
    generation_.notify_all();
  }

  void help() {
    int seen = 0;
    while (true) {
      for (int spin = 0; generation_ == seen && spin < spins_before_sleep; ++spin) pause();
      generation_.wait(seen);
      seen = generation_;
      if (stopping_) return;
      std::uint64_t gate = gate_;
      while (gate >= one_ticket && !gate_.compare_exchange_weak(gate, gate - one_ticket + 1)) {
      }
      if (gate < one_ticket) continue;
      drain();
      if (gate_.fetch_sub(1) == 1) gate_.notify_one();
    }
  }

  void drain() {
    inside_parallel_for = true;
    try {
      for (std::int64_t i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < count_;) (*body_)(i);
    } catch (...) {
      next_ = count_;
      const std::lock_guard lock(failure_mutex_);
      if (!failure_) failure_ = std::current_exception();
    }
    inside_parallel_for = false;
  }

  std::mutex one_job_;
  std::vector<std::thread> helpers_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> generation_{0};
  std::atomic<std::uint64_t> gate_{0};  // tickets in the upper half, helpers inside in the lower
  // The job: written before the gate opens, read by those inside.
  const std::function<void(std::int64_t)>* body_ = nullptr;
  std::int64_t count_ = 0;
  std::atomic<std::int64_t> next_{0};
  std::mutex failure_mutex_;
  std::exception_ptr failure_;
};

// A child of fork has none of its parent's threads and starts its own; the parent's pool is left there as it lies.
class PoolOfProcess {
 public:
  static Pool& get() {
    static PoolOfProcess own;
    return *own.pool_;
  }

 private:
  PoolOfProcess() : pool_(new Pool) {
    here_ = this;
    pthread_atfork(nullptr, nullptr, [] { here_->pool_ = new Pool; });
  }
  ~PoolOfProcess() { delete pool_; }

  static inline PoolOfProcess* here_ = nullptr;
  Pool* pool_;
};

}  // namespace

int thread_count() {
  if (const int chosen = chosen_threads) return chosen;
  if (const char* text = std::getenv("ONEPROXY_THREADS")) return threads_of_environment(text);
  return available_processors();
}

void set_thread_count(int threads) {
  if (threads < 0 || threads > max_threads)
    throw Error("thread count " + std::to_string(threads) + " is out of range; use 1.." + std::to_string(max_threads) +
                ", or 0 for the default");
  chosen_threads = threads;
}

void parallel_for(std::int64_t count, const std::function<void(std::int64_t)>& body) {
  if (count > 1 && !inside_parallel_for) {
    const std::int64_t threads = std::min<std::int64_t>(thread_count(), count);
    if (threads > 1 && PoolOfProcess::get().run(count, body, static_cast<int>(threads))) return;
  }
  for (std::int64_t i = 0; i < count; ++i) body(i);
}

}  // namespace oneproxy
