#include "tests/kernels/score/like_the_cpu.h"

#include <algorithm>
#include <cmath>

#include "oneproxy/kernels/score/scorer.h"

namespace oneproxy::test {
namespace {

std::vector<double> by_definition(const ScoreFunction& model, const OwnedDigits& digits,
                                  const std::vector<std::uint32_t>& list) {
  std::vector<double> scores;
  for (std::size_t at = 0; at < list.size(); at += digits.radices.size())
    scores.push_back(score_by_definition(model, digits.code(), list.data() + at));
  return scores;
}

}  // namespace

ErrorsOfTheCpu::ErrorsOfTheCpu(const OwnedMlp& mlp, const OwnedDigits& digits, const std::vector<std::uint32_t>& list)
    : mlp_(mlp), digits_(digits), known_(list) {
  const std::size_t n_digits = digits.radices.size();
  const Philox random{17, 4};
  for (std::uint64_t i = 0; i < 2000 * n_digits; ++i)
    known_.push_back(static_cast<std::uint32_t>(random.below(i, digits.radices[i % n_digits])));
  all_exact_ = by_definition(mlp.mlp(), digits, known_);
  exact_.assign(all_exact_.begin(), all_exact_.end() - 2000);
  // The sum of the sizes of a score's terms is the score of the weights' sizes.
  OwnedMlp sizes = mlp;
  for (double& weight : sizes.weights.back()) weight = std::abs(weight);
  for (double& bias : sizes.biases.back()) bias = std::abs(bias);
  sizes_ = by_definition(sizes.mlp(), digits, list);
}

double ErrorsOfTheCpu::largest_of_cpu(Precision precision) const {
  const ScoreFunction model = mlp_.mlp();
  std::vector<double> cpu(all_exact_.size());
  Scorer(digits_.code(), std::span(&model, 1), Backend::cpu, precision == Precision::tf32 ? Precision::bf16 : precision)
      .score_list(known_, cpu);
  double largest = 0;
  for (std::size_t i = 0; i < cpu.size(); ++i) largest = std::max(largest, std::abs(cpu[i] - all_exact_[i]));
  return largest;
}

testing::AssertionResult ErrorsOfTheCpu::hold_for(const std::vector<double>& fast, Precision precision,
                                                  bool stores_inputs_of_score) const {
  const std::size_t n = exact_.size();
  const double of_cpu = largest_of_cpu(precision);
  const double unit = 8 * 0x1p-24 + (precision == Precision::bf16 && stores_inputs_of_score ? 0x1p-8 : 0.0);
  if (fast.size() != n) return testing::AssertionFailure() << fast.size() << " scores of " << n << " architectures";
  for (std::size_t i = 0; i < n; ++i) {
    const double allowed = 2 * of_cpu + unit * sizes_[i], error = std::abs(fast[i] - exact_[i]);
    if (!(error <= allowed))
      return testing::AssertionFailure() << "architecture " << i << " has " << fast[i] << " for " << exact_[i]
                                         << ", an error of " << error << "; the CPU's largest is " << of_cpu
                                         << ", allowed is " << allowed;
  }
  return testing::AssertionSuccess();
}

}  // namespace oneproxy::test
