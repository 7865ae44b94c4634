// Thousands of small predictors over one small space: a task is one model and one piece of the run, so that a model's
// weights are packed once for thousands of scores and stay in L1.
#include <algorithm>
#include <memory>
#include <vector>

#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy/kernels/score/cpu/mlp_on_tiles.h"
#include "oneproxy/kernels/score/cpu/shuffled_digits.h"
#include "oneproxy/kernels/score/fleet_detail.h"

namespace oneproxy::detail {
namespace {

constexpr std::uint64_t kPiece = 1 << 17;      // packing costs as much as some dozens of scores
constexpr std::uint64_t kListPiece = 1 << 15;  // positions whose digits are listed at once, for all models

// digits [count, n_digits] of shuffled positions.
void list_digits(const DigitCode& code, const IndexRange& run, const DigitSplit& split, std::uint64_t first,
                 std::uint64_t count, std::vector<std::uint32_t>& digits) {
  digits.resize(count * code.radices.size());
  constexpr std::uint64_t kTask = 1024;
  parallel_for(static_cast<std::int64_t>((count + kTask - 1) / kTask), [&](std::int64_t task) {
    const std::uint64_t begin = static_cast<std::uint64_t>(task) * kTask, n = std::min(kTask, count - begin);
    const auto own = shuffled_digits(code.radices, run, split, first + begin, static_cast<std::int64_t>(n));
    std::copy(own.begin(), own.end(), digits.begin() + static_cast<std::ptrdiff_t>(begin * code.radices.size()));
  });
}

}  // namespace

void score_fleet_cpu(const DigitCode& code, std::span<const Mlp> models, const IndexRange& run, std::span<float> scores,
                     Precision precision) {
  if (run.count == 0) return;
  const auto lists = std::make_shared<const RowLists>(code);
  const Isa isa = chosen_isa();
  const auto n_models = static_cast<std::int64_t>(models.size());
  if (!run.shuffled) {
    const auto pieces = static_cast<std::int64_t>((run.count + kPiece - 1) / kPiece);
    parallel_for(n_models * pieces, [&](std::int64_t task) {
      const std::int64_t m = task / pieces;
      const std::uint64_t first = static_cast<std::uint64_t>(task % pieces) * kPiece;
      make_mlp_on_tiles(models[m], lists, precision, isa)
          ->score_range(run.begin + first, static_cast<std::int64_t>(std::min(kPiece, run.count - first)),
                        scores.data() + static_cast<std::uint64_t>(m) * run.count + first);
    });
    return;
  }
  const DigitSplit split = split_digits(code.radices);
  std::vector<std::uint32_t> digits;
  for (std::uint64_t first = 0; first < run.count; first += kListPiece) {
    const std::uint64_t count = std::min(kListPiece, run.count - first);
    list_digits(code, run, split, first, count, digits);
    parallel_for(n_models, [&](std::int64_t m) {
      make_mlp_on_tiles(models[m], lists, precision, isa)
          ->score_digits(digits.data(), static_cast<std::int64_t>(count),
                         scores.data() + static_cast<std::uint64_t>(m) * run.count + first);
    });
  }
}

}  // namespace oneproxy::detail
