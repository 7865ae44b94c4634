#include "oneproxy/engine/optimizer/proposals.h"

#include <cmath>

#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/optimizer/optimizer.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

std::vector<std::vector<std::vector<std::uint8_t>>> proposals_for(const SearchProblem& problem,
                                                                  std::span<const Limits> limits,
                                                                  const SavedOptimizer& saved,
                                                                  const std::string& quality, int n, std::uint64_t seed,
                                                                  const std::string& where) {
  const Objective& latency = problem.objectives[1];
  if (problem.objectives.size() != 2 || latency.maximised() || !latency.model)
    throw Error(where +
                ": an optimizer proposes architectures for a quality and a latency that is to be minimised and "
                "has a predictor (table:, predictor:, proxy:); this search has others");
  const Optimizer optimizer(saved, problem.part.space(), std::vector(saved.qualities.size(), problem.goal()), where);
  Optimizer::Question question;
  if (!quality.empty())
    question.quality = quality_index(saved.qualities, quality, where);
  else if (saved.qualities.size() > 1)
    throw Error(where + ": the optimizer was trained for " + join(saved.qualities) + "; say which of them is meant");
  question.proposals = n;
  const auto device = optimizer.device(*latency.model);
  std::vector<std::vector<std::vector<std::uint8_t>>> all;
  for (const auto& one : limits) {
    check_interrupt();
    if (std::isnan(one.bounds[1]) || !std::isnan(one.bounds[0]))
      throw Error(where +
                  ": an optimizer is asked for a limit on the latency alone; give one, and none on the quality");
    question.limit = one.bounds[1];
    question.seed = seed + all.size();
    all.push_back(optimizer.propose(device, question));
  }
  return all;
}

}  // namespace oneproxy
