#pragma once
// One thing that a search optimises: latency, energy, parameters, accuracy. What it is called, which way is better, and
// its value for any architecture. Searchers ask for batches and never know where the numbers come from.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/device/measurements.h"
#include "oneproxy/engine/predictor/posterior.h"
#include "oneproxy/engine/predictor/predictor.h"
#include "oneproxy/kernels/base/backend.h"

namespace oneproxy {

struct Objective : Quantity {
  bool is_stand_in = false;  // a model stands in for something that nobody measured
  // A predictor that covers the space, by kernels or by look-up (has_kernels); null where the objective is known on the
  // rows of a set only.
  std::shared_ptr<const Predictor> model;
  // choices [n, n_decisions] -> values [n] by definition, fp64; NaN where the objective is not known.
  std::function<void(std::span<const std::uint8_t> choices, std::span<double> values)> evaluate;
  std::string checksum = {};  // of a predictor that a file or the store holds
  // What is not known of the model's values; null where nobody knows.
  std::shared_ptr<const Posterior> posterior = {};
  // A function of the caller says the value of any architecture, one by one (computed_objective.h): there is no model.
  bool is_computed = false;

  bool covers_space() const { return model || is_computed; }  // known for every architecture
};

// Why the scoring kernels can not run it: "is a table of every architecture", ...; "" where they can.
std::string why_no_kernels(const Objective& objective);

// Where objectives come from.
struct ObjectiveSources {
  const SearchSpace& space;
  const Measurements* data = nullptr;  // null: the store has no measurements of the space
  std::string store;                   // with predictors and tables
  std::string folder;                  // that a predictor's file is looked for in; "": the working directory
  Backend backend = Backend::cpu;
};

// By what it is. Measured, on the rows of the set: "device:NAME", "metric:NAME", "metric:SET:NAME". Over the whole
// space: "predictor:NAME" (in the store) or "predictor:FILE.h5", "table:NAME" or FILE.h5, "proxy:DEVICE" (a linear
// predictor, fitted now), "model:macs" (...). `key` is named in errors; they offer what there is. Without a direction:
// that of the metric in the store or in the record of the predictor or table, else minimised; of "predictor:" it must
// be known (Error). Error where it is known and `direction` is another.
Objective make_objective(const ObjectiveSources& sources, const std::string& what, const std::string& key,
                         std::optional<Direction> direction);

// The same for who only wants its values: without a name, better the way that is known, else minimised.
Objective find_objective(const ObjectiveSources& sources, const std::string& what, const std::string& key);

// A predictor as an objective that is minimised; its name is empty.
Objective predicted_objective(Predictor model, const SearchSpace& space, const std::string& label,
                              const std::string& unit);

// "min table:energy <= 40, 50", "max metric:cifar10", "model:parameters": which way is better, where the name does not
// tell; what; and the limits that it is searched under, one a search, with or without their unit ("<= 25ms").
struct ObjectiveText {
  std::optional<Direction> direction;
  std::string what, name;  // name: the last part of `what`, without the ending of a file
  std::vector<double> limits;
  std::string limit_unit;  // "": none was written
};
// Error: no name, a limit that is no number, limits in two units, a limit of the wrong side (>= of what is minimised).
// `where` begins it.
ObjectiveText parse_objective(const std::string& text, const std::string& where);

}  // namespace oneproxy
