#pragma once
// Every architecture is scored: the result is exact. Where both objectives cover the space by predictors, through the
// scoring kernels in one pass that keeps nothing of the size of the space; survivors of the fast pass are scored again
// by definition in fp64. A table by index is looked up for every architecture instead. Else over the rows of the set.
#include <cstdint>
#include <span>
#include <string>

#include "oneproxy/engine/search/problem.h"
#include "oneproxy/kernels/base/precision.h"

namespace oneproxy {

struct ExhaustiveSettings {
  Precision precision = Precision::fp32;  // of the fast pass
  ArchIndex begin = 0;                    // first index, or place in the shuffled order
  ArchIndex count = 0;                    // so many architectures; 0: to the end
  bool shuffled = false;                  // distinct random architectures instead of a range
  std::uint64_t seed = 1;                 // of the shuffled order
  std::string checkpoint;                 // file; "": none
};

// Without a count, more architectures than this are refused: days on any machine.
inline constexpr std::uint64_t kExhaustiveMost = std::uint64_t{1} << 42;

// Architectures that an exhaustive search of all would score.
ArchIndex exhaustive_size(const SearchProblem& problem);

// Error where that is too many (names what to do instead), or for a range beyond the space.
SearchResult search_exhaustively(const SearchProblem& problem, std::span<const double> limits_ms,
                                 const ExhaustiveSettings& settings, Backend backend);

}  // namespace oneproxy
