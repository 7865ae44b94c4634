#include "tests/kernels/score/like_the_cpu.h"

#include <algorithm>
#include <cmath>

#include "oneproxy/kernels/rank/rank.h"
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

double standard_deviation(const std::vector<double>& values) {
  double mean = 0, squares = 0;
  for (const double value : values) mean += value / static_cast<double>(values.size());
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size()));
}

}  // namespace

testing::AssertionResult errors_like_the_cpu(const OwnedMlp& mlp, const OwnedDigits& digits,
                                             const std::vector<std::uint32_t>& list, const std::vector<double>& fast,
                                             Precision precision, bool stores_inputs_of_score) {
  const ScoreFunction model = mlp.mlp();
  const std::size_t n = fast.size(), n_digits = digits.radices.size();
  std::vector<std::uint32_t> known = list;
  const Philox random{17, 4};
  for (std::uint64_t i = 0; i < 2000 * n_digits; ++i)
    known.push_back(static_cast<std::uint32_t>(random.below(i, digits.radices[i % n_digits])));
  const std::vector<double> exact = by_definition(model, digits, known);
  std::vector<double> cpu(exact.size());
  Scorer(digits.code(), std::span(&model, 1), Backend::cpu, precision == Precision::tf32 ? Precision::bf16 : precision)
      .score_list(known, cpu);
  double of_cpu = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) of_cpu = std::max(of_cpu, std::abs(cpu[i] - exact[i]));

  // The sum of the sizes of a score's terms is the score of the weights' sizes.
  OwnedMlp sizes = mlp;
  for (double& weight : sizes.weights.back()) weight = std::abs(weight);
  for (double& bias : sizes.biases.back()) bias = std::abs(bias);
  const std::vector<double> total = by_definition(sizes.mlp(), digits, list);
  const double unit = 8 * 0x1p-24 + (precision == Precision::bf16 && stores_inputs_of_score ? 0x1p-8 : 0.0);
  double largest = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double allowed = 2 * of_cpu + unit * total[i], error = std::abs(fast[i] - exact[i]);
    if (!(error <= allowed))
      return testing::AssertionFailure() << "architecture " << i << " has " << fast[i] << " for " << exact[i]
                                         << ", an error of " << error << "; the CPU's largest is " << of_cpu
                                         << ", allowed is " << allowed;
    largest = std::max(largest, allowed);
  }
  if (n < 1000) return testing::AssertionSuccess();
  const std::vector<double> own(exact.begin(), exact.begin() + static_cast<std::ptrdiff_t>(n));
  const double srcc = spearman(fast, own, Backend::cpu).value, spread = standard_deviation(own);
  const double relative = largest / spread, size = static_cast<double>(n);
  const double floor = 1 - relative * relative - 12 * relative / size - 12 / (size * size * size);
  if (srcc >= floor) return testing::AssertionSuccess() << "SRCC " << srcc << " for " << floor;
  return testing::AssertionFailure() << "SRCC " << srcc << ", expected " << floor << " or more";
}

}  // namespace oneproxy::test
