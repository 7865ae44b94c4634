#pragma once
// One group of devices that is left out: what the others teach, and the held-out devices as the optimizer meets them,
// adapted to from a few measurements.
#include <memory>
#include <string>
#include <vector>

#include "experiments/experiment.h"
#include "experiments/kinds/scaling_up/settings.h"
#include "oneproxy/engine/adapt/method.h"
#include "oneproxy/engine/optimizer/answer.h"
#include "oneproxy/engine/optimizer/train_optimizer.h"

namespace oneproxy::scaling_up {

// A task's data, which all its folds share.
struct World {
  Settings settings;
  std::unique_ptr<SpaceData> loaded;
  std::shared_ptr<const ArchitectureFeatures> features;
  std::unique_ptr<Architectures> archs;  // the rows of the set
  std::vector<Objective> qualities;
  std::vector<std::vector<std::string>> held_out;  // names, each group in turn
  std::vector<std::string> sources;                // of all folds

  const SearchSpace& space() const { return loaded->space; }
};

// All but who is held out. Errors name the task: unknown devices or qualities.
std::unique_ptr<World> load_world(const Store& store, const Settings& settings);
// Errors beside: fewer than three sources left.
std::unique_ptr<World> open_world(const Store& store, const Settings& settings);

// A device as it is measured in full.
struct Truth {
  std::string name;      // "fitted": additive, or features of a cell, on all measurements: free of noise; "measured"
  Predictor latency_ms;  // of every architecture
};

struct Target {
  std::string name;
  Predictor adapted;                 // from samples_target measurements, ms
  DeviceCoordinates::Device device;  // of it, with its scale
  OptimizerDevice asked;             // in standard units
  std::vector<Truth> truths;
  std::vector<double> limits_ms;  // from the first truth
  double srcc = 0;                // of `adapted` with the measurements
};

struct Fold {
  std::unique_ptr<Sources> sources;
  std::unique_ptr<LatencyBasis> basis;
  std::unique_ptr<Optima> optima;
  TrainingSet set;
  std::vector<Target> targets;
  double examples_seconds = 0;
};

// What a fit on all measurements of a device says of every architecture, ms.
Predictor fitted_truth(const World& world, const Series& device);
// What a fit says of every architecture, ms.
Predictor predictor_of(const ArchitectureFeatures& features, const SourcePredictor& fit);

// Sources, basis and optima alone, then the training set, then targets too.
Fold learn_fold(const World& world, const std::vector<std::string>& held_out, int trial);
void make_examples(const World& world, int trial, Fold& fold);
Fold make_fold(const World& world, const std::vector<std::string>& held_out, int trial);

}  // namespace oneproxy::scaling_up
