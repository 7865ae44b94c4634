#include <algorithm>
#include <variant>

#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy/kernels/score/cpu/mlp_cpu.h"
#include "oneproxy/kernels/score/cpu/shuffled_digits.h"
#include "oneproxy/kernels/score/cpu/table_cpu.h"
#include "oneproxy/kernels/score/scorer_detail.h"

namespace oneproxy::detail {
namespace {

constexpr std::int64_t kBatch = 8192;                            // scores that stay in the cache until they are reduced
constexpr std::int64_t kPiece = std::int64_t{1} << 16;           // architectures that one thread takes at a time
constexpr std::int64_t kMinPiece = 48;                           // below, threads cost more than they gain
constexpr std::uint64_t kFirstSection = std::uint64_t{1} << 14;  // then four times as many, while the filter sharpens
constexpr std::uint64_t kSection = std::uint64_t{1} << 22;       // architectures between two sights of the filter

using ModelCpu = std::variant<TableCpu, MlpCpu>;

class ScorerCpu : public Scorer::Implementation {
 public:
  ScorerCpu(const DigitCode& code, std::span<const ScoreFunction> models, Precision precision) : code_(code) {
    for (const auto& model : models) {
      if (const auto* table = std::get_if<AdditiveTable<double>>(&model))
        models_.emplace_back(std::in_place_type<TableCpu>, *table, code_);
      else
        models_.emplace_back(std::in_place_type<MlpCpu>, std::get<Mlp>(model), code_, precision);
    }
  }

  void score(const IndexRange& run, std::span<double> scores) const override {
    const DigitSplit split = run.shuffled ? split_digits(code_.radices) : DigitSplit{};
    each_piece(run.count, [&](std::int64_t first, std::int64_t count) {
      score_batch(run, split, first, count, scores.data() + first, static_cast<std::int64_t>(run.count));
    });
  }

  void score_list(std::span<const std::uint32_t> digits, std::span<double> scores) const override {
    const auto width = static_cast<std::int64_t>(code_.radices.size());
    const auto n = static_cast<std::int64_t>(digits.size()) / width;
    each_piece(n, [&](std::int64_t first, std::int64_t count) {
      for (std::size_t m = 0; m < models_.size(); ++m)
        std::visit(
            [&](const auto& model) {
              model.score_digits(digits.data() + first * width, count,
                                 scores.data() + static_cast<std::int64_t>(m) * n + first);
            },
            models_[m]);
    });
  }

  // Sections in sequence, pieces of a section in parallel, survivors absorbed in order: what is kept depends on no
  // thread.
  void reduce(const IndexRange& run, Reduction& reduction) const override {
    const DigitSplit split = run.shuffled ? split_digits(code_.radices) : DigitSplit{};
    std::uint64_t section = kFirstSection;
    for (std::uint64_t done = 0; done < run.count; section = std::min(kSection, 4 * section)) {
      const std::uint64_t count = std::min(section, run.count - done);
      const std::int64_t piece = piece_of(static_cast<std::int64_t>(count));
      std::vector<Reduction::Survivors> survivors((count + piece - 1) / piece);
      parallel_for(static_cast<std::int64_t>(survivors.size()), [&](std::int64_t p) {
        std::vector<double> scores(models_.size() * kBatch);
        const auto end = std::min<std::int64_t>(static_cast<std::int64_t>(count), (p + 1) * piece);
        for (std::int64_t first = p * piece; first < end; first += kBatch) {
          const std::int64_t n = std::min(kBatch, end - first);
          const auto& settings = reduction.settings();
          if (gated(settings))
            reduce_gated(run, split, done + first, n, reduction, scores, survivors[p]);
          else {
            score_batch(run, split, done + first, n, scores.data(), kBatch);
            reduction.filter(scores.data(), n, kBatch, done + first, survivors[p]);
          }
        }
      });
      for (auto& part : survivors) {
        for (auto& point : part.points) point.index = index_at(run, static_cast<std::uint64_t>(point.index), split);
        reduction.absorb(part);
      }
      done += count;
    }
  }

  double error_bound(int model) const override {
    const auto* mlp = std::get_if<MlpCpu>(&models_[model]);
    return mlp ? mlp->error_bound() : 0.0;
  }

