#pragma once
// A stand-in for the accuracy of networks that nobody trained: learnt on a space of inverted residuals whose networks
// were trained (Accel-NASBench), and carried over to other such spaces by what they have in common: seven stages of
// layers, each with an expansion, a kernel and perhaps squeeze-and-excitation.
//
//   accuracy = intercept + sum over layers of gain(stage s, position j in the stage, layer)
//   gain of the first layer   b1_s (x + a_s / b_s) + c1_s y + d1_s z
//   gain of the j-th, j > 1   decay^(j - 2) (a_s + b_s x + c_s y + d_s z)
//   x = log(expansion / groups), y = log(kernel / 3) / log(5 / 3), z = 1 with squeeze-and-excitation
//
// Later layers of a stage gain less, so skipping half of a network's layers is no good deal, as it is with MACs. No
// data show a stage without layers: its first layer's gain at expansion 1 stands to b1_s as that of the others to b_s.
// It is a sum over layers, so that every search method can run it, and ranks networks; its values are those of a short
// training. How well it ranks: docs/search.md, `kind = "accuracy_model"`.
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/space/space.h"

namespace oneproxy {

// The name of a search's quality that is the model that ships.
inline constexpr const char* kAccuracyModel = "model:accuracy";

struct AccuracyModel {
  // Gains of one stage, in the unit of the accuracy; none is negative.
  struct Stage {
    double first_expansion = 0, first_kernel = 0, first_squeeze = 0;         // b1, c1, d1
    double repeated = 0, expansion = 0, kernel = 0, squeeze_excitation = 0;  // a, b, c, d
  };
  std::string space, metric, unit;  // learnt on
  std::string source, licence;      // of what it was learnt on
  double intercept = 0, decay = 1;
  std::vector<Stage> stages;  // [7]

  // Of one layer; position 0 is the first of its stage. What computes nothing gains nothing.
  double gain(int stage, int position, const Operation& layer) const;
};

// Where the layers of a decision stand: stage of seven, position of its first layer in the stage.
struct LayerPlace {
  int stage = 0, position = 0;
};
// [n_decisions]; a decision that is the input's resolution has stage -1. A chain of seven stages is those of the model;
// of six or five, the first are missing (a fixed block), and of five the last. Errors: a space that is no chain of
// five to seven stages of inverted residuals.
std::vector<LayerPlace> layer_places(const SearchSpace& space);
// Whether layer_places knows them, and the input's resolution is no decision, of which the model says nothing.
bool has_accuracy_model(const SearchSpace& space);
// What to propose to a person as the quality of a search where nobody measured accuracy: "model:accuracy", else
// "model:macs", and "predictor:NAME" of a space without costs.
std::string proposed_quality(const SearchSpace& space);
// Error where has_accuracy_model says no.
void require_accuracy_model(const SearchSpace& space);

// Gain of every (decision, choice), [sum of radices], without the intercept. Errors as layer_places.
std::vector<double> accuracy_gains(const SearchSpace& space, const AccuracyModel& model);
// Of networks: choices [n, n_decisions] -> accuracy [n], whatever their input's resolution. Errors as layer_places.
std::vector<double> accuracies(const SearchSpace& space, const AccuracyModel& model,
                               std::span<const std::uint8_t> choices);

// The one that ships: configs/accuracy/accel_nasbench.toml.
const AccuracyModel& shipped_accuracy_model();
// Errors name file and line: no such file, a missing or negative number, another number of stages than seven.
AccuracyModel read_accuracy_model(const std::string& path);
std::string to_toml(const AccuracyModel& model);

}  // namespace oneproxy
