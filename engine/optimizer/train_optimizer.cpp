#include "oneproxy/engine/optimizer/train_optimizer.h"

#include "oneproxy/engine/base/sha256.h"

namespace oneproxy {

SavedOptimizer train_optimizer(const Sources& sources, const Optima& optima, std::span<const std::string> qualities,
                               const TrainingSet& set, const OptimizerSettings& settings) {
  const SearchSpace& space = sources.features->space();
  const auto result = train_policy(space, set.devices, set.examples, static_cast<int>(qualities.size()),
                                   settings.data.energy, settings.training);
  SavedOptimizer saved;
  saved.space = space.name();
  saved.space_checksum = space.checksum();
  saved.radices.assign(space.radices().begin(), space.radices().end());
  saved.inputs.autoregressive = settings.training.autoregressive;
  saved.inputs.n_coordinates = set.latency.n_coordinates() + set.energy.n_coordinates();
  saved.inputs.n_qualities = static_cast<int>(qualities.size());
  saved.inputs.energy = settings.data.energy;
  saved.shape = result.shape;
  saved.parameters = result.parameters;
  saved.qualities.assign(qualities.begin(), qualities.end());
  for (std::size_t i = 0; i < qualities.size(); ++i) saved.spreads.push_back(optima.spread(static_cast<int>(i)));
  saved.sources = sources.names();
  saved.sources_checksum = checksum(sources.devices);
  saved.latency = set.latency;
  saved.energy = set.energy;
  saved.record = {{"devices", static_cast<std::int64_t>(set.devices.size())},
                  {"examples", static_cast<std::int64_t>(set.examples.size())},
                  {"steps", settings.training.steps},
                  {"seed", static_cast<std::int64_t>(settings.training.seed)}};
  if (!result.validation_loss.empty()) saved.record["validation_loss"] = result.validation_loss.back();
  return saved;
}

std::string checksum(std::span<const SourceDevice> sources) {
  std::vector<std::string> texts;
  for (const auto& source : sources) {
    texts.push_back(source.name);
    texts.push_back(sha256_of<std::uint8_t>(source.samples.choices));
    texts.push_back(sha256_of<double>(source.samples.values));
  }
  return sha256_of_texts(texts);
}

}  // namespace oneproxy
