#include "oneproxy/engine/score/model_values.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"

namespace oneproxy {
namespace {

constexpr std::int64_t kFirstPiece = 1 << 14, kLargestPiece = std::int64_t{1} << 40;
constexpr double kPieceSeconds = 0.5;      // so that an interrupt is soon heard
constexpr std::int64_t kListed = 1 << 16;  // architectures that are written out at a time

// work(first, n) over 0 .. count-1 in pieces of about half a second; their ends do not show in the result.
template <class Work>
void in_pieces(std::int64_t count, const Work& work) {
  using Clock = std::chrono::steady_clock;
  std::int64_t piece = kFirstPiece;
  for (std::int64_t done = 0; done < count;) {
    check_interrupt();
    const auto start = Clock::now();
    const std::int64_t n = std::min(piece, count - done);
    work(done, n);
    done += n;
    const double spent = std::chrono::duration<double>(Clock::now() - start).count();
    piece = std::clamp(static_cast<std::int64_t>(static_cast<double>(piece) * std::min(8.0, kPieceSeconds / spent)),
                       kFirstPiece, kLargestPiece);
  }
}

// work(first, n) on all threads.
template <class Work>
void in_parallel(std::int64_t count, const Work& work) {
  constexpr std::int64_t own = 1 << 12;
  parallel_for((count + own - 1) / own, [&](std::int64_t p) { work(p * own, std::min(own, count - p * own)); });
}

// Whether value_of_score changes a score.
bool changes_scores(const Predictor& model) {
  if (const auto* table = std::get_if<AdditivePredictor>(&model)) return table->rate.has_value();
  const auto* mlp = std::get_if<MlpPredictor>(&model);
  return mlp && mlp->log_target;
}

}  // namespace

ModelValues::ModelValues(const SearchSpace& space, std::shared_ptr<const Predictor> model, Backend backend,
                         Precision precision)
    : space_(space), model_(std::move(model)), part_(std::make_unique<SubSpace>(space)) {
  keep_predictable(*model_, *part_);
  if (!has_kernels(*model_)) return;
  kernel_ = std::make_unique<PredictorKernel>(*model_, *part_);
  scorer_ = std::make_unique<Scorer>(part_->code(), std::vector<ScoreFunction>{kernel_->view()}, backend, precision);
}

void ModelValues::of_range(ArchIndex begin, std::span<double> values) const {
  if (begin > space_.size() || space_.size() - begin < values.size())
    throw Error("begin = " + to_decimal(begin) + ", count = " + std::to_string(values.size()) + ": " + space_.name() +
                " has the indices 0 to " + to_decimal(space_.size() - 1));
  in_pieces(static_cast<std::int64_t>(values.size()), [&](std::int64_t first, std::int64_t n) {
    some_of_range(begin + static_cast<std::uint64_t>(first), values.subspan(first, n));
  });
}

void ModelValues::some_of_range(ArchIndex begin, std::span<double> values) const {
  if (scorer_ && part_->is_whole()) {
    scorer_->score({begin, values.size()}, values);
    turn_to_values(values);
    return;
  }
  const auto width = static_cast<std::size_t>(space_.n_decisions());
  std::vector<std::uint8_t> choices;
  for (std::size_t done = 0; done < values.size();) {
    const std::size_t n = std::min<std::size_t>(kListed, values.size() - done);
    choices.resize(n * width);
    in_parallel(static_cast<std::int64_t>(n), [&](std::int64_t first, std::int64_t count) {
      for (std::int64_t i = first; i < first + count; ++i) {
        const auto own = space_.choices(begin + done + static_cast<std::uint64_t>(i));
        std::copy(own.begin(), own.end(), choices.begin() + i * static_cast<std::int64_t>(width));
      }
    });
    some_of_list(choices, values.subspan(done, n));
    done += n;
  }
}

void ModelValues::of_list(std::span<const std::uint8_t> choices, std::span<double> values) const {
  const auto width = static_cast<std::size_t>(space_.n_decisions());
  ONEPROXY_ASSERT(choices.size() == values.size() * width);
  for (std::size_t done = 0; done < values.size(); done += kListed) {
    check_interrupt();
    const std::size_t n = std::min<std::size_t>(kListed, values.size() - done);
    some_of_list(choices.subspan(done * width, n * width), values.subspan(done, n));
  }
}

void ModelValues::some_of_list(std::span<const std::uint8_t> choices, std::span<double> values) const {
  const auto n = static_cast<std::int64_t>(values.size());
  const auto width = static_cast<std::size_t>(space_.n_decisions());
  if (!scorer_) {
    in_parallel(n, [&](std::int64_t first, std::int64_t count) {
      predict(*model_, choices.subspan(first * width, count * width), values.subspan(first, count));
    });
    return;
  }
  if (space_.is_product() && part_->is_whole()) {  // digits are choices
    scorer_->score_list(std::vector<std::uint32_t>(choices.begin(), choices.end()), values);
    turn_to_values(values);
    return;
  }
  const auto n_digits = static_cast<std::size_t>(part_->n_digits());
  std::vector<std::uint32_t> digits(n * n_digits, 0);
  std::vector<char> known(n);
  in_parallel(n, [&](std::int64_t first, std::int64_t count) {
    for (std::int64_t i = first; i < first + count; ++i) {
      const auto own = part_->digits(choices.subspan(i * width, width));
      known[i] = !own.empty();
      std::copy(own.begin(), own.end(), digits.begin() + i * static_cast<std::int64_t>(n_digits));
    }
  });
  scorer_->score_list(digits, values);  // architecture 0 stands for one that is not known
  turn_to_values(values);
  for (std::int64_t i = 0; i < n; ++i)
    if (!known[i]) values[i] = std::nan("");
}

void ModelValues::turn_to_values(std::span<double> scores) const {
  if (!changes_scores(*model_)) return;
  in_parallel(static_cast<std::int64_t>(scores.size()), [&](std::int64_t first, std::int64_t count) {
    for (double& score : scores.subspan(first, count)) score = value_of_score(*model_, score);
  });
}

std::string ModelValues::path() const { return scorer_ ? scorer_->paths().front() : "looked up"; }

}  // namespace oneproxy
