#pragma once
// Random fleets of tables, qualities and limits, and the best of each device by brute force, which shares nothing with
// kernels/ but the order of a shuffled run.
#include <cmath>
#include <cstdint>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

#include "oneproxy/kernels/base/random.h"
#include "oneproxy/kernels/score/fleet.h"

namespace oneproxy::test {

struct FleetCase {
  std::string name;
  std::vector<std::uint32_t> radices;
  std::int64_t n_devices = 1, n_limits = 1;
  IndexRange run;
  bool tables = false;  // one for each value of digit 0
  double missing = 0;   // share of the weights that are NaN, and of the qualities
  int steps = 0;        // not 0: weights and qualities are multiples of 1 / steps, so that many are equal
  std::uint64_t seed = 0;
};

inline std::ostream& operator<<(std::ostream& out, const FleetCase& fleet_case) { return out << fleet_case.name; }

class RandomFleet {
 public:
  explicit RandomFleet(const FleetCase& of) : of_(of) {
    std::int32_t values = 0;
    for (const auto radix : of.radices)
      for (std::uint32_t value = 0; value < radix; ++value) rows_.push_back(values++);
    const std::size_t n_tables = of.tables ? of.radices[0] : 1, n = static_cast<std::size_t>(of.n_devices);
    weights_ = numbers(n_tables * rows_.size() * n, 1, of.missing);
    bias_ = numbers(n_tables * n, 2, 0);
    quality_ = numbers(of.run.count, 3, of.missing);
    // Limits about the middle of the sums, one that nobody keeps, one that all keep.
    const Philox random{of.seed, 4};
    for (std::size_t i = 0; i < n * static_cast<std::size_t>(of.n_limits); ++i) {
      const std::uint64_t kind = random.below(2 * i, 8);
      limits_.push_back(kind == 0   ? -1
                        : kind == 1 ? kInfinity
                                    : (0.25 + 0.5 * random.uniform(2 * i + 1)) * (1 + of.radices.size()));
    }
  }

  DigitCode code() const { return {of_.radices, 1, rows_, static_cast<int>(rows_.size())}; }
  TableFleet tables() const { return {of_.n_devices, weights_, bias_}; }
  const std::vector<double>& quality() const { return quality_; }
  const std::vector<double>& limits() const { return limits_; }

  double latency(const std::vector<std::uint32_t>& digits, std::int64_t device) const {
    const std::size_t n = static_cast<std::size_t>(of_.n_devices), t = of_.tables ? digits[0] : 0;
    double sum = bias_[t * n + device];
    std::size_t row = t * rows_.size();
    for (std::size_t d = 0; d < digits.size(); row += of_.radices[d++]) sum += weights_[(row + digits[d]) * n + device];
    return sum;
  }

 private:
  static constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::vector<double> numbers(std::size_t n, std::uint64_t stream, double missing) const {
    const Philox random{of_.seed, stream};
    std::vector<double> values(n);
    for (std::size_t i = 0; i < n; ++i) {
      values[i] = random.uniform(2 * i);
      if (of_.steps > 0) values[i] = std::floor(values[i] * of_.steps) / of_.steps;
      if (random.uniform(2 * i + 1) < missing) values[i] = std::numeric_limits<double>::quiet_NaN();
    }
    return values;
  }

  FleetCase of_;
  std::vector<std::int32_t> rows_;
  std::vector<double> weights_, bias_, quality_, limits_;
};

// latency(digits, device), quality(digits, position) -> [n_devices, n_limits].
template <class Latency, class Quality>
std::vector<FleetBest> best_by_brute_force(const std::vector<std::uint32_t>& radices, const IndexRange& run,
                                           std::int64_t n_devices, const std::vector<double>& limits,
                                           const Latency& latency, const Quality& quality) {
  const std::size_t n_limits = limits.size() / static_cast<std::size_t>(n_devices);
  const DigitSplit split = run.shuffled ? split_digits(radices) : DigitSplit{};
  std::vector<FleetBest> best(limits.size());
  std::vector<std::uint32_t> digits(radices.size());
  for (std::uint64_t position = 0; position < run.count; ++position) {
    const ArchIndex index = index_at(run, position, split);
    ArchIndex rest = index;
    for (std::size_t d = radices.size(); d-- > 0; rest /= radices[d])
      digits[d] = static_cast<std::uint32_t>(rest % radices[d]);
    const double q = quality(digits, position);
    if (std::isnan(q)) continue;
    for (std::int64_t device = 0; device < n_devices; ++device) {
      const double x = latency(digits, device);
      for (std::size_t l = 0; l < n_limits; ++l) {
        FleetBest& own = best[device * n_limits + l];
        if (std::isnan(x) || x > limits[device * n_limits + l]) continue;
        const bool better = !own.found() || q > own.quality ||
                            (q == own.quality && (x < own.latency || (x == own.latency && index < own.index)));
        if (better) own = {index, x, q};
      }
    }
  }
  return best;
}

inline std::string to_string(const FleetBest& best) {
  return best.found() ? "architecture " + to_decimal(best.index) + ", latency " + std::to_string(best.latency) +
                            ", quality " + std::to_string(best.quality)
                      : "none";
}
inline bool equal(const FleetBest& a, const FleetBest& b) {
  return a.found() == b.found() &&
         (!a.found() || (a.index == b.index && a.latency == b.latency && a.quality == b.quality));
}

}  // namespace oneproxy::test
