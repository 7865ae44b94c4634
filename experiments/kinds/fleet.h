#pragma once
// Source devices of a store, as adaptation takes them, and the architectures that a
// trial measures: what few_shot, proxy_sweep and the commands share.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/adapt/design/design.h"
#include "oneproxy/engine/adapt/method.h"
#include "oneproxy/engine/device/measurements.h"

namespace oneproxy {

// At most `most` measurements of a device (0: all), drawn by `stream`; failed ones are left out.
SourceDevice source_device(const Measurements& data, const Series& series, std::int64_t most, std::uint64_t seed,
                           std::uint32_t stream);
// Of these rows of the set alone.
SourceDevice source_device(const Measurements& data, const Series& series, std::span<const std::int64_t> rows,
                           std::int64_t most, std::uint64_t seed, std::uint32_t stream);

// What a design takes the blocks' variances for: all alike, or the medians of the model's prior.
enum class DesignScales { flat, prior };

// All rows of `archs` in the order in which a trial measures them on every target: chosen by features alone. First k
// and a few to spare for failed measurements, by design; then the others at random. Designs choose from 500 random
// rows, or as many as k asks for, with `connected` only from connected cells.
std::vector<std::int64_t> measuring_order(const Architectures& archs, const BayesModel& model, Selection selection,
                                          DesignScales scales, bool connected, int k, std::uint64_t seed, int trial);

// The first k rows of the order that the device has, with their latencies.
struct MeasuredRows {
  std::vector<std::int64_t> rows;
  std::vector<double> latency_ms;
};
MeasuredRows measure_rows(const Series& target, std::span<const std::int64_t> order, int k);

}  // namespace oneproxy
