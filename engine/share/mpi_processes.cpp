// The MPI module: engine/share/processes.h by Open MPI. Loaded by engine/share/mpi_module.cpp.
#include <mpi.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "oneproxy/engine/share/mpi_module.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

enum Tag { kBytes = 1, kRequest = 2, kAnswer = 3 };
constexpr auto kBetweenLooks = std::chrono::microseconds(50);  // of who waits, so that it takes no processor

// Waits a tenth of the time since the last message, within limits: an answer is quick where many ask, and a dealer whom
// nobody asks for half a second takes no processor from those that score.
class Patience {
 public:
  void message_came() { last_ = Clock::now(); }
  void wait() const {
    const auto quiet = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - last_);
    std::this_thread::sleep_for(std::clamp(quiet / 10, kBetweenLooks, kMost));
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::microseconds kMost{2000};
  Clock::time_point last_ = Clock::now();
};

class MpiProcesses : public Processes {
 public:
  explicit MpiProcesses(void (*check_interrupt)()) : check_interrupt_(check_interrupt) {
    int provided = 0;
    MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &provided);
    if (provided < MPI_THREAD_MULTIPLE) throw Error("this MPI has no support for threads; use Open MPI 4 or newer");
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
    MPI_Comm local = MPI_COMM_NULL;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &local);
    MPI_Comm_rank(local, &local_rank_);
    MPI_Comm_size(local, &local_size_);
    MPI_Comm_free(&local);
    // A thread of rank 0 deals: a rank that scores for half a second lets nobody wait.
    if (rank_ == 0) dealer_ = std::thread([this] { deal(); });
  }
  ~MpiProcesses() override {
    MPI_Barrier(MPI_COMM_WORLD);  // until then somebody may ask the dealer
    stopping_ = true;
    if (dealer_.joinable()) dealer_.join();
    MPI_Finalize();
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  int local_rank() const override { return local_rank_; }
  int local_size() const override { return local_size_; }

  void send(int to, const std::string& bytes) override {
    for (std::size_t at = 0; at == 0 || at < bytes.size(); at += kMost)
      MPI_Send(bytes.data() + at, static_cast<int>(std::min(kMost, bytes.size() - at)), MPI_BYTE, to, kBytes,
               MPI_COMM_WORLD);
    if (!bytes.empty() && bytes.size() % kMost == 0) MPI_Send(nullptr, 0, MPI_BYTE, to, kBytes, MPI_COMM_WORLD);
  }

  std::string receive(int from) override {
    std::string bytes;
    while (true) {
      MPI_Message message;
      MPI_Status status;
      wait([&](int* there) { MPI_Improbe(from, kBytes, MPI_COMM_WORLD, there, &message, &status); });
      int size = 0;
      MPI_Get_count(&status, MPI_BYTE, &size);
      const auto at = bytes.size();
      bytes.resize(at + static_cast<std::size_t>(size));
      MPI_Mrecv(bytes.data() + at, size, MPI_BYTE, &message, MPI_STATUS_IGNORE);
      if (static_cast<std::size_t>(size) < kMost) return bytes;  // a part that is not full is the last
    }
  }

  std::uint64_t take(std::uint64_t counter, std::uint64_t step) override {
    const std::lock_guard lock(mutex_);
    if (rank_ == 0) return advance(counter, step);
    const std::uint64_t request[] = {counter, step};
    MPI_Send(request, 2, MPI_UINT64_T, 0, kRequest, MPI_COMM_WORLD);
    std::uint64_t value = 0;
    MPI_Request answer = MPI_REQUEST_NULL;
    MPI_Irecv(&value, 1, MPI_UINT64_T, 0, kAnswer, MPI_COMM_WORLD, &answer);
    int there = 0;
    for (MPI_Test(&answer, &there, MPI_STATUS_IGNORE); !there; MPI_Test(&answer, &there, MPI_STATUS_IGNORE))
      std::this_thread::sleep_for(kBetweenLooks);
    return value;
  }

  void abort(int status) override {
    MPI_Abort(MPI_COMM_WORLD, status);
    std::_Exit(status);
  }

 private:
  static constexpr std::size_t kMost = std::size_t{1} << 30;  // bytes of a message

  template <class Look>
  void wait(const Look& look) {
    int there = 0;
    for (look(&there); !there; look(&there)) {
      check_interrupt_();
      std::this_thread::sleep_for(kBetweenLooks);
    }
  }

  std::uint64_t advance(std::uint64_t counter, std::uint64_t step) {
    const std::lock_guard lock(counters_mutex_);
    return std::exchange(counters_[counter], counters_[counter] + step);
  }

  void deal() {
    Patience patience;
    while (!stopping_) {
      int there = 0;
      MPI_Status status;
      MPI_Iprobe(MPI_ANY_SOURCE, kRequest, MPI_COMM_WORLD, &there, &status);
      if (!there) {
        patience.wait();
        continue;
      }
      patience.message_came();
      std::uint64_t request[2];
      MPI_Recv(request, 2, MPI_UINT64_T, status.MPI_SOURCE, kRequest, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      const std::uint64_t value = advance(request[0], request[1]);
      MPI_Send(&value, 1, MPI_UINT64_T, status.MPI_SOURCE, kAnswer, MPI_COMM_WORLD);
    }
  }

  void (*check_interrupt_)();
  int rank_ = 0, size_ = 1, local_rank_ = 0, local_size_ = 1;
  std::thread dealer_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_, counters_mutex_;
  std::map<std::uint64_t, std::uint64_t> counters_;
};

}  // namespace
}  // namespace oneproxy

extern "C" oneproxy::Processes* oneproxy_connect_mpi(int interface, void (*check_interrupt)()) {
  using namespace oneproxy;
  if (interface != kMpiModuleInterface)
    throw Error("the MPI module is of another build than the program; build again (tools/build_project)");
  return new MpiProcesses(check_interrupt);
}
