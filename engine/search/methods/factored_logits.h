#pragma once
// Log-linear distributions over the values of each digit of a part of a space:
//   p_d(v) = softmax over v of logit_d(v),   logit_d(v) = sum over factors f of parameter[f, level of v in f]
// A factor is something that values share: the kernel size of a block, the block at one place of a stage, or the value
// itself. Few coarse factors learn fast, as each sample says something about many values; fine ones can tell values
// apart. What is no network has no value (space.h), so that a factored distribution never leaves the part.
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "oneproxy/engine/space/subspace.h"

namespace oneproxy {

// From coarse to fine.
enum class Factoring {
  attributes,  // kind, kernel, expansion, ... of each decision's operation; its name where these tell no two
               // apart
  decisions,   // the choice of each decision
  joint        // the value of the digit
};

class FactoredLogits {
 public:
  // first_digit: where given, digit 0 has this value for certain, and the logits of its others are minus infinity.
  FactoredLogits(const SubSpace& part, Factoring factoring, std::optional<std::uint32_t> first_digit = std::nullopt);

  int n_digits() const { return static_cast<int>(digits_.size()); }
  std::size_t radix(int digit) const { return digits_[digit].radix; }
  std::size_t n_parameters() const { return n_parameters_; }

  // parameters [n_parameters] -> logits [radix] of one digit.
  void logits(int digit, std::span<const double> parameters, std::span<double> logits) const;
  // The way back: adds to gradient [n_parameters] that of a function whose derivatives by the logits are given.
  void add_gradient(int digit, std::span<const double> by_logits, std::span<double> gradient) const;

  // Parameters here with the logits that `parameters` give to a coarser factoring of the same part.
  std::vector<double> refine(const FactoredLogits& coarse, std::span<const double> parameters) const;

 private:
  struct DigitFactors {
    std::size_t radix = 0;
    std::vector<int> decisions;               // [n_factors]: within the digit, -1: all of them
    std::vector<std::uint32_t> parameter_of;  // [radix, n_factors]
  };

  std::vector<DigitFactors> digits_;
  std::size_t n_parameters_ = 0;
  std::optional<std::uint32_t> first_digit_;
};

// logits [n] -> probabilities [n] in place. Returns their entropy in nats.
double softmax(std::span<double> logits);

}  // namespace oneproxy
