#pragma once
// What the programs of kernels/additive/front.h share: the choices of a digit that can be on a front, and the problem
// as one chain of digits for each table. The problem is checked before.
#include <cstdint>
#include <span>
#include <vector>

#include "oneproxy/kernels/additive/front.h"

namespace oneproxy::detail {

// Of one digit: values in ascending order, what each adds.
struct Choices {
  std::vector<std::uint32_t> values;
  std::vector<AdditivePoint> sums;
  std::int64_t size() const { return static_cast<std::int64_t>(values.size()); }
};

// Drops what another value dominates, and of equal values all but the lowest.
void prune(Choices& choices, int n_objectives);

// Digit 0, its values as it stands with the bias added, and what follows each of them.
struct Chains {
  Choices first;                             // not pruned where several tables follow
  std::vector<int> chain_of;                 // [first.size()]: which chain follows
  std::vector<std::vector<Choices>> chains;  // [n_chains][n_digits - 1], pruned
};

void check_problem(const AdditiveProblem& problem);
Chains make_chains(const AdditiveProblem& problem);

}  // namespace oneproxy::detail
