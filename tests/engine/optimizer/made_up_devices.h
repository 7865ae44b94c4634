#pragma once
// Devices whose latency functions are mixtures of a few random functions, so that their weights are all that there is
// to know of them, and a quality; with exact optima by enumeration (a cell) or dynamic programming (layers).
#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <vector>

#include "oneproxy/engine/optimizer/query.h"
#include "oneproxy/engine/space/space.h"
#include "oneproxy/kernels/base/random.h"

namespace oneproxy::test {

inline double normal(const Philox& random, std::uint64_t i) {
  return std::sqrt(-2 * std::log(1 - random.uniform(2 * i))) * std::cos(6.283185307179586 * random.uniform(2 * i + 1));
}

// Every cell of NAS-Bench-201.
class MadeUpCells {
 public:
  MadeUpCells() : space_(SearchSpace::load("nasbench201")), n_(15625) {
    choices_.resize(n_ * 6);
    for (std::size_t i = 0; i < n_; ++i) {
      std::size_t rest = i;
      for (int d = 5; d >= 0; --d, rest /= 5) choices_[i * 6 + d] = static_cast<std::uint8_t>(rest % 5);
    }
    for (int k = 0; k <= kFunctions; ++k) functions_.push_back(function(static_cast<std::uint64_t>(k)));
    // Quality and latency agree in part, as they do where larger operations are better.
    for (std::size_t i = 0; i < n_; ++i) quality_.push_back(functions_[kFunctions][i] + 0.7 * functions_[0][i]);
  }

  static constexpr int kFunctions = 5;
  const SearchSpace& space() const { return space_; }
  const std::vector<double>& quality() const { return quality_; }
  std::span<const std::uint8_t> choices(std::size_t i) const { return std::span(choices_).subspan(i * 6, 6); }
  std::size_t index(std::span<const std::uint8_t> choices) const {
    std::size_t i = 0;
    for (const auto c : choices) i = i * 5 + c;
    return i;
  }

  OptimizerDevice device(std::uint64_t seed) const {
    const Philox random{seed, 1};
    OptimizerDevice device;
    for (int k = 0; k < kFunctions; ++k) device.coordinates.push_back((k == 0) + 0.5 * normal(random, k));
    IndexTable table{"nasbench201", std::vector<std::uint8_t>(6, 5), "latency", "", std::vector<double>(n_), {}};
    for (int k = 0; k < kFunctions; ++k)
      for (std::size_t i = 0; i < n_; ++i) table.values[i] += device.coordinates[k] * functions_[k][i];
    standardise(table.values);
    device.latency = std::make_shared<const Predictor>(std::move(table));
    return device;
  }
  static const std::vector<double>& values(const OptimizerDevice& device) {
    return std::get<IndexTable>(*device.latency).values;
  }

  // Limits at `share` of the device's range, cubed: tight ones matter most.
  double limit(const OptimizerDevice& device, double share) const {
    const auto [least, most] = std::minmax_element(values(device).begin(), values(device).end());
    return *least + (0.9 * share * share + 0.02) * (*most - *least);
  }
  // The best within the limit, by enumeration.
  std::size_t best(const OptimizerDevice& device, double limit) const {
    std::size_t best = n_;
    for (std::size_t i = 0; i < n_; ++i)
      if (values(device)[i] <= limit && (best == n_ || quality_[i] > quality_[best])) best = i;
    return best;
  }
  std::size_t best(const OptimizerDevice& device, const std::array<double, 3>& preference) const {
    std::size_t best = 0;
    const auto worth = [&](std::size_t i) { return preference[0] * quality_[i] - preference[1] * values(device)[i]; };
    for (std::size_t i = 1; i < n_; ++i)
      if (worth(i) > worth(best)) best = i;
    return best;
  }
  // Questions of a device with their answers.
  void add_examples(const OptimizerDevice& device, std::int32_t number, int n, std::vector<TrainingExample>& to) const {
    const Philox random{static_cast<std::uint64_t>(number), 2};
    for (int i = 0; i < n; ++i) {
      TrainingExample example;
      example.device = number;
      std::size_t found = 0;
      if (i % 4 == 3) {
        const double share = random.uniform(i);
        example.query.preference = {1 - share, share, 0};
        found = best(device, example.query.preference);
      } else {
        example.query.limit = limit(device, random.uniform(i));
        found = best(device, *example.query.limit);
      }
      for (const std::size_t label : {found, mirrored(found)})
        example.choices.insert(example.choices.end(), &choices_[label * 6], &choices_[label * 6] + 6);
      to.push_back(example);
    }
  }

 private:
  // Main effects and interactions of neighbouring decisions, mean 0 and deviation 1. A cell and its mirror image are
  // worth the same, as cells of the same graph are: a question has several answers.
  std::vector<double> function(std::uint64_t seed) const {
    const Philox random{seed, 3};
    std::vector<double> one_way(n_), values(n_);
    for (std::size_t i = 0; i < n_; ++i)
      for (int d = 0; d < 6; ++d) {
        const int c = choices_[i * 6 + d], next = choices_[i * 6 + (d + 1) % 6];
        one_way[i] += normal(random, d * 5 + c) + 0.5 * normal(random, 100 + (d * 5 + c) * 5 + next);
      }
    for (std::size_t i = 0; i < n_; ++i) values[i] = one_way[i] + one_way[mirrored(i)];
    standardise(values);
    return values;
  }
  std::size_t mirrored(std::size_t i) const {
    std::size_t mirrored = 0;
    for (int d = 5; d >= 0; --d) mirrored = mirrored * 5 + choices_[i * 6 + d];
    return mirrored;
  }
  static void standardise(std::vector<double>& values) {
    double mean = 0, square = 0;
    for (const double v : values) mean += v / static_cast<double>(values.size());
    for (const double v : values) square += (v - mean) * (v - mean) / static_cast<double>(values.size());
    for (double& v : values) v = (v - mean) / std::sqrt(square);
  }

