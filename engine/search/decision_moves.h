#pragma once
// Changes of an architecture, decision by decision: some at random, all that there are, and several together, within a
// stage as well. As search/neighbours.h has them, but looked up when they are needed: a search of a tenth of a second
// has no time for tables of all of a stage's values.
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "oneproxy/engine/base/random_draws.h"
#include "oneproxy/engine/search/digit_choices.h"

namespace oneproxy {

// Not thread-safe: it remembers what it looked up.
class DecisionMoves {
 public:
  using Digits = std::vector<std::uint32_t>;
  struct Change {
    int digit;
    std::uint32_t value;
  };

  explicit DecisionMoves(const DigitChoices& choices);  // refers to it

  bool none() const { return places_.empty(); }  // everything is fixed

  // Values of a digit that differ from `value` in one decision; where the part leaves none, all other values.
  const std::vector<std::uint32_t>& of(int digit, std::uint32_t value) const;
  // Every digit's, one change each.
  std::vector<Change> all(const Digits& from) const;
  // `n` decisions, drawn evenly and one after another, get another choice, drawn evenly: fewer may differ in the end.
  Digits random(const Digits& from, int n, RandomDraws& draws) const;
  // Several changes of `from` at once. Nothing where two of them change the same decision, or where the part has no
  // such architecture.
  std::optional<Digits> together(const Digits& from, std::span<const Change> changes) const;

 private:
  const DigitChoices& choices_;
  std::vector<int> free_;                                               // digits that have more than one value
  std::vector<int> places_;                                             // the digit of each of their decisions
  mutable std::vector<std::vector<std::vector<std::uint32_t>>> lists_;  // [n_tables][radix]; empty: not looked up yet
};

}  // namespace oneproxy
