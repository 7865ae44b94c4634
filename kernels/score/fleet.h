#pragma once
// A fleet: the latency predictors of many devices over one code and one run of architectures. Either all scores, or
// only what a fleet is for: each device's best architecture within each of its limits.
//
// Calls block until their result is on the host. Results do not depend on the number of threads, nor on the order in
// which threads find what counts. Errors: what check_code and check_score_function refuse, lengths that do not fit, a
// limit that is NaN, a run beyond the space, a precision that the back end has not, a back end that can not run here
// (Error).
#include <cstdint>
#include <limits>
#include <span>
#include <variant>
#include <vector>

#include "oneproxy/kernels/base/backend.h"
#include "oneproxy/kernels/base/digits.h"
#include "oneproxy/kernels/base/precision.h"
#include "oneproxy/kernels/score/score_function.h"

namespace oneproxy {

// Many MLPs of one shape, one score each: scores [n_models, run.count] fp32. Built for thousands of devices' predictors
// over a small space, where making a Scorer each would cost.
void score_fleet(const DigitCode& code, std::span<const Mlp> models, const IndexRange& run, std::span<float> scores,
                 Backend backend, Precision precision);

// Many tables of one layout (kernels/additive/table.h), device beside device, so that an architecture's latencies on
// all devices are sums of a few rows. A code of one digit makes it a table of every architecture's latency. A view.
struct TableFleet {
  std::int64_t n_devices = 0;
  std::span<const double> weights;  // [n_tables, sum of radices, n_devices]; NaN: an entry that the device has not
  std::span<const double> bias;     // [n_tables, n_devices]; 1 table, or one for each value of digit 0

  std::size_t n_tables() const { return n_devices > 0 ? bias.size() / static_cast<std::size_t>(n_devices) : 0; }
};

// What all devices share: a function that is scored once an architecture, in fp64, or given values [run.count] by
// position in the run. NaN: such an architecture is no answer.
using FleetQuality = std::variant<ScoreFunction, std::span<const double>>;

struct FleetBest {
  ArchIndex index = 0;
  double latency = std::numeric_limits<double>::quiet_NaN();  // fp64, as score_by_definition says
  double quality = std::numeric_limits<double>::quiet_NaN();
  bool found() const { return quality == quality; }  // false: no architecture of the run keeps the limit
};

// best [n_devices, n_limits] for limits [n_devices, n_limits]: of the architectures of the run whose latency on the
// device is at most the limit, the one of the highest quality; ties go to the lower latency, then to the lower index.
// A limit of infinity is kept by whatever has a latency.
//
// The answer is that of fp64 scores, whatever the precision: what a fast score leaves open, for its proven error, is
// scored again. bf16 has so wide a bound that little is decided by it; fp32 is the fastest on CPUs.
std::vector<FleetBest> reduce_fleet(const DigitCode& code, std::span<const Mlp> fleet, const FleetQuality& quality,
                                    std::span<const double> limits, const IndexRange& run, Backend backend,
                                    Precision precision);
// Tables add up in fp64, in the order of the definition.
std::vector<FleetBest> reduce_fleet(const DigitCode& code, const TableFleet& fleet, const FleetQuality& quality,
                                    std::span<const double> limits, const IndexRange& run, Backend backend);

}  // namespace oneproxy
