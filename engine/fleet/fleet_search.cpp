#include "oneproxy/engine/fleet/fleet_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "oneproxy/engine/search/methods/fixed_point.h"
#include "oneproxy/kernels/additive/front.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy/kernels/score/fleet.h"

namespace oneproxy {

struct FleetSearch::Method {
  explicit Method(const SearchSpace& of) : space(of) {}
  virtual ~Method() = default;
  virtual std::vector<FleetAnswer> best(std::span<const Predictor> devices, std::span<const double> limits,
                                        Backend backend) const = 0;
  const SearchSpace& space;
};

namespace {

constexpr std::size_t kTableValues = std::size_t{1} << 25;  // latencies that are held at once: 256 MiB
constexpr std::size_t kLeastDevices = 64;                   // side by side, whatever the space

const std::string& space_of(const Predictor& predictor) {
  return std::visit([](const auto& one) -> const std::string& { return one.space; }, predictor);
}

// Every architecture of a small space, as one digit whose value is its index.
class SmallSpaceSearch : public FleetSearch::Method {
 public:
  SmallSpaceSearch(const SearchSpace& space, const Objective& quality)
      : Method(space), radix_(static_cast<std::uint32_t>(space.size())), rows_(radix_) {
    all_.reserve(radix_ * static_cast<std::size_t>(space.n_decisions()));
    for (ArchIndex i = 0; i < space.size(); ++i) {
      const auto one = space.choices(i);
      all_.insert(all_.end(), one.begin(), one.end());
    }
    quality_.resize(radix_);
    quality.evaluate(all_, quality_);
    std::iota(rows_.begin(), rows_.end(), 0);
  }

  std::vector<FleetAnswer> best(std::span<const Predictor> devices, std::span<const double> limits,
                                Backend backend) const override {
    const DigitCode code{std::span(&radix_, 1), 1, rows_, static_cast<int>(radix_)};
    const std::size_t n = devices.size(), n_limits = limits.size() / n;
    const std::size_t at_once = std::max(kLeastDevices, kTableValues / radix_);
    std::vector<FleetAnswer> answers(limits.size());
    std::vector<double> tables;
    for (std::size_t first = 0; first < n; first += at_once) {
      const std::size_t some = std::min(at_once, n - first);
      side_by_side(devices.subspan(first, some), tables);
      const std::vector<double> bias(some, 0.0);
      const auto found = reduce_fleet(code, TableFleet{static_cast<std::int64_t>(some), tables, bias},
                                      std::span<const double>(quality_),
                                      limits.subspan(first * n_limits, some * n_limits), {0, radix_}, backend);
      for (std::size_t i = 0; i < found.size(); ++i)
        if (found[i].found())
          answers[first * n_limits + i] = {space.choices(found[i].index), found[i].latency, found[i].quality};
    }
    return answers;
  }

 private:
  // tables [n_architectures, n_devices]. A block of architectures at a time, so that writes stay near each other.
  void side_by_side(std::span<const Predictor> devices, std::vector<double>& tables) const {
    constexpr std::size_t kBlock = 2048;
    const std::size_t n = devices.size(), width = space.n_decisions(), blocks = (radix_ + kBlock - 1) / kBlock;
    tables.resize(radix_ * n);
    parallel_for(static_cast<std::int64_t>(blocks), [&](std::int64_t block) {
      const std::size_t begin = block * kBlock, count = std::min<std::size_t>(kBlock, radix_ - begin);
      std::vector<double> values(count);
      for (std::size_t d = 0; d < n; ++d) {
        predict(devices[d], std::span(all_).subspan(begin * width, count * width), values);
        for (std::size_t i = 0; i < count; ++i) tables[(begin + i) * n + d] = values[i];
      }
    });
  }

  const std::uint32_t radix_;
  std::vector<std::int32_t> rows_;
  std::vector<std::uint8_t> all_;  // [n, n_decisions]
  std::vector<double> quality_;
};

// Sums over digits.
class AdditiveSearch : public FleetSearch::Method {
 public:
  AdditiveSearch(const SearchSpace& space, const Objective& quality)
      : Method(space),
        part_(space),
        quality_(*quality.model),
        kernel_(quality_, part_),
        fixed_(to_fixed(table_of(kernel_), part_.radices())) {}

