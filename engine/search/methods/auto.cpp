#include "oneproxy/engine/search/methods/auto.h"

#include <algorithm>
#include <map>

#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/search/methods/annealing.h"
#include "oneproxy/engine/search/methods/coordinate_descent.h"
#include "oneproxy/engine/search/methods/evolutionary.h"
#include "oneproxy/engine/search/methods/exact.h"
#include "oneproxy/engine/search/methods/exhaustive.h"
#include "oneproxy/engine/search/methods/from_starts.h"

namespace oneproxy {
namespace {

class AutoSearch : public SearchMethod {
 public:
  explicit AutoSearch(std::map<std::string, std::unique_ptr<SearchMethod>> methods) : methods_(std::move(methods)) {}

  SearchResult search(Evaluator& evaluator) const override {
    const std::string name = suitable_method(evaluator.problem(), evaluator.question());
    std::string why = name;
    if (name == "exact") why += ", all objectives add up over decisions";
    if (name == "from_starts") why += ", no exact search can run, and an optimizer proposes where to begin";
    if (name == "exhaustive") why += ", all " + to_decimal(exhaustive_size(evaluator.problem())) + " architectures";
    if (name != "from_starts" && !evaluator.question().starts.empty())
      why += ", which needs no proposals of an optimizer";
    log_info("method auto: " + why);
    SearchResult found = methods_.at(name)->search(evaluator);
    found.certainty += " (auto: " + name + ")";
    return found;
  }

 private:
  std::map<std::string, std::unique_ptr<SearchMethod>> methods_;
};

// So many architectures are all looked at.
std::uint64_t most_exhaustive(const SearchProblem& problem, const SearchBudget& budget) {
  const auto evaluations = static_cast<std::uint64_t>(budget.evaluations);
  if (!problem.is_computed()) return evaluations > 0 ? std::min(evaluations, kQuick) : kQuick;
  if (budget.seconds > 0) return 0;  // a function may be slow, and exhaustive does not look at the clock
  return evaluations > 0 ? std::min(evaluations, kMaxComputed) : kQuickComputed;
}

}  // namespace

std::string suitable_method(const SearchProblem& problem, const SearchQuestion& question) {
  const bool several_of_three = problem.objectives.size() > 2 && question.n_best > 1;  // which exact search has not
  if (adds_up(problem) && !several_of_three) return "exact";
  if (exhaustive_size(problem) <= most_exhaustive(problem, question.budget)) return "exhaustive";
  const auto n_limits = static_cast<std::int64_t>(question.limits.size());
  const bool has_budget = question.budget.evaluations > 0 || question.budget.seconds > 0;
  const bool few = question.budget.evaluations > 0 && question.budget.evaluations <= kFewEvaluations * n_limits;
  // Proposals are worth most where little may be evaluated (docs/scaling_up.md).
  if (!question.starts.empty() && (few || !has_budget)) return "from_starts";
  if (few) return "coordinate_descent";
  return problem.has_kernels() ? "annealing" : "evolutionary";
}

SearchMethodKind auto_method() {
  return {"auto",
          "exact or exhaustive where that is quick, from_starts or coordinate_descent for few evaluations, else "
          "annealing or "
          "evolutionary",
          false,
          true,
          true,
          [](Config& config) {
            std::map<std::string, std::unique_ptr<SearchMethod>> methods;
            for (const auto& kind : {exact_method(), exhaustive_method(), annealing_method(),
                                     coordinate_descent_method(), evolutionary_method(), from_starts_method()})
              methods[kind.name] = kind.read(config);
            return std::make_unique<AutoSearch>(std::move(methods));
          }};
}

}  // namespace oneproxy
