#include "oneproxy/engine/search/kernel_problem.h"

#include <cmath>
#include <limits>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

void negate(std::vector<double>& values) {
  for (double& value : values) value = -value;
}

void change_sign(AdditivePredictor& table) {
  negate(table.weights);
  negate(table.bias);
}
void change_sign(MlpPredictor& mlp) {  // of the score; where it is a logarithm, of that
  mlp.output_offset = -mlp.output_offset;
  mlp.output_scale = -mlp.output_scale;
}
void change_sign(IndexTable& table) { negate(table.values); }

// The kernels maximise the goal and minimise the others.
bool sign_changes(const SearchProblem& problem, std::size_t objective) {
  return problem.objectives[objective].maximised() != (objective == 0);
}

}  // namespace

KernelProblem::KernelProblem(const SearchProblem& problem, const SubSpace& part) : problem_(problem), part_(part) {
  ONEPROXY_ASSERT(problem.covers_space());
  const std::size_t m = problem.objectives.size();
  owners_.resize(m);
  models_.resize(m);
  for (std::size_t i = 0; i < m; ++i) {
    Predictor model = *problem.objectives[i].model;
    if (sign_changes(problem, i)) std::visit([](auto& own) { change_sign(own); }, model);
    owners_[i] = std::make_unique<PredictorKernel>(model, part);
    models_[model_of(i)] = owners_[i]->view();
  }
}

double KernelProblem::score_limit(const Limits& limits, std::size_t objective) const {
  const double bound = limits.bounds[objective];
  if (std::isnan(bound)) return std::numeric_limits<double>::infinity();
  const double score = score_of_value(*problem_.objectives[objective].model, bound);
  return problem_.objectives[objective].maximised() ? -score : score;
}

ReductionSettings KernelProblem::reduction(const Scorer& scorer, std::span<const Limits> limits, bool front,
                                           int n_best) const {
  ReductionSettings settings;
  const bool three = models_.size() > 2;
  settings.front = front;
  settings.best = n_best;
  settings.third = three ? 2 : -1;
  if (n_best > 0)
    for (const auto& one : limits) {
      settings.limits.push_back(score_limit(one, 1));
      if (three) settings.third_limits.push_back(score_limit(one, 2));
    }
  settings.latency_margin = scorer.error_bound(0);
  settings.quality_margin = scorer.error_bound(1);
  if (three) settings.third_margin = scorer.error_bound(2);
  return settings;
}

}  // namespace oneproxy
