#include "oneproxy/engine/optimizer/optimizer.h"

#include <cmath>

#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/predictor/tabulation.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

// What a predictor is for the network's steps: a table.
Predictor as_table(const Predictor& predictor, const SearchSpace& space) {
  if (!std::holds_alternative<MlpPredictor>(predictor)) return predictor;
  if (space.size() > kIndexTableMost || !space.stages().empty())
    throw Error("the device's predictor is a network; on " + space.name() +
                ", of which no table of all architectures can be made, the optimizer needs a table of weights "
                "(`oneproxy adapt`, or a look-up table)");
  return Tabulation(space, false)
      .predictor(
          [&](std::span<const std::uint8_t> choices) {
            std::vector<double> values(choices.size() / space.n_decisions());
            predict(predictor, choices, values);
            return values;
          },
          "ms");
}

std::shared_ptr<const Predictor> scaled(const Predictor& table, const DeviceCoordinates::Device& scale) {
  return std::make_shared<const Predictor>(in_standard_units(table, scale.mean, scale.deviation));
}

}  // namespace

Optimizer::Optimizer(SavedOptimizer saved, const SearchSpace& space, std::vector<Objective> qualities,
                     const std::string& where)
    : space_(space),
      saved_(std::move(saved)),
      qualities_(std::move(qualities)),
      policy_(policy_of(saved_, space, where)) {
  if (qualities_.size() != saved_.qualities.size())
    throw Error(where + ": the optimizer was trained for so many qualities: " +
                std::to_string(saved_.qualities.size()) + "; given are " + std::to_string(qualities_.size()));
}

Optimizer::Device Optimizer::device(const Predictor& latency, const Predictor* energy) const {
  if (saved_.inputs.energy != (energy != nullptr))
    throw Error(energy ? "an energy is given, but the optimizer was trained without; leave it out"
                       : "the optimizer weighs an energy, too; give the device's energy as a second predictor");
  std::visit([&](const auto& one) { check_predictor(one, space_, "the device's predictor"); }, latency);
  const Predictor latency_table = as_table(latency, space_);
  const auto of_latency = saved_.latency.of(latency_table);
  OptimizerDevice asked{of_latency.coordinates, scaled(latency_table, of_latency), nullptr};
  DeviceCoordinates::Device of_energy;
  if (energy) {
    std::visit([&](const auto& one) { check_predictor(one, space_, "the device's energy"); }, *energy);
    const Predictor energy_table = as_table(*energy, space_);
    of_energy = saved_.energy.of(energy_table);
    asked.energy = scaled(energy_table, of_energy);
    asked.coordinates.insert(asked.coordinates.end(), of_energy.coordinates.begin(), of_energy.coordinates.end());
  }
  std::string remark;
  if (saved_.latency.is_far(of_latency))
    remark = "far from all devices that the optimizer was trained on: distance " + fixed(of_latency.distance, 1) +
             " (at most " + fixed(saved_.latency.farthest, 1) + " there), " + fixed(100 * of_latency.outside, 0) +
             " % of what is its own is unlike any of them (at most " + fixed(100 * saved_.latency.most_outside, 0) +
             " %); trust what the predictor says of the answers, and look at more proposals";
  return {AskedDevice(policy_.steps(), std::move(asked)), of_latency, of_energy, std::move(remark)};
}

OptimizerQuery Optimizer::query_of(const Device& device, const Question& question) const {
  OptimizerQuery query{question.quality, std::nullopt, question.preference};
  if (question.limit) {
    if (std::isnan(*question.limit)) throw Error("the limit is not a number; give one, or a preference instead");
    query.limit = device.latency.limit(*question.limit);
    const auto& cheapest = device.asked.costs.latency->cheapest();
    if (cheapest.value > *query.limit)
      throw Error("the limit " + brief(*question.limit) + " is below the device's cheapest architecture, " +
                  space_.to_string(cheapest.choices) + " with " +
                  brief(device.latency.mean + device.latency.deviation * cheapest.value) + "; raise the limit");
  }
  check_query(query, static_cast<int>(qualities_.size()), saved_.inputs.energy);
  if (!query.limit) {
    const double total = query.preference[0] + query.preference[1] + query.preference[2];
    for (double& weight : query.preference) weight /= total;
  }
  return query;
}

Optimizer::Answer Optimizer::answer(const Device& device, const Question& question) const {
  const auto query = query_of(device, question);
  const auto found = ask(policy_, device.asked, query, qualities_[query.quality], saved_.spreads[query.quality],
                         question.proposals, question.seed);
  return {found.choices, found.quality, device.latency.mean + device.latency.deviation * found.latency,
          device.energy.mean + device.energy.deviation * found.energy, found.n_proposals};
}

std::vector<std::vector<std::uint8_t>> Optimizer::propose(const Device& device, const Question& question) const {
  std::vector<std::vector<std::uint8_t>> all;
  for (auto& one : policy_.propose(device.asked.device, device.asked.costs, query_of(device, question),
                                   question.proposals, question.seed))
    all.push_back(std::move(one.choices));
  return all;
}

}  // namespace oneproxy
