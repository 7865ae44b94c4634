#pragma once
// A function of architectures as a table that searches take: which architectures must be evaluated, and the table that
// their values make. One weight a (decision, choice) where the function adds up over decisions, else the value of every
// architecture of a small space.
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/predictor/predictor.h"
#include "oneproxy/engine/space/space.h"

namespace oneproxy {

class Tabulation {
 public:
  // additive: the function is a sum over decisions, or one for each resolution, where that is decision 0. Refers to the
  // space. Error where it is not, and the space has more than kIndexTableMost architectures, or stages.
  Tabulation(const SearchSpace& space, bool additive);

  bool additive() const { return additive_; }
  // [n, n_decisions], what is to be evaluated. Of an additive function that are not always networks: in a stage,
  // choices are changed one by one.
  std::span<const std::uint8_t> choices() const { return choices_; }
  std::int64_t n() const;

  // values [n] -> an AdditivePredictor (weights: differences from choice 0 of all decisions) or an IndexTable.
  Predictor predictor(std::span<const double> values, const std::string& unit) const;
  // The same of a function, which is asked for some thousand architectures at once: choices [m, n_decisions] -> [m].
  Predictor predictor(const std::function<std::vector<double>(std::span<const std::uint8_t>)>& function,
                      const std::string& unit) const;

 private:
  const SearchSpace& space_;
  bool additive_;
  int n_tables_ = 1;
  std::vector<std::uint8_t> choices_;
};

}  // namespace oneproxy
