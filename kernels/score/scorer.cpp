#include "oneproxy/kernels/score/scorer.h"

#include <algorithm>
#include <string>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy/kernels/score/scorer_detail.h"

namespace oneproxy {
namespace detail {

// Shuffling needs a split; a space that has none can still be scored in order.
void check_run(const IndexRange& run, ArchIndex size, std::span<const std::uint32_t> radices, const char* where) {
  if (run.begin > size || size - run.begin < run.count)
    throw Error(std::string(where) + ": " + std::to_string(run.count) + " architectures from " + to_decimal(run.begin) +
                " on pass the size of the space, " + to_decimal(size));
  if (run.shuffled) split_digits(radices);
}

void check_precision(Precision precision, Backend backend) {
  if (backend == Backend::cpu && precision == Precision::tf32)
    throw Error("precision tf32 is the GPU's; on the CPU use fp32, bf16 or fp64");
}

namespace {

// Three objectives on a device, whose own filter knows two: scores come to the host in chunks and are filtered there.
void reduce_on_host(const Scorer::Implementation& scorer, const IndexRange& run, int n_models, const DigitSplit& split,
                    Reduction& reduction) {
  constexpr std::uint64_t chunk = std::uint64_t{1} << 20, piece = std::uint64_t{1} << 14;
  std::vector<double> scores;
  for (std::uint64_t done = 0; done < run.count;) {
    IndexRange part = run;
    part.begin += done;
    part.count = std::min(chunk, run.count - done);
    scores.resize(part.count * static_cast<std::uint64_t>(n_models));
    scorer.score(part, scores);
    std::vector<Reduction::Survivors> survivors((part.count + piece - 1) / piece);
    parallel_for(static_cast<std::int64_t>(survivors.size()), [&](std::int64_t p) {
      const std::uint64_t first = static_cast<std::uint64_t>(p) * piece, count = std::min(piece, part.count - first);
      reduction.filter(scores.data() + first, static_cast<std::int64_t>(count), static_cast<std::int64_t>(part.count),
                       first, survivors[p]);
    });
    for (auto& own : survivors) {
      for (auto& point : own.points) point.index = index_at(part, static_cast<std::uint64_t>(point.index), split);
      reduction.absorb(own);
    }
    done += part.count;
  }
}

}  // namespace
}  // namespace detail

Scorer::Scorer(const DigitCode& code, std::span<const ScoreFunction> models, Backend backend, Precision precision) {
  check_code(code, "score");
  if (models.empty()) throw Error("score: no model to score with");
  for (const auto& model : models) check_score_function(model, code, "score");
  detail::check_precision(precision, backend);
  require_backend(backend);
  radices_.assign(code.radices.begin(), code.radices.end());
  size_ = code.size();
  n_models_ = static_cast<int>(models.size());
  backend_ = backend;
#ifdef ONEPROXY_HAS_CUDA
  if (backend == Backend::cuda) {
    implementation_ = detail::make_scorer_cuda(code, models, precision);
    return;
  }
#endif
  implementation_ = detail::make_scorer_cpu(code, models, precision);
}

Scorer::~Scorer() = default;
Scorer::Scorer(Scorer&&) noexcept = default;
Scorer& Scorer::operator=(Scorer&&) noexcept = default;

void Scorer::score(const IndexRange& run, std::span<double> scores) const {
  detail::check_run(run, size_, radices_, "score");
  if (scores.size() != run.count * static_cast<std::uint64_t>(n_models_))
    throw Error("score: place for " + std::to_string(scores.size()) + " scores, " + std::to_string(n_models_) +
                " models of " + std::to_string(run.count) + " architectures need " +
                std::to_string(run.count * static_cast<std::uint64_t>(n_models_)));
  if (run.count > 0) implementation_->score(run, scores);
}

void Scorer::score_list(std::span<const std::uint32_t> digits, std::span<double> scores) const {
  const std::size_t width = radices_.size(), n = digits.size() / width;
  if (digits.size() % width != 0 || scores.size() != n * n_models_)
    throw Error("score: " + std::to_string(digits.size()) + " digits and place for " + std::to_string(scores.size()) +
                " scores; architectures have " + std::to_string(width) + " digits and " + std::to_string(n_models_) +
                " scores");
  for (std::size_t i = 0; i < digits.size(); ++i)
    if (digits[i] >= radices_[i % width])
      throw Error("score: architecture " + std::to_string(i / width) + " has " + std::to_string(digits[i]) +
                  " at digit " + std::to_string(i % width) + ", whose radix is " + std::to_string(radices_[i % width]));
  if (n > 0) implementation_->score_list(digits, scores);
}

void Scorer::reduce(const IndexRange& run, Reduction& reduction) const {
  detail::check_run(run, size_, radices_, "score");
  const auto& settings = reduction.settings();
  const auto known = [&](int model) { return model >= 0 && model < n_models_; };
  if (!known(settings.latency) || !known(settings.quality))
    throw Error("score: a reduction names a model beyond the " + std::to_string(n_models_) + " that are scored");
  if (run.count == 0) return;
  if (settings.third >= 0 && backend_ == Backend::cuda)
    detail::reduce_on_host(*implementation_, run, n_models_, run.shuffled ? split_digits(radices_) : DigitSplit{},
                           reduction);
  else
    implementation_->reduce(run, reduction);
}

double Scorer::error_bound(int model) const {
  ONEPROXY_ASSERT(model >= 0 && model < n_models_);
  return implementation_->error_bound(model);
}

std::vector<std::string> Scorer::paths() const { return implementation_->paths(); }
std::vector<std::string> Scorer::left_out() const { return implementation_->left_out(); }

}  // namespace oneproxy