  std::vector<FleetAnswer> best(std::span<const Predictor> devices, std::span<const double> limits,
                                Backend /*backend*/) const override {
    const std::size_t n_limits = limits.size() / devices.size();
    std::vector<FleetAnswer> answers(limits.size());
    parallel_for(std::ssize(devices), [&](std::int64_t d) {
      answer(devices[d], limits.subspan(d * n_limits, n_limits), std::span(answers).subspan(d * n_limits, n_limits));
    });
    return answers;
  }

 private:
  using Table = AdditiveTable<double>;
  static Table table_of(const PredictorKernel& kernel) { return std::get<Table>(kernel.view()); }

  void answer(const Predictor& device, std::span<const double> limits, std::span<FleetAnswer> answers) const {
    if (!std::holds_alternative<AdditivePredictor>(device) || std::get<AdditivePredictor>(device).rate)
      throw Error("a fleet's device has a latency that does not add up over the decisions of " + part_.space().name() +
                  ", which has too many architectures to look at all; search it alone");
    const PredictorKernel kernel(device, part_);
    const Table latency = table_of(kernel), quality = table_of(kernel_);
    const auto radices = part_.radices();
    const std::size_t width = latency.width(), masks = std::max(latency.n_tables(), quality.n_tables());
    std::vector<std::uint8_t> allowed(width * masks, 1);
    mask_missing(latency, radices, allowed);
    mask_missing(quality, radices, allowed);
    const FixedTable fixed = to_fixed(latency, radices);
    // Rounding may move a latency across the limit: fp64 decides on what is within it by a margin, and what it refuses
    // is asked for again below that.
    std::vector<std::size_t> open;
    std::vector<std::int64_t> steps;
    for (std::size_t l = 0; l < limits.size(); ++l) {
      open.push_back(l);
      steps.push_back(fixed.in_steps(limits[l]) + fixed.margin());
    }
    while (!open.empty()) {
      const auto best = additive_best({radices, fixed.view(), fixed_.view(), {}, allowed}, steps);
      std::vector<std::size_t> again;
      std::vector<std::int64_t> below;
      for (std::size_t i = 0; i < open.size(); ++i) {
        if (!best[i].found) continue;
        const auto* digits = best[i].digits.data();
        const double value = additive_score(latency, radices, digits);
        if (value <= limits[open[i]]) {
          const double goal = value_of_score(quality_, additive_score(quality, radices, digits));
          answers[open[i]] = {part_.choices(best[i].digits), value, goal};
        } else {
          again.push_back(open[i]);
          below.push_back(best[i].point.latency - 1);
        }
      }
      open = std::move(again);
      steps = std::move(below);
    }
  }

  const SubSpace part_;
  const Predictor quality_;
  const PredictorKernel kernel_;
  const FixedTable fixed_;  // of the quality
};

}  // namespace

FleetSearch::FleetSearch(const SearchSpace& space, const Objective& quality) {
  if (!quality.maximised())
    throw Error("the quality " + quality.label + " is to be minimised; a fleet's best architectures maximise theirs");
  if (space.size() <= kIndexTableMost && space.stages().empty()) {
    method_ = std::make_unique<SmallSpaceSearch>(space, quality);
    return;
  }
  if (!quality.model || !std::holds_alternative<AdditivePredictor>(*quality.model))
    throw Error("the quality " + quality.label + " does not add up over the decisions of " + space.name() +
                ", which has too many architectures to look at all: exact answers need a table (table:, model:)");
  method_ = std::make_unique<AdditiveSearch>(space, quality);
}

FleetSearch::~FleetSearch() = default;
FleetSearch::FleetSearch(FleetSearch&&) noexcept = default;
FleetSearch& FleetSearch::operator=(FleetSearch&&) noexcept = default;

std::vector<FleetAnswer> FleetSearch::best(std::span<const Predictor> devices, std::span<const double> limits,
                                           Backend backend) const {
  if (devices.empty() ? !limits.empty() : limits.size() % devices.size() != 0)
    throw Error("a fleet of " + std::to_string(devices.size()) + " devices has " + std::to_string(limits.size()) +
                " limits; each device has equally many");
  for (std::size_t i = 0; i < limits.size(); ++i)
    if (std::isnan(limits[i]))
      throw Error("a fleet's limit at place " + std::to_string(i) + " is NaN; one that everything keeps is infinity");
  for (const auto& device : devices)
    if (space_of(device) != method_->space.name())
      throw Error("a fleet's predictor belongs to space " + space_of(device) + ", the search to " +
                  method_->space.name());
  if (limits.empty()) return {};
  return method_->best(devices, limits, backend);
}

}  // namespace oneproxy
