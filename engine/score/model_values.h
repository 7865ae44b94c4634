#pragma once
// Values of predictors for architectures of a space, by index or one by one: for who wants the numbers themselves. The
// kernels score what they can; a table by index is looked up. Values are in the predictors' own units (value_of_score).
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/predictor/predictor.h"
#include "oneproxy/engine/space/subspace.h"
#include "oneproxy/kernels/base/backend.h"
#include "oneproxy/kernels/base/precision.h"
#include "oneproxy/kernels/score/scorer.h"

namespace oneproxy {

class ModelValues {
 public:
  // Refers to the space. Errors: those of keep_predictable and of Scorer.
  ModelValues(const SearchSpace& space, std::shared_ptr<const Predictor> model, Backend backend, Precision precision);

  // Of the architectures begin .. begin + values.size() - 1 of the space -> values [n]; NaN where the model has no
  // entry. Asks for interrupts every half a second. Error: a range beyond the space.
  void of_range(ArchIndex begin, std::span<double> values) const;
  // choices [n, n_decisions], each an architecture of the space -> values [n]; NaN as above.
  void of_list(std::span<const std::uint8_t> choices, std::span<double> values) const;

  // How it is evaluated, for reports: as Scorer::paths, or "looked up".
  std::string path() const;

 private:
  void some_of_range(ArchIndex begin, std::span<double> values) const;
  void some_of_list(std::span<const std::uint8_t> choices, std::span<double> values) const;
  void turn_to_values(std::span<double> scores) const;

  const SearchSpace& space_;
  std::shared_ptr<const Predictor> model_;
  std::unique_ptr<SubSpace> part_;           // what the model has entries for
  std::unique_ptr<PredictorKernel> kernel_;  // null, and the scorer: a table by index
  std::unique_ptr<Scorer> scorer_;
};

}  // namespace oneproxy
