#pragma once
// How much of a long run a process takes at once: pieces of about half a second, so that an interrupt is soon heard.
// Their ends do not show in the result. Of several processes each takes less towards the end, so that none waits long
// for the last one, but no less than is worth asking for. Pure: what is simulated of it (tests/bench/sharing_bench.cpp)
// is what runs.
#include <cstdint>

namespace oneproxy {

class PieceSize {
 public:
  static constexpr std::uint64_t kFirst = std::uint64_t{1} << 14;
  static constexpr double kSeconds = 0.5, kLeastSeconds = 0.004;  // asking takes 0.0002

  // `left`: places of the run that nobody has done when it begins.
  PieceSize(int n_processes, std::uint64_t left) : n_processes_(n_processes), left_(left) {}

  // The piece to ask for, at least 1. `dealt`: where the last piece of this process began; others are further by now.
  std::uint64_t next(std::uint64_t dealt) const;

  // What a piece of so many places took.
  void took(std::uint64_t step, double seconds);

 private:
  int n_processes_;
  std::uint64_t left_;
  std::uint64_t piece_ = kFirst, least_ = kFirst;
};

}  // namespace oneproxy
