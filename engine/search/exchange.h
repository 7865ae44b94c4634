#pragma once
// What can be certified of a result when the space can not be enumerated: that no other value of one digit (a stage, a
// layer), or of any two digits at once, improves it. By enumeration of all of these.
#include <cstdint>

#include "oneproxy/engine/search/problem.h"
#include "oneproxy/kernels/base/precision.h"

namespace oneproxy {

struct ExchangeResult {
  Solution solution;          // at least as good as the start, and optimal under exchanges of `digits` digits
  int digits = 1;             // changed at once: 1 or 2
  bool exact = true;          // false: the precision's proven error is too large, the certificate is of fast scores
  int improvements = 0;       // times that a better one was found
  std::int64_t n_scored = 0;  // of all rounds
  std::int64_t n_certificate = 0;  // of the last round, which found nothing better
};

// Replaces `start` by the best exchange until there is none. `start` is within the limit, its choices in the part.
ExchangeResult improve_by_exchange(const SearchProblem& problem, const Solution& start, double limit_ms, int digits,
                                   Precision precision, Backend backend);

}  // namespace oneproxy
