#pragma once
// The best of each device within each limit, while a run is looked at. Private to kernels/.
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "oneproxy/kernels/score/fleet.h"

namespace oneproxy::detail {

// Threads may change different devices at the same time.
class FleetAnswers {
 public:
  FleetAnswers(std::int64_t n_devices, std::span<const double> limits);  // limits [n_devices, n_limits]

  std::int64_t n_devices() const { return n_devices_; }
  std::int64_t n_limits() const { return n_limits_; }
  std::span<const double> limits_of(std::int64_t device) const {
    return std::span(limits_).subspan(static_cast<std::size_t>(device * n_limits_),
                                      static_cast<std::size_t>(n_limits_));
  }

  // An architecture whose quality is lower can not be the answer; +infinity where nothing can.
  double least_quality(std::int64_t device, std::int64_t limit) const { return least_[at(device, limit)]; }
  double least_quality() const;  // of all devices and limits

  // An architecture that keeps the limit.
  void offer(std::int64_t device, std::int64_t limit, const FleetBest& candidate);
  // No architecture of the space keeps the limit.
  void close(std::int64_t device, std::int64_t limit) {
    least_[at(device, limit)] = std::numeric_limits<double>::infinity();
  }

  std::vector<FleetBest> take() { return std::move(best_); }

 private:
  std::size_t at(std::int64_t device, std::int64_t limit) const {
    return static_cast<std::size_t>(device * n_limits_ + limit);
  }

  std::int64_t n_devices_, n_limits_;
  std::vector<double> limits_, least_;
  std::vector<FleetBest> best_;
};

}  // namespace oneproxy::detail
