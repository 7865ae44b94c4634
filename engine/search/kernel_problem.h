#pragma once
// A problem as the scoring kernels see it over a part of its space: quality maximised, latency and a third objective
// minimised (kernels/front/reduction.h). Objectives of the other direction have their sign changed, which is exact.
#include <memory>
#include <span>
#include <vector>

#include "oneproxy/engine/predictor/predictor.h"
#include "oneproxy/engine/search/problem.h"
#include "oneproxy/kernels/front/reduction.h"
#include "oneproxy/kernels/score/scorer.h"

namespace oneproxy {

class KernelProblem {
 public:
  // Error where the kernels can not run an objective. `part` is that of the problem or a part of it; both outlive this
  // object.
  KernelProblem(const SearchProblem& problem, const SubSpace& part);

  DigitCode code() const { return part_.code(); }
  std::span<const ScoreFunction> models() const { return models_; }  // [n_objectives]: latency, quality[, third]
  // Which of the models is objective i: the goal is the quality.
  static int model_of(std::size_t objective) { return objective == 0 ? 1 : objective == 1 ? 0 : 2; }
  const ScoreFunction& model(std::size_t objective) const { return models_[model_of(objective)]; }
  // The largest score that a limit allows (of the goal: minus the smallest); infinite where there is none.
  double score_limit(const Limits& limits, std::size_t objective) const;

  // For Scorer::reduce of these models: roles, margins, limits for `n_best` (0: the front alone).
  ReductionSettings reduction(const Scorer& scorer, std::span<const Limits> limits, bool front, int n_best) const;

 private:
  const SearchProblem& problem_;
  const SubSpace& part_;
  std::vector<std::unique_ptr<PredictorKernel>> owners_;
  std::vector<ScoreFunction> models_;
};

}  // namespace oneproxy