  SearchSpace space_;
  std::size_t n_;
  std::vector<std::uint8_t> choices_;
  std::vector<std::vector<double>> functions_;
  std::vector<double> quality_;
};

// FBNet with additive latencies and an additive quality.
class MadeUpLayers {
 public:
  static constexpr int kFunctions = 4, kLayers = 22, kChoices = 9, kGrid = 2000;

  MadeUpLayers() : space_(SearchSpace::load("fbnet")) {
    for (int i = 0; i < kLayers * kChoices; ++i) {
      for (int k = 0; k < kFunctions; ++k) functions_[k].push_back(Philox{1, 4}.uniform(i * kFunctions + k));
      quality_.push_back(functions_[0][i] + Philox{1, 5}.uniform(i));  // larger blocks are better, by and large
    }
  }

  const SearchSpace& space() const { return space_; }
  OptimizerDevice device(std::uint64_t seed) const {
    const Philox random{seed, 6};
    OptimizerDevice device;
    for (int k = 0; k < kFunctions; ++k) device.coordinates.push_back(1 + 0.4 * normal(random, k));
    AdditivePredictor table{"fbnet", std::vector<std::uint8_t>(kLayers, kChoices), "latency", "", {}, {0}, {}};
    table.weights.assign(kLayers * kChoices, 0.0);
    for (int k = 0; k < kFunctions; ++k)
      for (std::size_t i = 0; i < table.weights.size(); ++i)
        table.weights[i] += device.coordinates[k] * functions_[k][i];
    double variance = 0;
    for (int d = 0; d < kLayers; ++d) {
      const auto own = std::span(table.weights).subspan(d * kChoices, kChoices);
      double mean = 0;
      for (const double w : own) mean += w / kChoices;
      for (const double w : own) variance += (w - mean) * (w - mean) / kChoices;
      table.bias[0] -= mean;
    }
    for (double& w : table.weights) w /= std::sqrt(variance);
    table.bias[0] /= std::sqrt(variance);
    device.latency = std::make_shared<const Predictor>(std::move(table));
    return device;
  }
  static double latency(const OptimizerDevice& device, std::span<const std::uint8_t> choices) {
    double value = 0;
    predict(*device.latency, choices, std::span(&value, 1));
    return value;
  }
  double quality(std::span<const std::uint8_t> choices) const {
    double sum = 0;
    for (int d = 0; d < kLayers; ++d) sum += quality_[d * kChoices + choices[d]];
    return sum;
  }

  // The best within limits at shares of the device's range, by dynamic programming over a grid of the range on which
  // every choice is rounded up: within the limit, and at most a few grid steps from the best.
  std::vector<TrainingExample> examples(const OptimizerDevice& device, std::int32_t number,
                                        std::span<const double> shares) const {
    const auto& table = std::get<AdditivePredictor>(*device.latency);
    double least = table.bias[0], range = 0;
    std::vector<double> extra = table.weights;
    for (int d = 0; d < kLayers; ++d) {
      const auto own = std::span(extra).subspan(d * kChoices, kChoices);
      const auto [low, high] = std::minmax_element(own.begin(), own.end());
      const double cheapest = *low;
      least += cheapest;
      range += *high - cheapest;
      for (double& w : own) w -= cheapest;
    }
    std::vector<double> best(static_cast<std::size_t>(kLayers + 1) * (kGrid + 1), 0.0);  // of the layers from one on
    std::vector<std::uint8_t> taken(best.size(), 0);
    const auto steps_of = [&](int i) { return static_cast<int>(std::ceil(extra[i] / range * kGrid)); };
    for (int d = kLayers - 1; d >= 0; --d)
      for (int budget = 0; budget <= kGrid; ++budget) {
        const std::size_t at = static_cast<std::size_t>(d) * (kGrid + 1) + budget;
        best[at] = -1;
        for (int c = 0; c < kChoices; ++c) {
          const int left = budget - steps_of(d * kChoices + c);
          if (left < 0) continue;
          const double value = quality_[d * kChoices + c] + best[(d + 1) * std::size_t{kGrid + 1} + left];
          if (value <= best[at]) continue;
          best[at] = value;
          taken[at] = static_cast<std::uint8_t>(c);
        }
      }
    std::vector<TrainingExample> all;
    for (const double share : shares) {
      TrainingExample example;
      example.device = number;
      example.query.limit = least + share * range;
      int budget = static_cast<int>(share * kGrid);
      for (int d = 0; d < kLayers; ++d) {
        const auto c = taken[static_cast<std::size_t>(d) * (kGrid + 1) + budget];
        example.choices.push_back(c);
        budget -= steps_of(d * kChoices + c);
      }
      all.push_back(std::move(example));
    }
    return all;
  }

 private:
  SearchSpace space_;
  std::vector<double> functions_[kFunctions], quality_;  // [layers, choices]
};

}  // namespace oneproxy::test
