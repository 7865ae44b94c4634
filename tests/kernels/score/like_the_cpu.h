#pragma once
// How far scores of the CUDA twin may be from the definition: what the CPU's arithmetic of the same precision shows.
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "oneproxy/kernels/base/precision.h"
#include "tests/kernels/score/score_cases.h"

namespace oneproxy::test {

// The architectures list [n, n_digits], by the definition and by the CPU. Each error of fast scores may be
//   - twice the CPU's largest one, over the list and 2,000 random architectures of the space: the roundings are the
//     same, and the order of sums is not; tf32, which the CPU has not, rounds finer than bf16 (11 bits, not 8);
//   - 8 units of fp32 of the score's own sum, for its order;
//   - half a unit of bf16 of that sum, where the score's inputs are stored as bf16 (wide MLPs on CUDA, not on the CPU).
// No bound on a rank correlation: where many scores are nearly equal, as those of composite digits are, ranks say more
// about the space than about the arithmetic.
class ErrorsOfTheCpu {
 public:
  ErrorsOfTheCpu(const OwnedMlp& mlp, const OwnedDigits& digits, const std::vector<std::uint32_t>& list);
  const std::vector<double>& exact() const { return exact_; }  // [n]
  // fast [n]; precision: fp32, tf32 or bf16.
  testing::AssertionResult hold_for(const std::vector<double>& fast, Precision precision,
                                    bool stores_inputs_of_score) const;

 private:
  double largest_of_cpu(Precision precision) const;

  const OwnedMlp& mlp_;
  const OwnedDigits& digits_;
  std::vector<std::uint32_t> known_;       // the list, then the random ones
  std::vector<double> exact_, all_exact_;  // of the list, of all known
  std::vector<double> sizes_;              // of the list: sums of the sizes of a score's terms
};

}  // namespace oneproxy::test
