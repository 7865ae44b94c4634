#include "oneproxy/engine/train/split.h"

#include <cmath>
#include <string>

#include "oneproxy/engine/base/streams.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

Split split_rows(std::span<const std::int64_t> rows, const SplitPlan& plan, std::uint64_t seed) {
  const auto n = static_cast<std::int64_t>(rows.size());
  const auto n_test = std::llround(plan.share_test * static_cast<double>(n));
  const auto n_stopping = std::llround(plan.share_validation * static_cast<double>(n));
  const auto rest = n - n_test - n_stopping;
  const auto n_fitting = plan.samples_train > 0 ? plan.samples_train : rest;
  if (rest < 2 || n_fitting < 2 || n_fitting > rest)
    throw Error("of " + std::to_string(n) + " architectures with a value, " + std::to_string(n_test) +
                " for the test (share_test) and " + std::to_string(n_stopping) +
                " for validation (share_validation) leave " + std::to_string(rest) + " to train on; " +
                (rest < 2 ? "lower the shares"
                          : "samples_train should be between 2 and that, not " + std::to_string(n_fitting)));
  Split split;
  const auto order = random_permutation(n, random_stream(seed, Draws::predictor_split, 0));
  for (std::int64_t i = 0; i < n_test + n_stopping + n_fitting; ++i) {
    auto& part = i < n_test ? split.test : i < n_test + n_stopping ? split.stopping : split.fitting;
    part.push_back(rows[order[i]]);
  }
  return split;
}

}  // namespace oneproxy
