#pragma once
// What stands between a search method and its problem: it evaluates, counts every distinct architecture once, remembers
// what was good, and knows when the budget is spent. A method neither counts nor keeps records.
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/search/distinct.h"
#include "oneproxy/engine/search/kernel_problem.h"
#include "oneproxy/engine/search/problem.h"
#include "oneproxy/engine/share/sharing.h"
#include "oneproxy/kernels/base/precision.h"

namespace oneproxy {

// 0: no limit. A method whose own settings say when it ends runs without one.
struct SearchBudget {
  std::int64_t evaluations = 0;  // distinct ones
  double seconds = 0;            // the result then depends on the machine's speed
};

struct SearchQuestion {
  std::vector<Limits> limits;
  int n_best = 1;  // solutions for each of them
  SearchBudget budget;
  Backend backend = Backend::cpu;
  Precision precision = Precision::fp32;  // of fast scores; solutions are always evaluated in fp64
  std::uint64_t seed = 1;
  // Architectures that somebody proposes, [n_limits][any number][n_decisions]; for methods that begin from such.
  std::vector<std::vector<std::vector<std::uint8_t>>> starts = {};
  Sharing sharing = {};  // with whom the work is done, and where its state is kept; for methods that share
  // Told after each batch how many architectures were evaluated, and of how many; 0: nobody knows beforehand.
  std::function<void(std::int64_t done, std::int64_t total)> on_progress = {};
};

// An evaluation is the value of the goal for one architecture; the other objectives, mostly tables, come with it or are
// looked up before it (cost_score), as published searches count.
class Evaluator {
 public:
  Evaluator(const SearchProblem& problem, SearchQuestion question);

  const SearchProblem& problem() const { return problem_; }
  const SearchQuestion& question() const { return question_; }
  std::span<const Limits> limits() const { return question_.limits; }

  // By definition, in fp64: choices [n, n_decisions] -> values [n_objectives][n], NaN where one is not known; such an
  // architecture does not count. Not thread-safe.
  std::vector<std::vector<double>> evaluate(std::span<const std::uint8_t> choices);

  // Of any problem, in digits of its part, by the kernels where it has them: scores of the goal [n], to be maximised;
  // NaN where an objective is not known. digits [n, n_digits].
  std::vector<double> scores(std::span<const std::uint32_t> digits);
  // The score of an objective beside the goal, to be minimised; not counted. NaN where it is not known. Thread-safe.
  double cost_score(std::size_t objective, std::span<const std::uint32_t> digits) const;
  // The largest of these scores that the limits allow; infinite where there is no limit.
  double cost_limit(std::size_t limits, std::size_t objective) const;
  // Whether it was evaluated. Thread-safe.
  bool seen(std::span<const std::uint32_t> digits) const;

  // By the scoring kernels, for problems that have them, in digits of the problem's part. Thread-safe.
  const KernelProblem& kernels() const;
  // digits [n, n_digits] -> scores of the goal [n], to be maximised; cost_scores [n_objectives - 1][n] are kept with
  // them.
  std::vector<double> goal_scores(std::span<const std::uint32_t> digits,
                                  const std::vector<std::vector<double>>& cost_scores);

  // For methods that enumerate: what was evaluated elsewhere, one by one or n distinct ones at once.
  void count(ArchIndex index);
  void count_untracked(std::int64_t n);

  // How many evaluations there will be, where a method knows it and there is no budget: for progress alone.
  void expect(std::int64_t evaluations) { expected_ = evaluations; }

  std::int64_t n_evaluated() const { return distinct_.count(); }
  bool n_evaluated_is_exact() const { return distinct_.exact(); }
  double seconds() const;
  // Share of the budget that is spent, above 1 where it was overrun; 0 without a budget.
  double spent() const;
  // Until this share of the budget is spent: at least 1; without a budget of evaluations without end.
  std::int64_t evaluations_left(double share) const;
  // The share of the budget at which these limits have had their part: methods that search for one limit after another
  // give each the same.
  double share_until(std::size_t limits) const {
    return static_cast<double>(limits + 1) / static_cast<double>(question_.limits.size());
  }
  bool has_budget() const { return question_.budget.evaluations > 0 || question_.budget.seconds > 0; }

  // The front of all that was evaluated, and the best of it within each of the limits.
  SearchResult found(std::string certainty) const;

 private:
  ArchIndex index_of(std::span<const std::uint32_t> digits) const;
  void report() const;

  const SearchProblem& problem_;
  SearchQuestion question_;
  std::unique_ptr<KernelProblem> kernels_;
  std::vector<std::unique_ptr<Scorer>> scorers_;  // [n_objectives]
  DistinctCounter distinct_;
  std::int64_t expected_ = 0;
  std::unique_ptr<Reduction> record_;  // by index in the problem's part
  mutable std::mutex mutex_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace oneproxy
