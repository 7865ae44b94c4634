#pragma once
#include <cmath>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/adapt/gaussian_process/bayes.h"
#include "oneproxy/engine/device/samples.h"
#include "oneproxy/kernels/base/random.h"
#include "oneproxy/kernels/rank/rank.h"

namespace oneproxy {

// Made-up devices: each weighs the physical features in its own way.
struct Fleet {
  std::shared_ptr<const ArchitectureFeatures> shared_features;
  const ArchitectureFeatures& features;
  std::vector<std::uint8_t> choices;  // [n, decisions]
  std::vector<std::vector<double>> devices;

  explicit Fleet(const std::string& name, int n = 300, double noise = 0.01)
      : shared_features(std::make_shared<ArchitectureFeatures>(SearchSpace::load(name))), features(*shared_features) {
    const Philox random{3, 0};
    std::uint64_t draw = 0;
    for (int i = 0; i < n; ++i)
      for (const auto radix : space().radices()) choices.push_back(random.below(draw++, radix));
    const auto rows = features.rows(choices);
    const int columns = features.layout().n_columns(), physical = features.physics().n_columns();
    for (int d = 0; d < 5; ++d) {
      std::vector<double> latency;
      for (int i = 0; i < n; ++i) {
        double y = 10;
        for (int j = 0; j < physical; ++j)
          y += (0.5 + std::sin(3.0 * d + j)) * rows.blocks[i * columns + j] * (j == 0 ? 2 : 0.5);
        latency.push_back(std::max(y, 1.0) * (1 + noise * (random.uniform(draw++) - 0.5)));
      }
      devices.push_back(latency);
    }
  }

  const SearchSpace& space() const { return features.space(); }
  std::vector<SourceDevice> sources(int count) const {
    std::vector<SourceDevice> all;
    for (int d = 0; d < count; ++d) all.push_back({"device" + std::to_string(d), {choices, devices[d]}, data_sheet(d)});
    return all;
  }
  static DataSheet data_sheet(int device) {
    DataSheet sheet;
    sheet.device = "device" + std::to_string(device);
    sheet.device_class = device % 2 ? "gpu" : "cpu";
    sheet.cores = 4 << device;
    sheet.clock_hz = 1e9 * (1 + std::cos(3.0 * device) / 2);
    return sheet;
  }
  GaussianProcess model(int count, const BayesOptions& options = {}) const {
    std::vector<SourcePredictor> predictors;
    for (const auto& source : sources(count)) predictors.push_back(fit_source(features, source));
    return {features, predictors, options};
  }
  std::vector<double> z(const GaussianProcess& m, const std::vector<std::int64_t>& rows) const {
    return m.design(features.pick(features.rows(choices), rows));
  }
  std::vector<double> latency(int device, const std::vector<std::int64_t>& rows) const {
    std::vector<double> y;
    for (const auto row : rows) y.push_back(devices[device][row]);
    return y;
  }
  TargetSamples samples(int device, const std::vector<std::int64_t>& rows) const {
    const std::size_t decisions = space().radices().size();
    TargetSamples some;
    for (const auto row : rows) some.add(std::span(choices).subspan(row * decisions, decisions), devices[device][row]);
    return some;
  }
  double srcc(const GaussianProcess& m, const AdaptedBayes& adapted, int device) const {
    return spearman(m.latency_ms(adapted, features.rows(choices)), devices[device], Backend::cpu).value;
  }
};

inline std::vector<std::int64_t> first(int n) {
  std::vector<std::int64_t> rows(n);
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

}  // namespace oneproxy
