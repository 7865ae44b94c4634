#pragma once
// What is known before the target is measured: the features of the space and the source devices.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/adapt/gaussian_process/bayes.h"
#include "oneproxy/engine/adapt/source_predictor.h"
#include "oneproxy/engine/device/measurements.h"

namespace oneproxy {

struct Sources {
  std::shared_ptr<const ArchitectureFeatures> features;
  std::vector<SourceDevice> devices;        // may be none
  std::vector<SourcePredictor> predictors;  // one a device

  // Fits the predictors: errors as fit_source.
  explicit Sources(std::shared_ptr<const ArchitectureFeatures> of, std::vector<SourceDevice> all = {});
  std::vector<std::string> names() const;
};

// `bayes` with its default blocks: what a design weighs where the method has no blocks of its own.
GaussianProcess default_design_model(const Sources& sources);

// At most `max_samples` measurements of a device (0: all), drawn by `stream`; failed ones are left out.
SourceDevice draw_source(const Measurements& data, const Series& device, std::int64_t max_samples, std::uint64_t seed,
                         std::uint32_t stream);
// Of these rows of the set alone.
SourceDevice draw_source(const Measurements& data, const Series& device, std::span<const std::int64_t> rows,
                         std::int64_t max_samples, std::uint64_t seed, std::uint32_t stream);

// Which devices of a store are the sources of a new device; metrics too, as "metric:NAME" or "metric:SET:NAME".
struct SourceQuery {
  std::string set = "help", store;             // store "": the one that ships
  std::vector<std::string> devices = {"all"};  // "all" of the set; {"none"}: no store is needed
  std::string target;                          // left out of the sources; "": not in the store
  std::uint64_t seed = 1;                      // of the draws of their measurements, 1,000 of each
  std::string data_sheets = {};                // file; "": that of the set that ships, where one does
};
struct LoadedSources {
  Sources sources;
  bool target_left_out = false;  // it was among the devices
  bool target_unknown = false;   // it is named, and the set does not have it
};
// Sources get the data sheets of their names. Errors: a space without measurements in the store, unknown devices, a
// faulty file of data sheets.
LoadedSources load_sources(std::shared_ptr<const ArchitectureFeatures> features, const SourceQuery& query);

}  // namespace oneproxy
