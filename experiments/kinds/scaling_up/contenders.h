#pragma once
// Who answers the queries about a held-out device, all with the same adapted predictor: exact search on it, the neural
// optimizer in its forms, and the searches of the field with few evaluations.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "experiments/kinds/scaling_up/fold.h"

namespace oneproxy::scaling_up {

struct Contender {
  std::string name;  // in summaries: "exact", "one_pass", "proposals_10", "evolutionary_100", ...
  // choices [n_decisions], empty where it finds nothing; the limit of the query is in standard units.
  std::function<std::vector<std::uint8_t>(const Target& target, const OptimizerQuery& query, std::uint64_t seed)>
      answer;
  bool takes_preferences = true;
  double training_seconds = 0;
};

// From a training on the fold's examples.
std::shared_ptr<const Policy> trained_policy(const World& world, const Fold& fold, bool autoregressive,
                                             const PolicyTrainingResult& result);

// Trains what has to be trained. They refer to the world and the fold.
std::vector<Contender> make_contenders(const World& world, const Fold& fold, int trial);

}  // namespace oneproxy::scaling_up
