#pragma once
// What a search optimises: latency (minimised) and quality (maximised) of the architectures of one space, or of a part
// of it. Searchers ask for batches and never know where the numbers come from.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/device/measurements.h"
#include "oneproxy/engine/predictor/space_model.h"
#include "oneproxy/engine/space/subspace.h"
#include "oneproxy/kernels/base/backend.h"

namespace oneproxy {

struct Objective {
  std::string label, unit;
  bool stand_in = false;  // a model stands in for something that nobody measured
  // A predictor that covers the space, by kernels or by look-up (has_kernels); null where the objective is known on the
  // rows of a set only.
  std::shared_ptr<const SpaceModel> model;
  // choices [n, n_decisions] -> values [n] by definition, fp64; NaN where the objective is not known.
  std::function<void(std::span<const std::uint8_t> choices, std::span<double> values)> evaluate;
  std::string checksum = {};  // of a predictor that a file or the store holds
};

// Where objectives come from.
struct ObjectiveSources {
  const SearchSpace& space;
  const Measurements* data = nullptr;  // null: the store has no measurements of the space
  std::string store;                   // with predictors and tables
  std::string folder;                  // that a predictor's file is looked for in; "": the working directory
  Backend backend = Backend::cpu;
};

// By name. Measured, on the rows of the set: "device:NAME", "metric:NAME", "metric:SET:NAME". Over the whole space:
// "predictor:NAME" (in the store) or "predictor:FILE.h5", "table:NAME" or FILE.h5, "proxy:DEVICE" (a linear predictor,
// fitted now), "model:macs" (...). `key` is named in errors. Errors offer what there is.
Objective make_objective(const ObjectiveSources& sources, const std::string& name, const std::string& key);

struct SearchProblem {
  const SubSpace& part;
  const Measurements* data;  // null where both objectives cover the space
  Objective latency, quality;
  bool covers_space() const { return latency.model && quality.model; }
  bool has_kernels() const {
    return covers_space() && oneproxy::has_kernels(*latency.model) && oneproxy::has_kernels(*quality.model);
  }
};

// A solution: an architecture with its objectives, by their definition in fp64.
struct Solution {
  std::vector<std::uint8_t> choices;
  double latency_ms = 0;
  double quality = 0;
};

struct SearchResult {
  std::vector<Solution> front;  // ascending latency
  // For each latency limit the best solution within it; empty choices where none was found. Ties go to the lower
  // latency, then to the first in order.
  std::vector<Solution> best;
  std::int64_t n_evaluated = 0;
  // How sure: "exact: ...", "best found: ...".
  std::string certainty;
};

// Rows of the set that lie in the part, ascending.
std::vector<std::int64_t> rows_of(const SearchProblem& problem);

// Architectures drawn evenly, choices [n, n_decisions]: of the part where the problem covers the space, else rows of
// the set that lie in it.
std::vector<std::uint8_t> random_architectures(const SearchProblem& problem, std::int64_t n, std::uint64_t seed);

}  // namespace oneproxy
