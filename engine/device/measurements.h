#pragma once
// What is known about devices on the architectures of one set: measured latencies, modelled costs
// (pseudo-devices) and qualities, all over the same rows. Other sets join by choices, never by row number.
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "oneproxy/engine/data/store.h"
#include "oneproxy/engine/space/space.h"

namespace oneproxy {

// One number for each row of the base set; NaN where there is none.
struct Series {
  std::string name;   // as asked for: "titan_rtx_1", "user:phone", "metric:natsbench:cifar10", "model:macs"
  std::string label;  // for people
  std::string unit;
  bool is_stand_in = false;  // a model stands in for something that nobody measured
  std::vector<double> values;
  bool lower_is_better = true;
  std::int64_t n_known() const;
};

class Measurements {
 public:
  // Of all rows of the set, or of the rows in `selection`. Errors: unknown space or set, rows that are not
  // architectures of the space.
  Measurements(const Store& store, const SearchSpace& space, const std::string& set,
               std::vector<std::int64_t> selection = {});

  const Store& store() const { return store_; }
  const SearchSpace& space() const { return space_; }
  const std::string& set() const { return set_; }
  const SetRows& rows() const { return rows_; }
  std::int64_t n() const { return rows_.n; }

  std::vector<std::string> devices() const;  // of the base set

  // "NAME" of the base set, "SET:NAME" of another set of the space, or a pseudo-device "model:macs",
  // "model:parameters", "model:activation_bytes". Errors offer the nearest names; a joined device without a common row
  // is an error, and so is a latency outside device/latency_range.h.
  Series device(const std::string& name) const;
  // "metric:NAME" or "metric:SET:NAME": accuracy, energy, ...; the store says which way is better.
  Series metric(const std::string& name) const;
  // What a predictor is adapted to: a metric where the name begins with "metric:", else a device. Latency, energy and
  // accuracy are predicted alike. Error: a metric with a value that is not above 0 (like a latency's).
  Series series(const std::string& name) const;
  // A metric that is to be maximised, or "model:accuracy", "model:macs" (...) as stand-ins for accuracy. Error: one to
  // be minimised.
  Series quality(const std::string& name) const;

  // Names as series() takes them, with "all" spelled out, in order, without duplicates; each one exists. `key` is named
  // in errors.
  std::vector<std::string> expand(const std::vector<std::string>& names, const std::string& key) const;

 private:
  Series model(const std::string& name) const;
  Series accuracy() const;  // by the accuracy model that ships
  std::vector<double> selected(std::vector<double> values) const;
  std::vector<double> joined(const std::string& set, const std::string& name, const std::vector<double>& values) const;

  const Store& store_;
  const SearchSpace& space_;
  std::string set_;
  std::vector<std::int64_t> selection_;
  SetRows rows_;
};

}  // namespace oneproxy