  std::vector<std::string> paths() const override {
    std::vector<std::string> paths;
    for (const auto& model : models_) {
      const auto* mlp = std::get_if<MlpCpu>(&model);
      paths.push_back(mlp ? mlp->path() : "cpu fp64 table");
    }
    return paths;
  }

 private:
  // Multiples of a batch where there is enough for all threads, so that blocks of inner digits are seldom cut.
  static std::int64_t piece_of(std::int64_t count) {
    const std::int64_t share = count / (4 * thread_count()) / kMinPiece * kMinPiece;
    return std::clamp(share, kMinPiece, kPiece);
  }

  template <class Body>
  static void each_piece(std::int64_t n, Body body) {
    const std::int64_t piece = piece_of(n);
    parallel_for((n + piece - 1) / piece, [&](std::int64_t p) {
      for (std::int64_t first = p * piece, end = std::min(n, first + piece); first < end; first += kBatch)
        body(first, std::min(kBatch, end - first));
    });
  }

  // Only what is within a limit can count, and a table says that for much less than an MLP costs.
  bool gated(const ReductionSettings& settings) const {
    return !settings.front && settings.third < 0 && !settings.limits.empty() &&
           std::holds_alternative<TableCpu>(models_[settings.latency]) &&
           std::holds_alternative<MlpCpu>(models_[settings.quality]);
  }

  void reduce_gated(const IndexRange& run, const DigitSplit& split, std::uint64_t first, std::int64_t count,
                    const Reduction& reduction, std::vector<double>& scores, Reduction::Survivors& survivors) const {
    const auto& settings = reduction.settings();
    const double limit = *std::max_element(settings.limits.begin(), settings.limits.end()) + settings.latency_margin;
    const auto& table = std::get<TableCpu>(models_[settings.latency]);
    const auto& mlp = std::get<MlpCpu>(models_[settings.quality]);
    const auto width = static_cast<int>(code_.radices.size());
    double* latency = scores.data() + settings.latency * kBatch;
    double* quality = scores.data() + settings.quality * kBatch;
    std::vector<std::uint32_t> digits;
    if (run.shuffled) {
      digits = shuffled_digits(code_.radices, run, split, first, count);
      table.score_digits(digits.data(), count, latency);
    } else {
      table.score_range(run.begin + first, count, latency);
    }
    const std::int64_t within = std::count_if(latency, latency + count, [&](double value) { return value <= limit; });
    survivors.n_scored += static_cast<std::uint64_t>(count - within);
    if (within == 0) return;
    std::vector<std::uint32_t> own(static_cast<std::size_t>(within) * width);
    std::vector<std::int64_t> positions;
    for (std::int64_t i = 0; i < count; ++i) {
      if (!(latency[i] <= limit)) continue;
      std::uint32_t* to = own.data() + positions.size() * width;
      if (run.shuffled)
        std::copy_n(digits.data() + i * width, width, to);
      else
        decode_digits(run.begin + first + i, code_.radices.data(), width, to);
      latency[positions.size()] = latency[i];
      positions.push_back(i);
    }
    mlp.score_digits(own.data(), within, quality);
    const std::size_t before = survivors.points.size();
    reduction.filter(scores.data(), within, kBatch, 0, survivors);
    for (std::size_t i = before; i < survivors.points.size(); ++i)
      survivors.points[i].index = first + positions[static_cast<std::size_t>(survivors.points[i].index)];
  }

  // scores [n_models][stride] of `count` positions from `first` on.
  void score_batch(const IndexRange& run, const DigitSplit& split, std::uint64_t first, std::int64_t count,
                   double* scores, std::int64_t stride) const {
    std::vector<std::uint32_t> digits;
    if (run.shuffled) digits = shuffled_digits(code_.radices, run, split, first, count);
    for (std::size_t m = 0; m < models_.size(); ++m)
      std::visit(
          [&](const auto& model) {
            double* out = scores + static_cast<std::int64_t>(m) * stride;
            if (run.shuffled)
              model.score_digits(digits.data(), count, out);
            else
              model.score_range(run.begin + first, count, out);
          },
          models_[m]);
  }

  OwnedCode code_;
  std::vector<ModelCpu> models_;
};

}  // namespace

std::unique_ptr<Scorer::Implementation> make_scorer_cpu(const DigitCode& code, std::span<const ScoreFunction> models,
                                                        Precision precision) {
  return std::make_unique<ScorerCpu>(code, models, precision);
}

}  // namespace oneproxy::detail
