#include "experiments/kinds/scaling_up/contenders.h"

#include <chrono>
#include <cmath>

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

// One pass, and the best of several proposals.
void add_policy(std::vector<Contender>& all, const World& world, const Fold& fold, const std::string& name,
                const TrainingSet& set, const PolicyTrainSettings& training) {
  const auto [policy, seconds] = train_on(world, fold, set, training);
  all.push_back(of_policy(world, fold, name.empty() ? "one_pass" : name, 1, policy, seconds));
  for (const auto n : world.settings.proposals)
    all.push_back(of_policy(world, fold, (name.empty() ? "proposals" : name) + "_" + std::to_string(n),
                            static_cast<int>(n), policy, seconds));
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

TrainedPolicy train_on(const World& world, const Fold& fold, const TrainingSet& set,
                       const PolicyTrainSettings& training) {
  OptimizerSettings settings = world.settings.optimizer;
  settings.training = training;
  const auto begin = std::chrono::steady_clock::now();
  const auto saved = train_optimizer(*fold.sources, *fold.optima, world.settings.qualities, set, settings);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return {std::make_shared<const Policy>(policy_of(saved, world.space(), "task " + world.settings.name)), seconds};
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
  add_policy(all, world, fold, "", fold.set, training);
  if (world.settings.ablations) {
    auto independent = training;
    independent.autoregressive = false;
    add_policy(all, world, fold, "independent", fold.set, independent);
    auto data = world.settings.optimizer.data;
    data.devices = 0;  // the sources alone
    data.limits *= 8;
    data.preferences *= 8;
    data.seed = training.seed;
    TrainingSet real = make_training_set(*fold.basis, *fold.optima, static_cast<int>(world.qualities.size()), data);
    // The coordinates that targets have are those of the whole set.
    const auto functions = fold.basis->values(DeviceGenerator(*fold.basis).sources());
    const auto width = static_cast<std::size_t>(fold.basis->n_reference());
    real.latency = fold.set.latency;
    for (std::size_t i = 0; i < real.devices.size(); ++i)
      real.devices[i].coordinates = real.latency.of(std::span(functions).subspan(i * width, width)).coordinates;
    add_policy(all, world, fold, "sources_only", real, training);
  }
  for (const auto* method : {"evolutionary", "random"})
    for (const auto n : world.settings.evaluations) all.push_back(of_search(world, method, n));
  return all;
}

}  // namespace oneproxy::scaling_up
