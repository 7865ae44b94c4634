#include "oneproxy/kernels/score/fleet_order.h"

#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy/kernels/base/radix_sort.h"

namespace oneproxy::detail {
namespace {

constexpr std::int64_t kTask = 2048;

}  // namespace

std::vector<std::uint32_t> QualityOrder::group_ends() const {
  std::vector<std::uint32_t> ends(quality.size());
  for (std::size_t i = ends.size(); i-- > 0;)
    ends[i] = i + 1 < ends.size() && quality[i] == quality[i + 1] ? ends[i + 1] : static_cast<std::uint32_t>(i + 1);
  return ends;
}

QualityPieces::QualityPieces(const DigitCode& code, const FleetQuality& quality, const IndexRange& run, Backend backend)
    : code_(code), run_(run), split_(run.shuffled ? split_digits(code.radices) : DigitSplit{}) {
  if (const auto* model = std::get_if<ScoreFunction>(&quality))
    scorer_ = std::make_unique<const Scorer>(code, std::span(model, 1), backend, Precision::fp64);
  else
    given_ = std::get<std::span<const double>>(quality);
}

std::span<const double> QualityPieces::qualities(std::uint64_t count) {
  if (!scorer_) return given_.subspan(done_, count);
  scored_.resize(count);
  IndexRange part = run_;
  part.begin += done_;
  part.count = count;
  scorer_->score(part, scored_);
  return scored_;
}

bool QualityPieces::next(double least, QualityOrder& order) {
  if (done_ == run_.count) return false;
  const std::uint64_t count = std::min(piece_, run_.count - done_);
  const std::span<const double> quality = qualities(count);
  std::vector<KeyValue> items, scratch;
  items.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i)
    if (quality[i] >= least) items.push_back({~ordered_key(quality[i]), i});  // NaN is left out
  scratch.resize(items.size());
  sort_items(items.data(), scratch.data(), static_cast<std::int64_t>(items.size()));

  const auto n = static_cast<std::int64_t>(items.size());
  order.quality.resize(items.size());
  order.index.resize(items.size());
  const auto in_tasks = [n](const auto& body) {
    parallel_for((n + kTask - 1) / kTask, [&](std::int64_t task) {
      for (std::int64_t i = task * kTask; i < std::min(n, (task + 1) * kTask); ++i) body(i);
    });
  };
  in_tasks([&](std::int64_t i) {
    order.quality[i] = quality[items[i].value];
    order.index[i] = index_at(run_, done_ + items[i].value, split_);
  });
  for (std::int64_t begin = 0, end; begin < n; begin = end) {
    for (end = begin + 1; end < n && items[end].key == items[begin].key;) ++end;
    if (end - begin > 1) std::sort(order.index.begin() + begin, order.index.begin() + end);
  }
  const auto width = code_.radices.size();
  order.digits.resize(items.size() * width);
  in_tasks([&](std::int64_t i) {
    decode_digits(order.index[i], code_.radices.data(), static_cast<int>(width), order.digits.data() + i * width);
  });
  done_ += count;
  return true;
}

}  // namespace oneproxy::detail
