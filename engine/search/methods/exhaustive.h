#pragma once
// Every architecture is scored: the result is exact. Where all objectives cover the space by predictors, through the
// scoring kernels in one pass that keeps nothing of the size of the space; survivors of the fast pass are scored again
// by definition in fp64. A table by index is looked up for every architecture instead, a function is called for it.
// Else over the rows of the set.
#include <cstdint>

#include "oneproxy/engine/search/method.h"

namespace oneproxy {

struct ExhaustiveSettings {
  ArchIndex begin = 0;    // first index, or place in the shuffled order
  ArchIndex count = 0;    // so many architectures; 0: to the end
  bool shuffled = false;  // distinct random architectures, by the question's seed, instead of a range
};

// Without a count, more architectures than this are refused: days on any machine.
inline constexpr std::uint64_t kMaxExhaustive = std::uint64_t{1} << 42;

// Likewise where a function is called for each of them: their values are kept.
inline constexpr std::uint64_t kMaxComputed = std::uint64_t{1} << 22;

// Architectures that an exhaustive search of all would score.
ArchIndex exhaustive_size(const SearchProblem& problem);

class ExhaustiveSearch : public SearchMethod {
 public:
  explicit ExhaustiveSearch(const ExhaustiveSettings& settings = {}) : settings_(settings) {}
  // Errors: too many architectures (names what to do instead), a range beyond the space.
  SearchResult search(Evaluator& evaluator) const override;

 private:
  ExhaustiveSettings settings_;
};

SearchMethodKind exhaustive_method();

}  // namespace oneproxy
