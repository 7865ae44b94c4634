#pragma once
// What the neural optimizer is trained on: plausible devices, queries about them, and exact answers.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/fleet/coordinates.h"
#include "oneproxy/engine/fleet/generator.h"
#include "oneproxy/engine/optimizer/optima.h"
#include "oneproxy/engine/optimizer/query.h"

namespace oneproxy {

struct TrainingSetSettings {
  int devices = 3000;       // generated; 0: the sources alone (an ablation)
  bool sources_too = true;  // beside the generated ones
  GeneratorSettings generator;
  int most_coordinates = 24;
  int limits = 18, preferences = 6;  // queries a device and quality
  bool energy = false;               // preferences weigh an energy too, drawn from physics
  // The labels of a limit are so many best answers with shares softmax(quality / (temperature spread)): nearly equal
  // answers are all right. Where dynamic programming answers it is the best alone.
  int best = 8;
  double temperature = 0.05;
  bool keep_tables = false;  // of cell spaces too, for a training that needs them: 125 kB a device
  std::uint64_t seed = 1;
};

struct TrainingSet {
  DeviceCoordinates latency, energy;     // energy: empty without
  std::vector<OptimizerDevice> devices;  // with predictors where functions add up over decisions, or tables are kept
  std::vector<TrainingExample> examples;
};

// Limits are half quantiles over random architectures and half spread over the device's range, denser at its low end,
// where architectures are few. The same devices and examples on any number of threads. Errors: settings out of range.
TrainingSet make_training_set(const LatencyBasis& basis, const Optima& optima, int n_qualities,
                              const TrainingSetSettings& settings);

}  // namespace oneproxy
