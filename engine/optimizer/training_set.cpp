#include "oneproxy/engine/optimizer/training_set.h"

#include <algorithm>
#include <cmath>

#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/base/streams.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"

namespace oneproxy {
namespace {

constexpr int kChunk = 128;  // devices whose tables are held at once

// Weights of a preference, even over all that sum to 1.
std::array<double, 3> draw_preference(RandomDraws& random, bool energy) {
  std::array<double, 3> drawn{random.exponential(), random.exponential(), energy ? random.exponential() : 0.0};
  const double total = drawn[0] + drawn[1] + drawn[2];
  for (double& weight : drawn) weight /= total;
  return drawn;
}

std::vector<OptimizerQuery> draw_queries(RandomDraws& random, std::span<const double> values,
                                         const Optima::Range& range, int n_qualities,
                                         const TrainingSetSettings& settings) {
  std::vector<OptimizerQuery> queries;
  for (int quality = 0; quality < n_qualities; ++quality) {
    for (int i = 0; i < settings.limits; ++i) {
      const double u = random.uniform();
      const double limit = i % 2 == 0 ? quantile(values, 0.005 + 0.985 * u)
                                      : range.low + (0.005 + 0.9 * u * u) * (range.high - range.low);
      queries.push_back({quality, limit, {}});
    }
    for (int i = 0; i < settings.preferences; ++i)
      queries.push_back({quality, std::nullopt, draw_preference(random, settings.energy)});
  }
  return queries;
}

// How much each of the answers counts, best first.
std::vector<float> shares_of(const std::vector<Optimum>& found, double unit) {
  std::vector<float> shares;
  for (const auto& one : found)
    shares.push_back(static_cast<float>(std::exp((one.quality - found.front().quality) / unit)));
  std::erase_if(shares, [](float share) { return share < 1e-6f; });  // they are sorted: the last ones
  return shares;
}

// [n, columns], joined.
std::vector<double> joined(std::vector<double> a, const std::vector<double>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// Coordinates [n_devices] of functions [n_devices, n_reference].
std::vector<std::vector<double>> all_of(const DeviceCoordinates& coordinates, std::span<const double> functions) {
  std::vector<std::vector<double>> devices;
  const std::size_t width = coordinates.mean.size();
  for (std::size_t i = 0; i < functions.size(); i += width)
    devices.push_back(coordinates.of(functions.subspan(i, width)).coordinates);
  return devices;
}

}  // namespace

TrainingSet make_training_set(const LatencyBasis& basis, const Optima& optima, int n_qualities,
                              const TrainingSetSettings& settings) {
  if (settings.devices < 1 && !settings.sources_too)
    throw Error("an optimizer is trained on devices: generate some, or take the sources too");
  if (settings.limits < 0 || settings.preferences < 0 || settings.limits + settings.preferences < 1)
    throw Error("an optimizer is trained on " + std::to_string(settings.limits) + " limits and " +
                std::to_string(settings.preferences) + " preferences a device; ask at least one query");
  if (!(settings.temperature > 0))
    throw Error("the temperature of an optimizer's labels is " + brief(settings.temperature) + "; it is above 0");
  const DeviceGenerator generator(basis, settings.generator);
  std::vector<double> weights =
      settings.devices > 0 ? generator.draw(settings.devices, settings.seed) : std::vector<double>{};
  if (settings.sources_too) weights = joined(generator.sources(), weights);
  const std::size_t columns = basis.n_columns(), n = weights.size() / columns;
  std::vector<double> energies;
  if (settings.energy) energies = generator.draw_physics(static_cast<int>(n), settings.seed);

  TrainingSet set;
  const auto functions = basis.values(weights);
  set.latency = fit_coordinates(basis.reference(), functions, basis.n_reference(), settings.most_coordinates);
  for (auto& one : all_of(set.latency, functions)) set.devices.push_back({std::move(one), nullptr, nullptr});
  if (settings.energy) {
    const auto energy_functions = basis.values(energies);
    set.energy = fit_coordinates(basis.reference(), energy_functions, basis.n_reference(), settings.most_coordinates);
    const auto of_energy = all_of(set.energy, energy_functions);
    for (std::size_t i = 0; i < n; ++i) set.devices[i].coordinates = joined(set.devices[i].coordinates, of_energy[i]);
  }
  for (std::size_t first = 0; first < n; first += kChunk) {
    check_interrupt();
    const std::size_t some = std::min<std::size_t>(kChunk, n - first);
    auto latency = basis.predictors(std::span(weights).subspan(first * columns, some * columns));
    std::vector<Predictor> energy;
    if (settings.energy) energy = basis.predictors(std::span(energies).subspan(first * columns, some * columns));
    std::vector<std::vector<TrainingExample>> examples(some);
    parallel_for(static_cast<std::int64_t>(some), [&](std::int64_t i) {
      auto& of_device = examples[i];
      const std::size_t device = first + i, width = basis.n_reference();
      RandomDraws random(random_stream(settings.seed, Draws::optimizer_queries, static_cast<std::uint32_t>(device)));
      const auto queries = draw_queries(random, std::span(functions).subspan(device * width, width),
                                        optima.range(latency[i]), n_qualities, settings);
      const auto found = optima.find(latency[i], energy.empty() ? nullptr : &energy[i], queries, settings.best);
      for (std::size_t q = 0; q < queries.size(); ++q) {
        if (found[q].empty()) continue;  // a limit that no architecture keeps
        TrainingExample example{static_cast<std::int32_t>(device), queries[q], {}, {}};
        example.shares = queries[q].limit
                             ? shares_of(found[q], settings.temperature * optima.spread(queries[q].quality))
                             : std::vector<float>{1};
        for (std::size_t i = 0; i < example.shares.size(); ++i)
          example.choices.insert(example.choices.end(), found[q][i].choices.begin(), found[q][i].choices.end());
        of_device.push_back(std::move(example));
      }
    });
    for (auto& made : examples)
      for (auto& one : made) set.examples.push_back(std::move(one));
    for (std::size_t i = 0; i < some; ++i) {
      if (!settings.keep_tables && std::holds_alternative<IndexTable>(latency[i])) break;
      auto& device = set.devices[first + i];
      device.latency = std::make_shared<const Predictor>(std::move(latency[i]));
      if (settings.energy) device.energy = std::make_shared<const Predictor>(std::move(energy[i]));
    }
  }
  return set;
}

}  // namespace oneproxy
