#pragma once
// Every architecture is scored: the front is exact. Over the whole space where both objectives cover it,
// else over the rows of the set.
#include <span>

#include "engine/search/problem.h"

namespace oneproxy {

inline constexpr std::uint64_t kExhaustiveMost = std::uint64_t{1} << 24;

// Architectures that an exhaustive search would score; 0 where there are more than kExhaustiveMost.
std::uint64_t exhaustive_size(const SearchProblem& problem);

// Error where the space is too large (names what to do instead).
SearchResult search_exhaustively(const SearchProblem& problem, std::span<const double> limits_ms, Backend backend);

}  // namespace oneproxy
