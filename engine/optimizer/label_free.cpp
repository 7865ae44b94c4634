#include "oneproxy/engine/optimizer/label_free.h"

#include <algorithm>
#include <cmath>

#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/sha256.h"
#include "oneproxy/engine/optimizer/context_scale.h"
#include "oneproxy/engine/optimizer/expected_value.h"
#include "oneproxy/engine/optimizer/policy_loss.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"

namespace oneproxy {
namespace {

// A quality over every architecture of a small space.
IndexTable table_of(const SearchSpace& space, const Objective& quality) {
  IndexTable table{space.name(), {space.radices().begin(), space.radices().end()}, quality.label, quality.unit, {}, {}};
  std::vector<std::uint8_t> all;
  for (ArchIndex i = 0; i < space.size(); ++i) {
    const auto one = space.choices(i);
    all.insert(all.end(), one.begin(), one.end());
  }
  table.values.resize(static_cast<std::size_t>(space.size()));
  quality.evaluate(all, table.values);
  double least = std::numeric_limits<double>::infinity();
  for (const double value : table.values)
    if (std::isfinite(value)) least = std::min(least, value);
  if (std::isinf(least)) throw Error(quality.label + ": not known of any architecture of the space; take another");
  for (double& value : table.values)
    if (!std::isfinite(value)) value = least;
  return table;
}

std::vector<Predictor> models_of(const SearchSpace& space, std::span<const Objective> qualities, bool tables) {
  std::vector<Predictor> models;
  for (const auto& quality : qualities) {
    if (!quality.maximised()) throw Error(quality.label + " is to be minimised; an optimizer maximises a quality");
    if (tables) {
      models.push_back(table_of(space, quality));
    } else {
      if (!quality.model || !std::holds_alternative<AdditivePredictor>(*quality.model))
        throw Error(quality.label + " does not add up over decisions, so that its expectation has no closed form in " +
                    space.name() + "; take one that does, or train on labels");
      models.push_back(*quality.model);
    }
  }
  return models;
}

// Whether all devices have tables; Error where they have not all the same kind.
bool have_tables(std::span<const OptimizerDevice> devices, bool energy) {
  const auto& first = devices[0].latency;
  const bool tables = first && std::holds_alternative<IndexTable>(*first);
  for (std::size_t d = 0; d < devices.size(); ++d)
    for (const auto* predictor : {&devices[d].latency, energy ? &devices[d].energy : &devices[d].latency}) {
      const bool fits = *predictor && (tables ? std::holds_alternative<IndexTable>(**predictor)
                                              : std::holds_alternative<AdditivePredictor>(**predictor));
      if (!fits)
        throw Error("training without labels: device " + std::to_string(d) + " has no " +
                    (tables ? "table of every architecture" : "table of its decisions") +
                    "; give every device its predictors (keep_tables)");
    }
  return tables;
}

}  // namespace

double label_free_loss(const StageRules& rules, int n_choices, const OptimizerQuery& query, const Predictor& quality,
                       double spread, const Predictor& latency, const Predictor* energy, double penalty,
                       std::span<const double> probabilities, std::span<double> by) {
  const double of_quality = (query.limit ? 1 : query.preference[0]) / spread;
  const double of_latency = query.limit ? penalty : query.preference[1];
  const double of_energy = query.limit || !energy ? 0 : query.preference[2];
  if (const auto* table = std::get_if<IndexTable>(&latency)) {
    const auto& qualities = std::get<IndexTable>(quality).values;
    const double limit = query.limit.value_or(0);
    std::vector<double> losses(table->values.size());
    for (std::size_t i = 0; i < losses.size(); ++i) {
      const double cost = query.limit ? std::max(0.0, table->values[i] - limit) : table->values[i];
      losses[i] = of_latency * cost - of_quality * qualities[i];
    }
    if (of_energy > 0) {
      const auto& energies = std::get<IndexTable>(*energy).values;
      for (std::size_t i = 0; i < losses.size(); ++i) losses[i] += of_energy * energies[i];
    }
    return expected_table(rules, n_choices, losses, probabilities, by);
  }
  double loss = 0;
  std::vector<double> total(by.size(), 0.0);
  const auto add = [&](double factor, const Predictor& predictor, double offset) {
    const double value =
        expected_sum(rules, n_choices, std::get<AdditivePredictor>(predictor), probabilities, by) - offset;
    if (query.limit && &predictor == &latency && value <= 0) return;  // no excess
    loss += factor * value;
    for (std::size_t i = 0; i < total.size(); ++i) total[i] += factor * by[i];
  };
  add(-of_quality, quality, 0);
  add(of_latency, latency, query.limit.value_or(0));
  if (of_energy > 0) add(of_energy, *energy, 0);
  std::copy(total.begin(), total.end(), by.begin());
  return loss;
}

PolicyTrainingResult train_label_free(const SearchSpace& space, std::span<const OptimizerDevice> devices,
                                      std::span<const TrainingExample> examples, std::span<const Objective> qualities,
                                      std::span<const double> spreads, bool energy, const LabelFreeSettings& settings) {
  PolicyTrainSettings training = settings.training;
  training.autoregressive = false;
  check_training(training, devices, examples);
  if (!(settings.penalty > 0) || !std::isfinite(settings.penalty))
    throw Error("training the optimizer: penalty = " + plain(settings.penalty) + " should be a number above 0");
  ONEPROXY_ASSERT(spreads.size() == qualities.size());
  const bool tables = have_tables(devices, energy);
  const auto models = models_of(space, qualities, tables);
  const PolicySteps steps(
      space, {false, static_cast<int>(devices[0].coordinates.size()), static_cast<int>(qualities.size()), energy});
  default_widths(steps, training);
  const ContextScale scale(steps, devices, examples);
  const ExampleSplit split = split_examples(training, std::ssize(devices), examples);
  std::string identity;
  if (!training.checkpoint.empty()) {
    identity = "label-free 1\n" + space.checksum() + plain(settings.penalty);
    for (const auto& model : models) std::visit([&](const auto& m) { identity += checksum(m); }, model);
    identity = sha256_hex(identity + sha256_of(spreads) + training_identity(steps, training, devices, examples, true));
  }

  const std::size_t width = steps.n_choices(), n_steps = steps.n_decisions();
  std::vector<Opening> open(n_steps * width, Opening::closed);  // while no stage is closed
  for (std::size_t d = 0; d < n_steps; ++d)
    for (int c = 0; c < steps.rules().radices()[d]; ++c)
      if (steps.rules().open(static_cast<int>(d), false, c)) open[d * width + c] = Opening::open;
  std::vector<std::int64_t> batch_rows;
  const auto loss_of_row = [&](const TrainingExample& example, std::span<const double> logits, std::span<double> by) {
    std::vector<double> probabilities(logits.size()), by_probabilities(logits.size());
    for (std::size_t d = 0; d < n_steps; ++d)
      open_softmax(logits.subspan(d * width, width), std::span(open).subspan(d * width, width),
                   std::span(probabilities).subspan(d * width, width));
    const auto& device = devices[example.device];
    const int quality = example.query.quality;
    const double loss = label_free_loss(steps.rules(), steps.n_choices(), example.query, models[quality],
                                        spreads[quality], *device.latency, energy ? device.energy.get() : nullptr,
                                        settings.penalty, probabilities, by_probabilities);
    for (std::size_t d = 0; d < n_steps; ++d) {
      double mean = 0;
      for (std::size_t i = d * width; i < (d + 1) * width; ++i) mean += probabilities[i] * by_probabilities[i];
      for (std::size_t i = d * width; i < (d + 1) * width; ++i) by[i] = probabilities[i] * (by_probabilities[i] - mean);
    }
    return loss;
  };
  auto result =
      train_in_steps(steps, training, split, identity,
                     [&](std::span<const std::int64_t> rows, std::span<const double>, PolicyBatch& batch) -> LogitLoss {
                       const std::size_t n_context = steps.n_context();
                       batch.context.resize(rows.size() * n_context);
                       for (std::size_t i = 0; i < rows.size(); ++i)
                         scale.write(examples[rows[i]], std::span(batch.context).subspan(i * n_context, n_context));
                       batch_rows.assign(rows.begin(), rows.end());
                       return [&](std::span<const double> logits, std::span<double> by_logits) {
                         const std::size_t n = batch_rows.size(), size = n_steps * width;
                         std::vector<double> losses(n);
                         parallel_for(static_cast<std::int64_t>(n), [&](std::int64_t i) {
                           const auto by = by_logits.subspan(i * size, size);
                           losses[i] = loss_of_row(examples[batch_rows[i]], logits.subspan(i * size, size), by);
                           for (double& b : by) b /= static_cast<double>(n);
                         });
                         double sum = 0;
                         for (const double loss : losses) sum += loss;
                         return sum / static_cast<double>(n);
                       };
                     });
  result.parameters = scale.folded(result.shape, std::move(result.parameters));
  return result;
}

}  // namespace oneproxy
