#pragma once
// Local search from architectures that somebody proposes for each of the limits (SearchQuestion::starts), for example a
// neural optimizer (engine/optimizer/): all of them are evaluated, from the best that keep the limits local
// improvements begin (search/joint_changes.h), and what is left of the budget goes into restarts around the best of
// all. Where a quality is no sum over decisions, good and different starts are worth more than many evaluations.
#include "oneproxy/engine/search/method.h"

namespace oneproxy {

struct FromStartsSettings {
  int climbs = 16;     // of each limit, from so many of its best starts
  int exchanges = 20;  // restarts in succession that found nothing better, where there is no budget
};

// Error: no starts for one of the limits.
class FromStarts : public SearchMethod {
 public:
  explicit FromStarts(const FromStartsSettings& settings = {}) : settings_(settings) {}
  SearchResult search(Evaluator& evaluator) const override;

 private:
  FromStartsSettings settings_;
};

SearchMethodKind from_starts_method();

}  // namespace oneproxy
