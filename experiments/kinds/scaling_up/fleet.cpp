#include "experiments/kinds/scaling_up/fleet.h"

#include <algorithm>
#include <cmath>

#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/base/streams.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"

namespace oneproxy::scaling_up {
namespace {

constexpr double kLeastShare = 0.05;             // of the mean, that the fastest architecture takes
constexpr std::uint64_t kOtherSeed = 1'000'000;  // added to the seed: no device of the training is drawn again

std::vector<double> limits_of(const World& world, const Optima& optima, const Predictor& truth) {
  const auto& s = world.settings;
  const auto range = optima.range(truth);
  const auto& random = world.features->reference_choices();
  std::vector<double> values(s.limits_of_range ? 0 : random.size() / world.space().n_decisions()), limits;
  if (!values.empty()) predict(truth, random, values);
  for (const double at : s.limits_at)
    limits.push_back(s.limits_of_range ? range.low + at * (range.high - range.low) : quantile(values, at));
  return limits;
}

// mean + deviation f
Predictor in_ms(Predictor standard, double mean, double deviation) {
  if (auto* table = std::get_if<IndexTable>(&standard)) {
    for (double& value : table->values) value = mean + deviation * value;
    table->unit = "ms";
  } else {
    auto& sum = std::get<AdditivePredictor>(standard);
    for (double& weight : sum.weights) weight *= deviation;
    for (double& bias : sum.bias) bias = mean + deviation * bias;
    sum.unit = "ms";
  }
  return standard;
}

struct Scale {
  double mean = 0, deviation = 0;
};
Scale scale_of(const Predictor& truth, const std::vector<std::uint8_t>& reference, int n) {
  std::vector<double> values(n);
  predict(truth, reference, values);
  Scale scale;
  for (const double value : values) scale.mean += value / n;
  for (const double value : values) scale.deviation += (value - scale.mean) * (value - scale.mean) / n;
  scale.deviation = std::sqrt(scale.deviation);
  return scale;
}

}  // namespace

double FleetDevice::measure(const SearchSpace& space, std::span<const std::uint8_t> choices) const {
  const ArchIndex index = space.index(choices);
  if (rows_)
    if (const auto row = rows_->find(index); row != rows_->end()) return values_[row->second];
  double truth = 0;
  predict(truth_ms, choices, std::span(&truth, 1));
  const auto draw = static_cast<std::uint64_t>(index) ^ (static_cast<std::uint64_t>(index >> 64) << 32);
  return truth * (1 + (*errors_)[noise_.below(draw, errors_->size())]);
}

Fleet::Fleet(const World& world, const Optima& optima) {
  const auto& s = world.settings;
  const auto& data = world.loaded->data;
  auto rows = std::make_shared<std::map<ArchIndex, std::int64_t>>();
  for (std::int64_t i = 0; i < data.n(); ++i) rows->emplace(world.space().index(data.rows().row(i)), i);

  std::vector<SourceDevice> all;
  for (const auto& name : data.devices()) all.push_back(draw_source(data, data.device(name), 0, s.seed, 0));
  const Sources known(world.features, std::move(all));
  std::vector<FleetDevice> real(known.devices.size());
  parallel_for(std::ssize(real), [&](std::int64_t i) {
    check_interrupt();
    auto& device = real[i];
    device.name = known.devices[i].name;
    device.real = true;
    device.truth_ms = predictor_of(*world.features, known.predictors[i]);
    device.limits_ms = limits_of(world, optima, device.truth_ms);
    device.rows_ = rows;
    device.values_ = data.device(device.name).values;
    device.noise_ = random_stream(s.seed, Draws::measurement_noise, static_cast<std::uint32_t>(i));
    std::vector<double> truth(data.n()), errors;
    predict(device.truth_ms, data.rows().choices, truth);
    for (std::int64_t k = 0; k < data.n(); ++k)
      if (!std::isnan(device.values_[k]) && truth[k] > 0) errors.push_back(device.values_[k] / truth[k] - 1);
    device.errors_ = std::make_shared<const std::vector<double>>(std::move(errors));
  });

  for (const auto& name : world.held_out.front())
    devices.push_back(*std::find_if(real.begin(), real.end(), [&](const auto& one) { return one.name == name; }));
  n_real = static_cast<int>(devices.size());
  if (s.fleet.generated == 0) return;

  const LatencyBasis basis(known);
  const auto functions = basis.predictors(DeviceGenerator(basis).draw(s.fleet.generated, s.seed + kOtherSeed));
  devices.resize(n_real + functions.size());
  parallel_for(std::ssize(functions), [&](std::int64_t i) {
    const Philox random = random_stream(s.seed, Draws::fleet_scales, static_cast<std::uint32_t>(i));
    const auto& like = real[random.below(0, real.size())];
    devices[n_real + i] = generated(world, optima, like, basis, functions[i], static_cast<int>(i));
  });
}

FleetDevice Fleet::generated(const World& world, const Optima& optima, const FleetDevice& like,
                             const LatencyBasis& basis, Predictor standard, int number) const {
  const auto scale = scale_of(like.truth_ms, basis.reference(), basis.n_reference());
  const double fastest = std::max(optima.range(like.truth_ms).low, kLeastShare * scale.mean);
  const double mean = std::max(scale.mean, fastest - scale.deviation * optima.range(standard).low);
  FleetDevice device;
  device.name = "generated_" + std::to_string(number);
  device.truth_ms = in_ms(std::move(standard), mean, scale.deviation);
  device.limits_ms = limits_of(world, optima, device.truth_ms);
  device.errors_ = like.errors_;
  device.noise_ = random_stream(world.settings.seed, Draws::measurement_noise, 1'000'000 + number);
  return device;
}

}  // namespace oneproxy::scaling_up
