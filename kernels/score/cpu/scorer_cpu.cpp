#include <algorithm>
#include <variant>

#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy/kernels/score/cpu/digit_table_cpu.h"
#include "oneproxy/kernels/score/scorer_detail.h"

namespace oneproxy::detail {
namespace {

constexpr std::int64_t kBatch = 8192;                            // scores that stay in the cache until they are reduced
constexpr std::int64_t kPiece = std::int64_t{1} << 16;           // architectures that one thread takes at a time
constexpr std::int64_t kLeastPiece = 48;                         // below, threads cost more than they gain
constexpr std::uint64_t kFirstSection = std::uint64_t{1} << 14;  // then four times as many, while the filter sharpens
constexpr std::uint64_t kSection = std::uint64_t{1} << 22;       // architectures between two sights of the filter

using ModelCpu = std::variant<DigitTableCpu, MlpCpu>;

// Digits of one part of a shuffled index. Division by a radix d is a multiplication by m = floor(2^64 / d) + 1:
// floor(n m / 2^64) = floor(n / d) wherever n d < 2^64, for n m / 2^64 exceeds n / d by less than 1 / d.
class PartDecoder {
 public:
  PartDecoder(std::span<const std::uint32_t> radices, std::uint64_t size) : radices_(radices) {
    for (const auto radix : radices_) {
      multiplies_ = multiplies_ && size <= ~std::uint64_t{0} / radix && radix > 1;
      multipliers_.push_back(radix > 1 ? ~std::uint64_t{0} / radix + 1 : 0);
    }
  }

  void decode(std::uint64_t n, std::uint32_t* digits) const {
    if (!multiplies_) return decode_digits(n, radices_.data(), static_cast<int>(radices_.size()), digits);
    for (std::size_t d = radices_.size(); d-- > 0;) {
      const auto quotient = static_cast<std::uint64_t>((static_cast<ArchIndex>(n) * multipliers_[d]) >> 64);
      digits[d] = static_cast<std::uint32_t>(n - quotient * radices_[d]);
      n = quotient;
    }
  }

 private:
  std::span<const std::uint32_t> radices_;
  std::vector<std::uint64_t> multipliers_;
  bool multiplies_ = true;
};

class ScorerCpu : public Scorer::Implementation {
 public:
  ScorerCpu(const DigitCode& code, std::span<const Model> models, Precision precision) : code_(code) {
    for (const auto& model : models) {
      if (const auto* table = std::get_if<DigitTable>(&model))
        models_.emplace_back(std::in_place_type<DigitTableCpu>, *table, code_);
      else
        models_.emplace_back(std::in_place_type<MlpCpu>, std::get<Mlp>(model), code_, precision);
    }
  }

  void score(const ArchRun& run, std::span<double> scores) const override {
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
  void reduce(const ArchRun& run, Reduction& reduction) const override {
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
        for (auto& point : part.points) point.index = run_index(run, static_cast<std::uint64_t>(point.index), split);
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
    const std::int64_t share = count / (4 * thread_count()) / kLeastPiece * kLeastPiece;
    return std::clamp(share, kLeastPiece, kPiece);
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
           std::holds_alternative<DigitTableCpu>(models_[settings.latency]) &&
           std::holds_alternative<MlpCpu>(models_[settings.quality]);
  }

  void reduce_gated(const ArchRun& run, const DigitSplit& split, std::uint64_t first, std::int64_t count,
                    const Reduction& reduction, std::vector<double>& scores, Reduction::Survivors& survivors) const {
    const auto& settings = reduction.settings();
    const double limit = *std::max_element(settings.limits.begin(), settings.limits.end()) + settings.latency_margin;
    const auto& table = std::get<DigitTableCpu>(models_[settings.latency]);
    const auto& mlp = std::get<MlpCpu>(models_[settings.quality]);
    const auto width = static_cast<int>(code_.radices.size());
    double* latency = scores.data() + settings.latency * kBatch;
    double* quality = scores.data() + settings.quality * kBatch;
    std::vector<std::uint32_t> digits;
    if (run.shuffled) {
      digits = shuffled_digits(run, split, first, count);
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
  void score_batch(const ArchRun& run, const DigitSplit& split, std::uint64_t first, std::int64_t count, double* scores,
                   std::int64_t stride) const {
    std::vector<std::uint32_t> digits;
    if (run.shuffled) digits = shuffled_digits(run, split, first, count);
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

  std::vector<std::uint32_t> shuffled_digits(const ArchRun& run, const DigitSplit& split, std::uint64_t first,
                                             std::int64_t count) const {
    const auto width = static_cast<int>(code_.radices.size());
    const std::span<const std::uint32_t> radices = code_.radices;
    const PartDecoder of_left(radices.first(split.left_digits), split.left);
    const PartDecoder of_right(radices.subspan(split.left_digits), split.right);
    std::vector<std::uint32_t> digits(static_cast<std::size_t>(count) * width);
    const auto keys = shuffle_keys(run.seed);
    const ArchIndex begin = run.begin + first;
    auto left_place = static_cast<std::uint64_t>(begin / split.right);
    auto right_place = static_cast<std::uint64_t>(begin % split.right);
    for (std::int64_t i = 0; i < count; ++i) {
      std::uint64_t left = left_place, right = right_place;
      shuffle_rounds(keys, split, left, right);
      std::uint32_t* own = digits.data() + i * width;
      of_left.decode(left, own);
      of_right.decode(right, own + split.left_digits);
      if (++right_place == split.right) right_place = 0, ++left_place;
    }
    return digits;
  }

  OwnedCode code_;
  std::vector<ModelCpu> models_;
};

}  // namespace

std::unique_ptr<Scorer::Implementation> make_scorer_cpu(const DigitCode& code, std::span<const Model> models,
                                                        Precision precision) {
  return std::make_unique<ScorerCpu>(code, models, precision);
}

}  // namespace oneproxy::detail
