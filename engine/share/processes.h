#pragma once
// The processes that share a run, as mpirun starts them: each does the same steps in the same order, and where work is
// shared they deal it among themselves and bring the results together. Which library carries the messages is not known
// here (engine/share/mpi_module.h has the one that ships).
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace oneproxy {

class Processes {
 public:
  virtual ~Processes() = default;
  virtual int rank() const = 0;  // 0 .. size() - 1; rank 0 alone writes results
  virtual int size() const = 0;
  // Among those on this machine.
  virtual int local_rank() const = 0;
  virtual int local_size() const = 0;

  // Bytes of any length to another process, in order; both block, receive() may be interrupted (Interrupted). From one
  // thread at a time.
  virtual void send(int to, const std::string& bytes) = 0;
  virtual std::string receive(int from) = 0;

  // The value of a counter that all processes share, which grows by `step` with it. From any thread.
  virtual std::uint64_t take(std::uint64_t counter, std::uint64_t step) = 0;
  // A counter that begins at 0. All processes ask in the same order.
  std::uint64_t new_counter() { return n_counters_++; }

  // Ends all of them: where one can not go on, the others would wait for it for ever.
  [[noreturn]] virtual void abort(int status) = 0;

 private:
  std::uint64_t n_counters_ = 0;
};

// What follows is called by all processes at once, and takes log2(size()) steps.

// What rank 0 gives, at every rank.
std::string broadcast(Processes& processes, std::string bytes);

// What each gives, by rank, at every rank.
std::vector<std::string> all_gather(Processes& processes, const std::string& bytes);

// Brings states together at rank 0, two by two: `pack` gives this process's state, `merge` adds another's to it. The
// others' states are then parts of the whole.
void reduce_to_first(Processes& processes, const std::function<std::string()>& pack,
                     const std::function<void(const std::string&)>& merge);

// "rank 3 on host7"
std::string name_of(const Processes& processes);

}  // namespace oneproxy
