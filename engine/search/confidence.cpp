#include "oneproxy/engine/search/confidence.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr int kTurns = 8, kTurnsOnABudget = 2;  // searches for each of the limits
constexpr int kUntilDrawnIn = 4;                // turns with the limit itself

using Factors = std::vector<AdditivePredictor>;

double sign_of(const Objective& objective) { return objective.maximised() ? -1 : 1; }

// Which objectives have limits that a confidence can be asked for.
std::vector<std::size_t> uncertain(const SearchProblem& problem, std::span<const Limits> limits) {
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < problem.objectives.size(); ++i)
    if (problem.objectives[i].posterior &&
        std::any_of(limits.begin(), limits.end(), [&](const Limits& one) { return !std::isnan(one.bounds[i]); }))
      all.push_back(i);
  if (!all.empty()) return all;
  const Objective& limited = problem.objectives[1];
  throw Error("confidence: nothing is known of the errors of " + limited.label +
              "; a table of an adaptation by method bayes, saved to a file, says them (one of an older program "
              "does not: adapt again), and its objective needs a limit");
}

// A bound in three digits, rounded up: it stays a bound.
std::string at_most(double gap) { return brief(1.005 * gap); }

// The problem and its limits at one confidence.
class ConfidentSearch {
 public:
  ConfidentSearch(const SearchMethod& method, Evaluator& evaluator, double confidence)
      : method_(method), evaluator_(evaluator), problem_(evaluator.problem()), confidence_(confidence) {
    for (const auto i : uncertain(problem_, evaluator.limits())) {
      uncertain_.push_back(i);
      spreads_.push_back(problem_.objectives[i].posterior->calibration.spreads(confidence));
    }
  }

  SearchResult run() {
    SearchResult result = method_.search(evaluator_);
    if (!problem_.has_kernels()) {
      result.best = by_definition();
      result.certainty += "; limits with confidence " + plain(confidence_);
      return result;
    }
    proves_ = result.certainty.starts_with("exact");
    std::string gaps;
    for (std::size_t l = 0; l < result.best.size(); ++l) {
      const double gap = by_turns(l, result);
      if (gap > 0) gaps += (gaps.empty() ? "" : ", ") + at_most(gap) + " (limit " + evaluator_.limits()[l].text() + ")";
    }
    const std::string with = "limits with confidence " + plain(confidence_);
    if (!proves_)
      result.certainty += "; " + with + ", not proven";
    else if (gaps.empty())
      result.certainty += "; so are the " + with;
    else
      result.certainty = "certified: within " + with + " the goal can be better by at most " + gaps +
                         "; the front is " + result.certainty;
    return result;
  }

 private:
  std::vector<double> confident(std::size_t which, std::span<const std::uint8_t> choices,
                                std::span<const double> values) const {
    return confident_values(problem_.objectives[uncertain_[which]], confidence_, choices, values);
  }

  bool keeps(const Solution& solution, const Limits& limits) const {
    auto values = solution.values;
    for (std::size_t u = 0; u < uncertain_.size(); ++u)
      values[uncertain_[u]] = confident(u, solution.choices, std::span(&values[uncertain_[u]], 1))[0];
    return limits.allow(problem_, values);
  }

  // Every architecture by what it stays within.
  std::vector<std::vector<Solution>> by_definition() {
    SearchProblem bounded = problem_;
    for (std::size_t u = 0; u < uncertain_.size(); ++u)
      bounded.objectives[uncertain_[u]].evaluate = [this, u](std::span<const std::uint8_t> choices,
                                                             std::span<double> values) {
        problem_.objectives[uncertain_[u]].evaluate(choices, values);
        const auto own = confident(u, choices, values);
        std::copy(own.begin(), own.end(), values.begin());
      };
    auto found = asked(bounded, evaluator_.question().limits, evaluator_.question().starts);
    for (auto& best : found.best)
      for (auto& solution : best) solution = solve(problem_, solution.choices).front();
    return std::move(found.best);
  }

