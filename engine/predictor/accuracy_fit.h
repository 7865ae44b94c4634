#pragma once
// Learns an accuracy model (engine/space/accuracy_model.h) from networks that were trained, and prices every choice of
// a space with it.
#include <cstdint>
#include <span>

#include "oneproxy/engine/predictor/additive_predictor.h"
#include "oneproxy/engine/space/accuracy_model.h"

namespace oneproxy {

// Least squares under gains >= 0, for each decay of 0.30, 0.35, ..., 1.00; the one with the least squares is kept, and
// of equal ones the first. choices [n, n_decisions], accuracy [n]; NaN is left out. Deterministic. Errors: a space that
// layer_places refuses, or one of fewer than seven stages, fewer than 100 accuracies, accuracies without spread.
AccuracyModel fit_accuracy_model(const SearchSpace& space, std::span<const std::uint8_t> choices,
                                 std::span<const double> accuracy);

// The model as a sum over decisions. Errors as require_accuracy_model.
AdditivePredictor accuracy_table(const SearchSpace& space, const AccuracyModel& model);

}  // namespace oneproxy
