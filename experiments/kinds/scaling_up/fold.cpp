#include "experiments/kinds/scaling_up/fold.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>

#include "experiments/kinds/lookup_trial.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy/kernels/rank/rank.h"

namespace oneproxy::scaling_up {
namespace {

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// The measurements themselves, where they are of every architecture.
std::optional<Predictor> measured_truth(const World& world, const Series& device) {
  const auto& space = world.space();
  const auto& data = world.loaded->data;
  if (world.features->physics().additive() || static_cast<ArchIndex>(device.n_known()) < space.size())
    return std::nullopt;
  std::vector<double> values(static_cast<std::size_t>(space.size()));
  for (std::int64_t i = 0; i < data.n(); ++i)
    values[static_cast<std::size_t>(space.index(data.rows().row(i)))] = device.values[i];
  return Tabulation(space, false).predictor(values, "ms");
}

std::vector<double> limits_of(const World& world, const Optima& optima, const Series& device, const Truth& truth) {
  const auto& s = world.settings;
  if (const auto own = s.limits_ms.find(device.name); own != s.limits_ms.end()) return own->second;
  std::vector<double> limits;
  const auto range = optima.range(truth.latency_ms);
  for (const double at : s.limits_at)
    limits.push_back(s.limits_of_range ? range.low + at * (range.high - range.low) : quantile(device.values, at));
  return limits;
}

}  // namespace

Predictor fitted_truth(const World& world, const Series& device) {
  const auto all = draw_source(world.loaded->data, device, 0, world.settings.seed, 0);
  return predictor_of(*world.features, fit_source(*world.features, all));
}

Predictor predictor_of(const ArchitectureFeatures& features, const SourcePredictor& fit) {
  const Tabulation tabulation(features.space(), features.physics().additive());
  return tabulation.predictor(
      [&](std::span<const std::uint8_t> choices) {
        auto values = fit.predict(features.rows(choices));
        for (double& value : values) value *= fit.median_ms;
        return values;
      },
      "ms");
}

std::unique_ptr<World> load_world(const Store& store, const Settings& settings) {
  auto world = std::make_unique<World>();
  const std::string place = "task " + settings.name + ": ";
  world->settings = settings;
  world->loaded =
      std::make_unique<SpaceData>(store, settings.space_reference, settings.set, settings.geometry, 0, settings.seed);
  const auto& data = world->loaded->data;
  world->features = std::make_shared<ArchitectureFeatures>(world->loaded->space);
  world->archs = std::make_unique<Architectures>(*world->features, data.rows().choices);
  const ObjectiveSources where{world->space(), &data, store.path(), "", Backend::cpu};
  for (const auto& what : settings.qualities)
    world->qualities.push_back(make_objective(where, what, place + "qualities", Direction::maximise));
  world->sources = data.expand(settings.sources, place + "sources");
  return world;
}

std::unique_ptr<World> open_world(const Store& store, const Settings& settings) {
  auto world = load_world(store, settings);
  const auto& data = world->loaded->data;
  const std::string place = "task " + settings.name + ": ";
  for (const auto& group : settings.held_out) world->held_out.push_back(data.expand(group, place + "devices"));
  if (world->held_out.empty())
    for (const auto& name : world->sources) world->held_out.push_back({name});
  for (const auto& [name, limits] : settings.limits_ms) data.device(name);  // Error: unknown
  for (const auto& group : world->held_out) {
    const std::set<std::string> out(group.begin(), group.end());
    const auto left = std::count_if(world->sources.begin(), world->sources.end(),
                                    [&](const std::string& name) { return !out.contains(name); });
    if (left < static_cast<std::ptrdiff_t>(kMinFleetSources))
      throw Error(place + "without " + group.front() + " and what is held out with it " + std::to_string(left) +
                  " sources are left; an optimizer needs at least " + std::to_string(kMinFleetSources));
  }
  return world;
}

Fold learn_fold(const World& world, const std::vector<std::string>& held_out, int trial) {
  const auto& s = world.settings;
  const auto& data = world.loaded->data;
  const std::set<std::string> out(held_out.begin(), held_out.end());
  std::vector<SourceDevice> devices;
  for (const auto& name : world.sources)
    if (!out.contains(name))
      devices.push_back(draw_source(data, data.device(name), s.samples_source, s.seed,
                                    static_cast<std::uint32_t>(trial * 1000 + std::ssize(devices))));
  Fold fold;
  fold.sources = std::make_unique<Sources>(world.features, std::move(devices));
  fold.basis = std::make_unique<LatencyBasis>(*fold.sources);
  fold.optima = make_optima(world.space(), world.qualities, world.features->reference_choices());
  return fold;
}

void make_examples(const World& world, int trial, Fold& fold) {
  const auto& s = world.settings;
  const auto begin = std::chrono::steady_clock::now();
  auto settings = s.optimizer.data;
  settings.seed = s.seed + static_cast<std::uint64_t>(trial);
  settings.keep_tables = s.ablations;  // the training without labels asks for them
  fold.set = make_training_set(*fold.basis, *fold.optima, static_cast<int>(world.qualities.size()), settings);
  fold.examples_seconds = seconds_since(begin);
}

Fold make_fold(const World& world, const std::vector<std::string>& held_out, int trial) {
  const auto& s = world.settings;
  const auto& data = world.loaded->data;
  Fold fold = learn_fold(world, held_out, trial);
  make_examples(world, trial, fold);
  const auto& method = s.method.settings();
  const auto learned = method.learn(*fold.sources, s.seed);
  const LookupTrial look(*world.archs, *fold.sources, method, learned, {}, s.seed, trial);
  const auto order = look.measuring_order(s.samples_target);
  fold.targets.resize(held_out.size());
  parallel_for(std::ssize(held_out), [&](std::int64_t i) {
    check_interrupt();
    auto& target = fold.targets[i];
    const Series device = data.device(held_out[i]);
    const auto adapted = look.adapt(device, order, s.samples_target);
    target.name = device.name;
    target.adapted = adapted.predictor->predictor();
    target.srcc = spearman(adapted.latency_ms, device.values, Backend::cpu).value;
    target.device = fold.set.latency.of(target.adapted);
    target.asked.coordinates = target.device.coordinates;
    target.asked.latency = std::make_shared<const Predictor>(
        in_standard_units(target.adapted, target.device.mean, target.device.deviation));
    target.truths.push_back({"fitted", fitted_truth(world, device)});
    if (auto measured = measured_truth(world, device)) target.truths.push_back({"measured", std::move(*measured)});
    target.limits_ms = limits_of(world, *fold.optima, device, target.truths.front());
  });
  return fold;
}

}  // namespace oneproxy::scaling_up
