#pragma once
// What the neural optimizer is asked, and what it is trained on. All latencies and energies are in standard units of
// their device: (value - mean) / deviation over the space's reference architectures.
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/predictor/predictor.h"

namespace oneproxy {

// One question: which of the qualities that the optimizer was trained for, and a latency limit or preference weights.
struct OptimizerQuery {
  int quality = 0;
  std::optional<double> limit;         // in standard units; without it the preference counts
  std::array<double, 3> preference{};  // weights of quality, latency, energy; >= 0, not all 0
};

// A device as the optimizer sees it. Predictors in standard units; null where nothing asks for them: a policy over
// cells is trained on the coordinates alone.
struct OptimizerDevice {
  std::vector<double> coordinates;  // [n_coordinates] of the latency, then of the energy where trained with it
  std::shared_ptr<const Predictor> latency, energy;
};

// An optimum, or several of them with their shares, as the answer to a query of a device.
struct TrainingExample {
  std::int32_t device = 0;
  OptimizerQuery query;
  std::vector<std::uint8_t> choices;  // [n_labels, n_decisions]
  std::vector<float> shares = {};     // [n_labels], above 0; empty: the same for all
};

// The place of a quality among those that the optimizer was trained for. Error: none of them, with the nearest.
int quality_index(std::span<const std::string> qualities, const std::string& name, const std::string& where);

// Errors: a quality that there is not, a limit that is no number, weights that are negative, not finite or all 0, a
// weight of the energy where the optimizer was trained without.
void check_query(const OptimizerQuery& query, int n_qualities, bool with_energy);

}  // namespace oneproxy
