#include "oneproxy/engine/front_loop/record.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/device/value_range.h"
#include "oneproxy/engine/front_loop/candidate_pool.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

bool RecordedNetwork::known() const { return n_repeats() > 0; }

int RecordedNetwork::n_repeats() const {
  std::size_t least = std::numeric_limits<int>::max();
  for (const auto& one : repeats) least = std::min(least, one.size());
  return static_cast<int>(least);
}

std::vector<double> RecordedNetwork::point() const {
  std::vector<double> point;
  for (const auto& one : repeats) point.push_back(median_of(one));
  point.push_back(quality);
  return point;
}

MeasurementRecord::MeasurementRecord(const SearchSpace& space, std::vector<Quantity> measured, Objective quality)
    : space_(space), measured_(std::move(measured)), quality_(std::move(quality)) {}

void MeasurementRecord::tell(std::span<const std::uint8_t> choices, std::span<const double> values) {
  ONEPROXY_ASSERT(values.size() == measured_.size());
  for (std::size_t j = 0; j < measured_.size(); ++j)
    if (!std::isnan(values[j]))
      check_measured(values[j], measured_[j], measured_[j].name + " of " + space_.to_string(choices));
  if (!find(choices)) {  // the quality before the number: it may be an error
    networks_.push_back({{choices.begin(), choices.end()},
                         std::vector<std::vector<double>>(measured_.size()),
                         minimised_values(quality_, choices, choices.size())[0],
                         0});
    number_.emplace(networks_.back().choices, networks_.size() - 1);
  }
  auto& network = networks_[number_.find(choices)->second];
  ++network.attempts;
  for (std::size_t j = 0; j < measured_.size(); ++j)
    if (!std::isnan(values[j])) network.repeats[j].push_back(as_additive(measured_[j], values[j]));
}

const RecordedNetwork* MeasurementRecord::find(std::span<const std::uint8_t> choices) const {
  const auto at = number_.find(choices);
  return at == number_.end() ? nullptr : &networks_[at->second];
}

bool MeasurementRecord::failed(std::span<const std::uint8_t> choices) const {
  const auto* network = find(choices);
  return network && !network->known();
}

std::int64_t MeasurementRecord::n_attempts() const {
  std::int64_t n = 0;
  for (const auto& network : networks_) n += network.attempts;
  return n;
}

std::size_t MeasurementRecord::n_known(std::size_t n) const {
  return static_cast<std::size_t>(std::count_if(networks_.begin(), networks_.begin() + static_cast<std::ptrdiff_t>(n),
                                                [](const auto& one) { return one.known(); }));
}

std::vector<double> MeasurementRecord::points(std::size_t n) const {
  std::vector<double> all;
  for (std::size_t i = 0; i < n; ++i) {
    if (!networks_[i].known() || std::isnan(networks_[i].quality)) continue;
    const auto one = networks_[i].point();
    all.insert(all.end(), one.begin(), one.end());
  }
  return all;
}

}  // namespace oneproxy
