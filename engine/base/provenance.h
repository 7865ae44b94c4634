#pragma once
// What made a result: program, commit, machine, back end, data, seeds and timings.
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "oneproxy/kernels/base/backend.h"

namespace oneproxy {

std::string version();  // "0.1.0"
std::string commit();   // of the build, "-dirty" appended where the tree had changes, "unknown" outside git

// Seconds by name, in the order of their first use.
class Timings {
 public:
  void add(const std::string& name, double seconds);
  const std::vector<std::pair<std::string, double>>& entries() const { return entries_; }

 private:
  std::vector<std::pair<std::string, double>> entries_;
};

// Adds the time from its making to its end.
class Timer {
 public:
  Timer(Timings& timings, std::string name)
      : timings_(timings), name_(std::move(name)), start_(std::chrono::steady_clock::now()) {}
  ~Timer() { timings_.add(name_, std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count()); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

 private:
  Timings& timings_;
  std::string name_;
  std::chrono::steady_clock::time_point start_;
};

struct Provenance {
  std::string kind, config_file, command;
  Backend backend = Backend::cpu;
  std::int64_t seed = 0;
  std::int64_t n_ranks = 1, n_shards = 1;   // that shared the work
  std::map<std::string, std::string> data;  // store file, and checksum of each space used
  Timings timings;
  std::string json() const;
};

}  // namespace oneproxy
