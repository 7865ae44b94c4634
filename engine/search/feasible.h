#pragma once
// Architectures within limits, before their goal is evaluated: costs are looked up first, as published searches do, and
// that is not counted as an evaluation.
#include <optional>
#include <vector>

#include "oneproxy/engine/base/random_draws.h"
#include "oneproxy/engine/search/evaluator.h"

namespace oneproxy {

class Feasible {
 public:
  // Those within limits number `limits` of the evaluator's question. Error where no row of the set lies in the part.
  Feasible(const Evaluator& evaluator, std::size_t limits);

  // By how much the costs pass their limits, in shares of these, summed; 0: within all. Infinite where one is not
  // known.
  double excess(std::span<const std::uint32_t> digits) const;
  bool holds(std::span<const std::uint32_t> digits) const { return excess(digits) <= 0; }

  // One drawn evenly, whatever it costs: of the part, or of the set's rows in it.
  std::vector<std::uint32_t> any(RandomDraws& draws) const;
  // One within the limits, in digits of the part: drawn evenly, then led to lower costs, one digit at a time; on the
  // rows of a set one of those within. Nothing where no way there was found, which is then not looked for again; within
  // one limit on costs that add up there is none.
  std::optional<std::vector<std::uint32_t>> draw(RandomDraws& draws);

 private:
  using Digits = std::vector<std::uint32_t>;
  const Evaluator& evaluator_;
  std::vector<double> bounds_;              // [n_objectives - 1] as scores; infinite: none
  std::vector<Digits> rows_, rows_within_;  // where only rows of a set are known
  std::vector<Digits> cheapest_;            // of each cost where that is certain
  bool none_ = false;                       // no way to one was found
};

// The architecture of the smallest cost (the largest, where it is maximised), where that is certain: costs that add up
// over digits, rows of a set, tables of every architecture. Nothing for predictors that would have to be searched.
std::optional<Solution> cheapest(const SearchProblem& problem, std::size_t objective);

}  // namespace oneproxy