  SearchResult asked(const SearchProblem& problem, std::vector<Limits> limits,
                     std::vector<std::vector<std::vector<std::uint8_t>>> starts) {
    check_interrupt();
    SearchQuestion question = evaluator_.question();
    question.limits = std::move(limits);
    question.starts = std::move(starts);
    question.sharing = {};
    Evaluator own(problem, std::move(question));
    auto found = method_.search(own);
    evaluator_.count_untracked(own.n_evaluated());
    return found;
  }

  // value + z <u, (factors, noise)> with u along the vector of an architecture.
  AdditivePredictor turned(std::size_t which, const Solution& towards) const {
    const Objective& objective = problem_.objectives[uncertain_[which]];
    const Posterior& posterior = *objective.posterior;
    const auto* value = std::get_if<AdditivePredictor>(objective.model.get());
    const auto* factors = std::get_if<Factors>(&posterior.deviation);
    if (!value || !factors) throw Error("confidence: the posterior of " + objective.label + " is of another kind");
    const double predicted = towards.values[uncertain_[which]];
    double spread = 0;
    posterior.spreads(towards.choices, std::span(&predicted, 1), std::span(&spread, 1));
    AdditivePredictor sum = *value;
    if (!(spread > 0)) return sum;
    const double z = sign_of(objective) * spreads_[which];
    const auto& noise = posterior.noise;
    const double floor = noise.deviation * MeasurementNoise::kFloor, slope = noise.deviation / noise.typical;
    const double along_value = z * slope * (slope * predicted / spread);
    for (double& weight : sum.weights) weight *= 1 + along_value;
    for (double& bias : sum.bias) bias = bias * (1 + along_value) + z * floor * (floor / spread);
    for (const auto& factor : *factors) {
      double own = 0;
      factor.predict(towards.choices, std::span(&own, 1));
      const double along = z * own / spread;
      for (std::size_t i = 0; i < sum.weights.size(); ++i) sum.weights[i] += along * factor.weights[i];
      for (std::size_t t = 0; t < sum.bias.size(); ++t) sum.bias[t] += along * factor.bias[t];
    }
    return sum;
  }

  // Replaces the best of limits l; returns how much better than that others may be, 0 where none is.
  double by_turns(std::size_t l, SearchResult& result) {
    const Limits& limits = evaluator_.limits()[l];
    const auto n_best = static_cast<std::size_t>(evaluator_.question().n_best);
    std::vector<Solution> pool = result.front;  // what was met
    pool.insert(pool.end(), result.best[l].begin(), result.best[l].end());
    std::optional<Solution> towards;
    if (const auto* best = result.best_of(l)) towards = *best;
    // Nothing that searches under the limit itself have found can be passed.
    double passed = towards ? towards->values[0] : std::nan("");
    bool none = !towards, done = none || (n_best == 1 && keeps(*towards, limits));
    std::vector<double> drawn_in(limits.bounds.size(), 0.0);
    const int turns = evaluator_.has_budget() ? kTurnsOnABudget : kTurns;
    for (int turn = 0; turn < turns && !done; ++turn) {
      SearchProblem problem = problem_;
      for (std::size_t u = 0; u < uncertain_.size(); ++u) {
        auto& objective = problem.objectives[uncertain_[u]];
        if (std::isnan(limits.bounds[uncertain_[u]])) continue;
        const auto plain_objective = objective;
        objective = predicted_objective(turned(u, *towards), problem_.part.space(), objective.label, objective.unit);
        objective.name = plain_objective.name;
        objective.direction = plain_objective.direction;
      }
      Limits within = limits;
      for (std::size_t i = 0; i < drawn_in.size(); ++i) within.bounds[i] -= drawn_in[i];
      const bool is_drawn_in = std::any_of(drawn_in.begin(), drawn_in.end(), [](double d) { return d != 0; });
      const auto& starts = evaluator_.question().starts;
      auto found = asked(problem, {within}, starts.empty() ? starts : decltype(starts){starts[l]});
      const auto solved = [&](const std::vector<Solution>& some) {
        std::vector<std::uint8_t> choices;
        for (const auto& one : some) choices.insert(choices.end(), one.choices.begin(), one.choices.end());
        return solve(problem_, choices);
      };
      const auto front = solved(found.front), best = solved(found.best[0]);
      pool.insert(pool.end(), front.begin(), front.end());
      pool.insert(pool.end(), best.begin(), best.end());
      if (best.empty()) {
        none = none || !is_drawn_in;
        break;
      }
      if (!is_drawn_in && better_goal(passed, best.front().values[0])) passed = best.front().values[0];
      done = std::all_of(best.begin(), best.end(), [&](const Solution& one) { return keeps(one, limits); });
      towards = best.front();
      if (turn + 1 < std::min(kUntilDrawnIn, turns - 1) || done) continue;
      for (std::size_t u = 0; u < uncertain_.size(); ++u) {
        const auto i = uncertain_[u];
        const double bound = limits.bounds[i],
                     own = confident(u, towards->choices, std::span(&towards->values[i], 1))[0];
        if (!std::isnan(bound))
          drawn_in[i] +=
              sign_of(problem_.objectives[i]) * std::max(sign_of(problem_.objectives[i]) * (own - bound), 0.0);
      }
    }
    std::vector<Solution> kept;
    for (auto& one : pool)
      if (std::none_of(kept.begin(), kept.end(), [&](const Solution& k) { return k.choices == one.choices; }) &&
          keeps(one, limits))
        kept.push_back(std::move(one));
    result.best[l] = best_of(problem_, kept, std::span(&limits, 1), static_cast<int>(n_best))[0];
    if (none || std::isnan(passed)) return 0;
    if (result.best[l].empty()) return std::numeric_limits<double>::infinity();
    return std::abs(passed - result.best[l].front().values[0]);
  }

