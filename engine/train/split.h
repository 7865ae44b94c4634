#pragma once
// Rows of a set, dealt at random to fitting, early stopping and testing. The test rows depend on the seed and the
// shares only, not on how many rows are fitted on.
#include <cstdint>
#include <span>
#include <vector>

namespace oneproxy {

struct SplitPlan {
  double share_validation = 0.1, share_test = 0.2;  // rounded to whole rows
  std::int64_t samples_train = 0;                   // 0: all the rest
};

struct Split {
  std::vector<std::int64_t> fitting, stopping, test;  // rows, in the order drawn
};

// Errors: shares that leave nothing, fewer than two rows to fit on, more samples_train than are left.
Split split_rows(std::span<const std::int64_t> rows, const SplitPlan& plan, std::uint64_t seed);

}  // namespace oneproxy
