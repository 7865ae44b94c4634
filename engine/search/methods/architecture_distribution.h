#pragma once
// A distribution over architectures with one categorical distribution a digit (factored_logits.h), drawn from and
// updated as in PARSEC: Casale, Gordon, Fusi, "Probabilistic Neural Architecture Search", arXiv 1902.05116, where the
// gradient of log p(data) is estimated from K architectures drawn from p(. | parameters) as
//   sum_k w_k grad log p(architecture_k | parameters),   w_k = likelihood_k / sum_j likelihood_j
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "oneproxy/engine/base/random_draws.h"
#include "oneproxy/engine/search/methods/factored_logits.h"

namespace oneproxy {

class ArchitectureDistribution {
 public:
  // Begins uniform over the digits' values; first_digit: the value that digit 0 keeps. listed [n, n_digits]: where not
  // empty, only these are drawn, each with a probability proportional to the product of its digits'. Refers to `part`.
  ArchitectureDistribution(const SubSpace& part, Factoring factoring,
                           std::optional<std::uint32_t> first_digit = std::nullopt,
                           std::vector<std::uint32_t> listed = {});

  double entropy() const { return entropy_; }                                               // nats
  std::span<const double> probabilities(int digit) const { return probabilities_[digit]; }  // [radix] of its values

  // -> digits [n, n_digits]
  std::vector<std::uint32_t> draw(std::int64_t n, RandomDraws& draws) const;

  // digits [n, n_digits], weights [n] with the sum 1 -> sum_k w_k grad log p(k), [n_parameters].
  std::vector<double> gradient(std::span<const std::uint32_t> digits, std::span<const double> weights) const;
  void add(std::span<const double> to_parameters);  // [n_parameters]

  // Below 1 it is less sure, at 0 uniform.
  void scale_logits(double factor);
  // The same distribution with parameters of their own for more values.
  void refine(Factoring finer);

 private:
  void update();

  const SubSpace* part_;
  std::optional<std::uint32_t> first_digit_;
  FactoredLogits logits_;
  std::vector<double> parameters_;
  std::vector<std::uint32_t> listed_;               // [n_listed, n_digits]
  std::vector<std::vector<double>> probabilities_;  // [n_digits][radix], marginals
  std::vector<std::vector<double>> cumulative_;     // to draw: of each digit, or one of all that are listed
  double entropy_ = 0;
};

}  // namespace oneproxy
