#include "oneproxy/engine/optimizer/optima.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/predictor/linear_fit.h"
#include "oneproxy/engine/search/methods/fixed_point.h"
#include "oneproxy/kernels/additive/front.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

double median_quality(const Objective& quality, std::span<const std::uint8_t> reference, int n_decisions) {
  std::vector<double> values(reference.size() / n_decisions);
  quality.evaluate(reference, values);
  std::erase_if(values, [](double value) { return std::isnan(value); });
  if (values.empty()) throw Error(quality.label + ": not known of any random architecture of the space");
  return median_of(values);
}

double positive_spread(const Objective& quality, double best, double median) {
  if (!(best > median))
    throw Error(quality.label + ": its best value, " + brief(best) + ", is not above its median, " + brief(median) +
                "; an optimizer needs a quality that tells architectures apart");
  return best - median;
}

// A quality as a sum over decisions, and how much of its variance that explains.
std::pair<Predictor, double> as_sum(const Objective& quality, const SearchSpace& space,
                                    std::span<const std::uint8_t> reference) {
  if (const auto* own = std::get_if<AdditivePredictor>(quality.model.get()); own && !own->rate) return {*own, 1.0};
  std::vector<double> values(reference.size() / space.n_decisions()), fitted(values.size());
  quality.evaluate(reference, values);
  AdditivePredictor sum = fit_linear(space, reference, values);
  sum.predict(reference, fitted);
  double mean = 0, total = 0, left = 0;
  for (const double value : values) mean += value / static_cast<double>(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    total += (values[i] - mean) * (values[i] - mean);
    left += (values[i] - fitted[i]) * (values[i] - fitted[i]);
  }
  return {std::move(sum), 1 - left / total};
}

// Every architecture of a small space with its values.
class SmallSpaceOptima : public Optima {
 public:
  SmallSpaceOptima(const SearchSpace& space, std::span<const Objective> qualities,
                   std::span<const std::uint8_t> reference)
      : space_(space), n_(static_cast<std::size_t>(space.size())) {
    for (ArchIndex i = 0; i < space.size(); ++i) {
      const auto one = space.choices(i);
      all_.insert(all_.end(), one.begin(), one.end());
    }
    for (const auto& quality : qualities) {
      auto& values = qualities_.emplace_back(n_);
      quality.evaluate(all_, values);
      for (double& value : values)
        if (std::isnan(value)) value = -std::numeric_limits<double>::infinity();  // not known: never an answer
      auto& order = orders_.emplace_back(n_);
      std::iota(order.begin(), order.end(), 0u);
      std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return values[a] > values[b]; });
      if (!std::isfinite(values[order[0]])) throw Error(quality.label + ": not known of any architecture of the space");
      spreads_.push_back(
          positive_spread(quality, values[order[0]], median_quality(quality, reference, space.n_decisions())));
    }
  }

  std::vector<std::vector<Optimum>> find(const Predictor& latency, const Predictor* energy,
                                         std::span<const OptimizerQuery> queries, int k) const override {
    const auto latencies = values_of(latency);
    std::vector<std::vector<Optimum>> found(queries.size());
    std::vector<double> scores, energies;
    std::vector<std::uint32_t> best;
    for (std::size_t q = 0; q < queries.size(); ++q) {
      const auto& query = queries[q];
      const auto& quality = qualities_[query.quality];
      best.clear();
      if (query.limit) {
        for (const auto i : orders_[query.quality]) {
          if (!std::isfinite(quality[i]) || static_cast<int>(best.size()) == k) break;
          if (latencies[i] <= *query.limit) best.push_back(i);
        }
      } else {
        const auto& [of_quality, of_latency, of_energy] = query.preference;
        const double unit = of_quality / spreads_[query.quality];
        scores.resize(n_);
        for (std::size_t i = 0; i < n_; ++i) scores[i] = unit * quality[i] - of_latency * latencies[i];
        if (energy && of_energy != 0) {
          if (energies.empty()) energies = values_of(*energy);
          for (std::size_t i = 0; i < n_; ++i) scores[i] -= of_energy * energies[i];
        }
        best.resize(std::min<std::size_t>(k, n_));
        auto better = [&](std::uint32_t a, std::uint32_t b) {
          return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
        };
        take_best(scores, better, best);
      }
      for (const auto i : best) found[q].push_back({space_.choices(ArchIndex{i}), quality[i]});
    }
    return found;
  }
  Range range(const Predictor& device) const override {
    const auto values = values_of(device);
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    return {*low, *high};
  }
  double spread(int quality) const override { return spreads_[quality]; }

 private:
  std::vector<double> values_of(const Predictor& predictor) const {
    std::vector<double> values(n_);
    predict(predictor, all_, values);
    return values;
  }

  // The best of all, in order: a heap of them, of which the worst is on top.
  template <class Better>
  void take_best(const std::vector<double>& scores, const Better& better, std::vector<std::uint32_t>& best) const {
    std::iota(best.begin(), best.end(), 0u);
    std::make_heap(best.begin(), best.end(), better);
    for (auto i = static_cast<std::uint32_t>(best.size()); i < n_; ++i) {
      if (!(scores[i] > scores[best.front()])) continue;  // ties: the lower index was there first
      std::pop_heap(best.begin(), best.end(), better);
      best.back() = i;
      std::push_heap(best.begin(), best.end(), better);
    }
    std::sort_heap(best.begin(), best.end(), better);
  }

  const SearchSpace& space_;
  std::size_t n_;
  std::vector<std::uint8_t> all_;                   // [n, n_decisions]
  std::vector<std::vector<double>> qualities_;      // [n_qualities][n]
  std::vector<std::vector<std::uint32_t>> orders_;  // best first
  std::vector<double> spreads_;
};

