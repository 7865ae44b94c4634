#pragma once
// The commands that a person with a device uses: which architectures to measure, and what the measurements say.
#include <cstdint>
#include <string>
#include <vector>

#include "experiments/cli/measurement_options.h"

namespace oneproxy {

// The options of both commands: the space, and the source devices of a store.
struct DeviceOptions {
  std::string space, geometry, set, store;     // set "": the space's
  std::string metric;                          // what is measured; "": latency
  bool force = false;                          // files that are there are replaced
  std::vector<std::string> sources = {"all"};  // "none": without source devices
  FileForm form;                               // of the files of measurements
  std::uint64_t seed = 1;
};

struct PlanOptions : DeviceOptions {
  std::string selection = "a_optimal", out = "plan.csv";
  std::vector<std::string> measured;  // files, read as one
  int k = 20;
  int reference = 0;  // after so many the first architecture comes again; 0: never
};
// `oneproxy plan`: writes the architectures to measure, in order, as CSV. Never looks at a target's latencies: of
// `measured` only the architectures are read.
std::string plan_measurements(const PlanOptions& options);

struct AdaptOptions : DeviceOptions {
  std::string device;
  std::string method = "bayes";
  std::vector<std::string> method_keys;   // KEY=VALUE, of the method's own
  std::vector<std::string> measurements;  // files, read as one
  std::string unit, direction;            // "": of latencies ms; of a metric needed, or in the store
  std::string data_sheet;                 // TOML file with that of the device; "": none
  std::string source_sheets;              // and with those of the sources; "": that of the set that ships
  std::string out, into, name;            // the device's file; or store, and the name there
  std::string archs, predictions;         // architectures to predict (default: those measured), and where to
  std::string results;                    // folder of results for one of its own (cli/adapt_result.h); "": none
  std::string command;                    // as it was called, for that
  bool drift = false;
  double threshold = 0.9, confidence = 0.9;
};
// `oneproxy adapt`: adapts to the measurements, says how well it will rank (where the method knows), and writes the
// predictor, to search with, the measured networks and the data sheet beside it, and predictions with error bars. Error
// where one is asked for and the measurements allow no adaptation.
std::string adapt_to_measurements(const AdaptOptions& options);

// For hints: the start of a call of one of the two for the same space and sources, and further words of it.
std::string call_of(const std::string& command, const DeviceOptions& options);
std::string shell_words(const std::vector<std::string>& all);  // each with a space before it

}  // namespace oneproxy
