#include "experiments/kinds/scaling_up/contenders.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "oneproxy/engine/optimizer/label_free.h"
#include "oneproxy/engine/search/method.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy::scaling_up {
namespace {

using Choices = std::vector<std::uint8_t>;

Contender of_policy(const World& world, const Fold& fold, const std::string& name, int proposals,
                    std::shared_ptr<const Policy> policy, double seconds) {
  return {name,
          [&world, &fold, proposals, policy = std::move(policy)](const Target& target, const OptimizerQuery& query,
                                                                 std::uint64_t seed) {
            const AskedDevice asked(policy->steps(), target.asked);
            return ask(*policy, asked, query, world.qualities[query.quality], fold.optima->spread(query.quality),
                       proposals, seed)
                .choices;
          },
          true, seconds};
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// A trained policy: its one pass, and the best of several proposals.
void add_policy(std::vector<Contender>& all, const World& world, const Fold& fold, const std::string& name,
                bool autoregressive, const std::function<PolicyTrainingResult()>& train) {
  const auto begin = std::chrono::steady_clock::now();
  const auto result = train();
  const double seconds = seconds_since(begin);
  const auto policy = trained_policy(world, fold, autoregressive, result);
  all.push_back(of_policy(world, fold, name.empty() ? "one_pass" : name, 1, policy, seconds));
  for (const auto n : world.settings.proposals)
    all.push_back(of_policy(world, fold, (name.empty() ? "proposals" : name) + "_" + std::to_string(n),
                            static_cast<int>(n), policy, seconds));
}

// The sources without any generated device, with as many queries, in the coordinates that the targets have.
TrainingSet sources_alone(const World& world, const Fold& fold, std::uint64_t seed) {
  auto data = world.settings.optimizer.data;
  const int more = std::max(1, data.devices / fold.basis->n_sources());
  data.devices = 0;
  data.limits *= more;
  data.preferences *= more;
  data.seed = seed;
  TrainingSet set = make_training_set(*fold.basis, *fold.optima, static_cast<int>(world.qualities.size()), data);
  const auto functions = fold.basis->values(DeviceGenerator(*fold.basis).sources());
  const auto width = static_cast<std::size_t>(fold.basis->n_reference());
  set.latency = fold.set.latency;
  for (std::size_t i = 0; i < set.devices.size(); ++i)
    set.devices[i].coordinates = set.latency.of(std::span(functions).subspan(i * width, width)).coordinates;
  return set;
}

// How much of the optimizer is in its parts: dependence of the decisions, labels, generated devices.
void add_ablations(std::vector<Contender>& all, const World& world, const Fold& fold,
                   const PolicyTrainSettings& training) {
  const int n_qualities = static_cast<int>(world.qualities.size());
  add_policy(all, world, fold, "independent", false, [&] {
    auto settings = training;
    settings.autoregressive = false;
    return train_policy(world.space(), fold.set.devices, fold.set.examples, n_qualities, false, settings);
  });
  add_policy(all, world, fold, "label_free", false, [&] {
    std::vector<double> spreads;
    for (int q = 0; q < n_qualities; ++q) spreads.push_back(fold.optima->spread(q));
    LabelFreeSettings settings;
    settings.training = training;
    settings.training.steps = std::min(training.steps, world.settings.label_free_steps);
    return train_label_free(world.space(), fold.set.devices, fold.set.examples, world.qualities, spreads, false,
                            settings);
  });
  add_policy(all, world, fold, "sources_only", true, [&] {
    const auto set = sources_alone(world, fold, training.seed);
    return train_policy(world.space(), set.devices, set.examples, n_qualities, false, training);
  });
}

// A method of search with a budget of evaluations, on the adapted predictor.
Contender of_search(const World& world, const std::string& method, std::int64_t evaluations) {
  return {method + "_" + std::to_string(evaluations),
          [&world, method, evaluations](const Target& target, const OptimizerQuery& query, std::uint64_t seed) {
            const SubSpace part(world.space());
            Objective latency{
                "latency", "adapted latency", "standard deviations", Direction::minimise, false, target.asked.latency,
                {}};
            latency.evaluate = [predictor = target.asked.latency](std::span<const std::uint8_t> choices,
                                                                  std::span<double> values) {
              predict(*predictor, choices, values);
            };
            const SearchProblem problem{part, &world.loaded->data, {world.qualities[query.quality], latency}};
            SearchQuestion question;
            question.limits = {{{std::nan(""), *query.limit}}};
            question.budget.evaluations = evaluations;
            question.seed = seed;
            auto keys = Config::defaults();
            Evaluator evaluator(problem, question);
            const auto found = search_method(method).read(keys)->search(evaluator);
            const auto* best = found.best_of(0);
            return best ? best->choices : Choices{};
          },
          false, 0};
}

}  // namespace

std::shared_ptr<const Policy> trained_policy(const World& world, const Fold& fold, bool autoregressive,
                                             const PolicyTrainingResult& result) {
  const PolicyInputs inputs{autoregressive, fold.set.latency.n_coordinates(), static_cast<int>(world.qualities.size()),
                            false};
  return std::make_shared<const Policy>(world.space(), inputs, result.shape, result.parameters);
}

std::vector<Contender> make_contenders(const World& world, const Fold& fold, int trial) {
  std::vector<Contender> all;
  all.push_back({"exact",
                 [&fold](const Target& target, const OptimizerQuery& query, std::uint64_t) {
                   const auto found = fold.optima->find(*target.asked.latency, nullptr, std::span(&query, 1), 1);
                   return found[0].empty() ? Choices{} : found[0][0].choices;
                 },
                 true, 0});
  auto training = world.settings.optimizer.training;
  training.seed = world.settings.seed + static_cast<std::uint64_t>(trial);
  add_policy(all, world, fold, "", true, [&] {
    return train_policy(world.space(), fold.set.devices, fold.set.examples, static_cast<int>(world.qualities.size()),
                        false, training);
  });
  if (world.settings.ablations) add_ablations(all, world, fold, training);
  for (const auto* method : {"evolutionary", "random"})
    for (const auto n : world.settings.evaluations) all.push_back(of_search(world, method, n));
  return all;
}

}  // namespace oneproxy::scaling_up