// Sums over digits.
class AdditiveOptima : public Optima {
 public:
  AdditiveOptima(const SearchSpace& space, std::span<const Objective> qualities,
                 std::span<const std::uint8_t> reference)
      : part_(space) {
    for (const auto& quality : qualities) {
      const auto [sum, explained] = as_sum(quality, space, reference);
      explained_.push_back(explained);
      const auto& kernel = *kernels_.emplace_back(std::make_unique<PredictorKernel>(sum, part_));
      fixed_.push_back(to_fixed(table_of(kernel), part_.radices()));
      spreads_.push_back(1);
      const double best = weighted({{table_of(kernel), 1.0}}, quality_of(spreads_.size() - 1)).quality;
      spreads_.back() = positive_spread(quality, best, median_quality(quality, reference, space.n_decisions()));
    }
  }

  std::vector<std::vector<Optimum>> find(const Predictor& latency, const Predictor* energy,
                                         std::span<const OptimizerQuery> queries, int /*k*/) const override {
    const PredictorKernel latency_kernel(latency, part_);
    std::optional<PredictorKernel> energy_kernel;
    if (energy) energy_kernel.emplace(*energy, part_);
    const FixedTable fixed = to_fixed(table_of(latency_kernel), part_.radices());
    std::vector<std::vector<Optimum>> found(queries.size());
    for (std::size_t quality = 0; quality < fixed_.size(); ++quality) {
      std::vector<std::size_t> asked;
      std::vector<std::int64_t> limits;
      for (std::size_t q = 0; q < queries.size(); ++q)
        if (queries[q].limit && queries[q].quality == static_cast<int>(quality)) {
          asked.push_back(q);
          limits.push_back(fixed.in_steps(*queries[q].limit));
        }
      if (asked.empty()) continue;
      const auto best = additive_best({part_.radices(), fixed.view(), fixed_[quality].view(), {}, {}}, limits);
      for (std::size_t i = 0; i < asked.size(); ++i)
        if (best[i].found) found[asked[i]].push_back(optimum(best[i].digits, quality_of(quality)));
    }
    for (std::size_t q = 0; q < queries.size(); ++q) {
      if (queries[q].limit) continue;
      const auto quality = static_cast<std::size_t>(queries[q].quality);
      const auto& [of_quality, of_latency, of_energy] = queries[q].preference;
      std::vector<Weighted> sum = {{quality_of(quality), of_quality / spreads_[quality]},
                                   {table_of(latency_kernel), -of_latency}};
      if (energy_kernel) sum.push_back({table_of(*energy_kernel), -of_energy});
      found[q].push_back(weighted(sum, quality_of(quality)));
    }
    return found;
  }
  Range range(const Predictor& device) const override {
    const PredictorKernel kernel(device, part_);
    const auto table = table_of(kernel);
    return {weighted({{table, -1.0}}, table).quality, weighted({{table, 1.0}}, table).quality};
  }
  double spread(int quality) const override { return spreads_[quality]; }
  double explained(int quality) const override { return explained_[quality]; }

