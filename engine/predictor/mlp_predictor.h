#pragma once
// A trained multilayer perceptron on the one-hot code of a space, for latency or accuracy: trained here
// (predictor/train.h) or imported from a torch state_dict. Plain numbers; knows nothing of LibTorch.
//   value = output_offset + output_scale * mlp(arch); with log_target exp of that
// Everything linear before the first hidden layer (physical features, standardisation) is folded into the rows.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/base/hdf5.h"
#include "oneproxy/engine/space/space.h"
#include "oneproxy/kernels/score/score_function.h"

namespace oneproxy {

struct Dense {
  int inputs = 0, outputs = 0;
  std::vector<double> weights;  // [outputs, inputs]
  std::vector<double> bias;     // [outputs]
};

struct MlpPredictor {
  std::string space;                  // the space it belongs to
  std::vector<std::uint8_t> radices;  // [n_decisions]: the layout of its code; one row a (decision, choice)
  std::string target;                 // what it predicts, for people: "latency on pixel3", "ImageNet top-1"
  std::string unit;                   // "ms", "fraction", ...
  bool log_target = false;
  double output_offset = 0, output_scale = 1;
  int first_width = 0;
  std::vector<double> rows;        // [sum of radices, first_width]
  std::vector<double> first_bias;  // [first_width]
  std::vector<Dense> layers;       // at least one; the last has one output
  H5Attributes record;             // how it came to be: source, licence, seed, samples, test SRCC, ...

  // Values in `unit`, fp64. choices [n, n_decisions] -> values [n].
  void predict(std::span<const std::uint8_t> choices, std::span<double> values) const;
  // For the kernels, over the digits of a space or sub-space whose code has one row a (decision, choice). The output's
  // scale and offset are folded into the last layer; log_target is left to the caller (the logarithm is monotonic).
  // The views refer to this object and to `last`, which receives the folded layer.
  Mlp view(Dense& last) const;
};

// Error where the predictor belongs to another space or another layout of its code (both are named).
void check_predictor(const MlpPredictor& predictor, const SearchSpace& space, const std::string& where);

// Over all numbers that a prediction depends on, as hex: part of the identity of a result.
std::string checksum(const MlpPredictor& predictor);

// HDF5: a file of its own (format "oneproxy-predictor", group "/"), or /predictors/<space>/<name> of a store.
// Written atomically (temporary file and rename). Errors: NaN or infinite weights (layer and place), missing parts.
void write_predictor(H5File& file, const std::string& group, const MlpPredictor& predictor);
MlpPredictor read_predictor(const H5File& file, const std::string& group);
MlpPredictor load_predictor(const std::string& path);

}  // namespace oneproxy