  // Whether a is better than b in the goal.
  bool better_goal(double a, double b) const { return problem_.goal().maximised() ? a > b : a < b; }

  const SearchMethod& method_;
  Evaluator& evaluator_;
  const SearchProblem& problem_;
  double confidence_;
  bool proves_ = false;
  std::vector<std::size_t> uncertain_;  // objectives
  std::vector<double> spreads_;         // to keep from the limit of each
};

}  // namespace

void calibrate_for_space(std::vector<Objective>& objectives) {
  if (std::any_of(objectives.begin(), objectives.end(), [](const Objective& one) { return !one.covers_space(); }))
    return;
  for (auto& objective : objectives) {
    if (!objective.posterior) continue;
    Posterior own = *objective.posterior;
    own.calibrate_for_space();
    objective.posterior = std::make_shared<const Posterior>(std::move(own));
  }
}

KeptLimit kept_limit(const Objective& objective, std::span<const std::uint8_t> choices, double value, double limit) {
  KeptLimit kept;
  objective.posterior->spreads(choices, std::span(&value, 1), std::span(&kept.deviation, 1));
  const double within = sign_of(objective) * (limit - value);
  kept.probability =
      std::isnan(limit) ? std::nan("") : objective.posterior->calibration.probability(within / kept.deviation);
  return kept;
}

std::vector<double> confident_values(const Objective& objective, double confidence,
                                     std::span<const std::uint8_t> choices, std::span<const double> values) {
  const double z = sign_of(objective) * objective.posterior->calibration.spreads(confidence);
  std::vector<double> bounds(values.size());
  objective.posterior->spreads(choices, values, bounds);
  for (std::size_t i = 0; i < bounds.size(); ++i) bounds[i] = values[i] + z * bounds[i];
  return bounds;
}

int searches_with_confidence(const SearchQuestion& question) {
  return 1 + kTurnsOnABudget * static_cast<int>(question.limits.size());
}

void share_budget(SearchQuestion& question) {
  auto& [evaluations, seconds] = question.budget;
  const int searches = searches_with_confidence(question);
  if (evaluations > 0) evaluations = std::max<std::int64_t>(1, evaluations / searches);
  seconds /= searches;
}

SearchResult search_with_confidence(const SearchMethod& method, Evaluator& evaluator, double confidence) {
  return confidence > 0 ? ConfidentSearch(method, evaluator, confidence).run() : method.search(evaluator);
}

}  // namespace oneproxy