 private:
  using Table = AdditiveTable<double>;
  struct Weighted {
    Table table;
    double weight;
  };
  static Table table_of(const PredictorKernel& kernel) { return std::get<Table>(kernel.view()); }
  Table quality_of(std::size_t quality) const { return table_of(*kernels_[quality]); }

  Optimum optimum(std::span<const std::uint32_t> digits, const Table& quality) const {
    return {part_.choices(digits), additive_score(quality, part_.radices(), digits.data())};
  }

  // The largest weighted sum of tables: each digit for itself, given digit 0, which may select a table.
  Optimum weighted(const std::vector<Weighted>& sum, const Table& quality) const {
    const auto radices = part_.radices();
    const auto entry = [&](std::uint32_t first, std::size_t place) {
      double value = 0;
      for (const auto& [table, weight] : sum)
        value += weight * table.weights_of(table.n_tables() > 1 ? first : 0)[place];
      return value;
    };
    std::vector<std::uint32_t> best, digits(radices.size());
    double best_value = -std::numeric_limits<double>::infinity();
    for (std::uint32_t first = 0; first < radices[0]; ++first) {
      digits[0] = first;
      double value = entry(first, first);
      for (const auto& [table, weight] : sum) value += weight * table.bias[table.n_tables() > 1 ? first : 0];
      std::size_t place = radices[0];
      for (std::size_t d = 1; d < radices.size(); ++d) {
        double largest = -std::numeric_limits<double>::infinity();
        for (std::uint32_t v = 0; v < radices[d]; ++v, ++place)
          if (const double one = entry(first, place); one > largest) largest = one, digits[d] = v;
        value += largest;
      }
      if (value > best_value) best_value = value, best = digits;
    }
    return optimum(best, quality);
  }

  const SubSpace part_;
  std::vector<std::unique_ptr<PredictorKernel>> kernels_;
  std::vector<FixedTable> fixed_;
  std::vector<double> spreads_, explained_;
};

}  // namespace

std::unique_ptr<Optima> make_optima(const SearchSpace& space, std::span<const Objective> qualities,
                                    std::span<const std::uint8_t> reference) {
  if (qualities.empty()) throw Error("an optimizer needs at least one quality to maximise");
  const bool small = space.size() <= kIndexTableMost && space.stages().empty();
  for (const auto& quality : qualities) {
    if (!quality.maximised())
      throw Error("the quality " + quality.label + " is to be minimised; an optimizer maximises its quality");
    if (!small && !quality.model)
      throw Error("the quality " + quality.label + " is known of some architectures only, and " + space.name() +
                  " has too many to look at: name a predictor of it (table:, predictor:, model:)");
  }
  if (small) return std::make_unique<SmallSpaceOptima>(space, qualities, reference);
  return std::make_unique<AdditiveOptima>(space, qualities, reference);
}

}  // namespace oneproxy
