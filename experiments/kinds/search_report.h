#pragma once
// What a search leaves behind: summary, report and arrays.
#include <map>
#include <optional>
#include <vector>

#include "experiments/experiment.h"
#include "oneproxy/engine/search/exchange.h"
#include "oneproxy/engine/search/method.h"

namespace oneproxy {

struct SearchOutcome {
  std::string method;
  SearchResult result;
  std::optional<SearchResult> truth;         // exhaustive, where the method proves nothing and the space is small
  std::vector<ExchangeResult> certificates;  // [limits]; empty where none was asked for
  // Of limits that provably nothing keeps: which two of them contradict each other.
  std::map<std::size_t, std::string> contradictions;
  double confidence = 0;  // with which the limits hold; 0: by predicted values
};

// Summary, where N is the limits' text and R the place of a solution ("" for the best one, ".2", ".3", ...):
// OBJECTIVE.N R and arch.N R; exhaustive_OBJECTIVE.N and regret.N of the goal; hypervolume of the front, up to
// hypervolume_reference.OBJECTIVE: the worst of each objective on the true front where it is known (hv_ratio is then
// the share of the true front's), else on the front itself. Arrays: front/OBJECTIVE [n], front/choices,
// exhaustive_front/... alike; best/{limit,place,choices,architecture,OBJECTIVE,OBJECTIVE_limit}, a row a solution
// within limits (OBJECTIVE_limit is NaN where it has none). Attribute `searched`: what was looked at, in words. Of an
// objective with a posterior besides, summary: OBJECTIVE_deviation.N R of one measurement, OBJECTIVE_probability.N R
// that it keeps its limit (not where it has none), confidence and confidence_devices, from which that is known (0:
// stated, not learnt). Arrays: front/OBJECTIVE_deviation, best/OBJECTIVE_deviation, best/OBJECTIVE_probability.
// objectives/{name,label,unit,direction} [n_objectives], the goal first.
void write_search(Workspace& work, const Evaluator& evaluator, const SearchOutcome& outcome);

}  // namespace oneproxy
