#pragma once
// What can be certified of a result when the space can not be enumerated: that no other value of one digit (a stage, a
// layer), or of any two digits at once, improves it. By enumeration of all of these.
#include <cstdint>

#include "oneproxy/engine/search/evaluator.h"

namespace oneproxy {

struct ExchangeResult {
  Solution solution;     // at least as good as the start, and optimal under exchanges of `digits` digits
  int digits = 1;        // changed at once: 1 or 2
  bool exact = true;     // false: the precision's proven error is too large, the certificate is of fast scores
  bool finished = true;  // false: the budget of evaluations was spent before nothing better was left
  int improvements = 0;  // times that a better one was found
  std::int64_t n_certificate = 0;  // scored in the last round, which found nothing better
};

// Replaces `start` by the best exchange until there is none, within limit number `limits` of the evaluator's. `start`
// is within it, its choices in the problem's part. A budget of evaluations ends it, one of seconds does not. For
// problems that the scoring kernels run.
ExchangeResult improve_by_exchange(Evaluator& evaluator, const Solution& start, std::size_t limits, int digits);

}  // namespace oneproxy
