#include "oneproxy/engine/front_loop/answers.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr double kScattered = 1.2;  // largest over smallest of repeats that a person should look at

struct KnownNetwork {
  std::vector<double> point;
  const RecordedNetwork* network;
};

// With a quality, sorted by their points.
std::vector<KnownNetwork> known_networks(const MeasurementRecord& record) {
  std::vector<KnownNetwork> known;
  for (const auto& network : record.networks())
    if (network.known() && !std::isnan(network.quality)) known.push_back({network.point(), &network});
  std::stable_sort(known.begin(), known.end(), [](const auto& a, const auto& b) { return a.point < b.point; });
  return known;
}

}  // namespace

MeasuredNetwork measured_network(const FrontLoopProblem& problem, const RecordedNetwork& network) {
  auto values = network.point();
  for (std::size_t j = 0; j + 1 < values.size(); ++j)
    values[j] = as_additive(problem.measured[j].quantity, values[j]);  // its own inverse
  const double quality = problem.quality.maximised() ? -values.back() : values.back();
  values.pop_back();
  double deviation = 0;
  if (problem.quality.posterior) problem.quality.posterior->deviations(network.choices, std::span(&deviation, 1));
  return {network.choices, std::move(values), network.n_repeats(), quality, deviation};
}

std::vector<const RecordedNetwork*> measured_front(const MeasurementRecord& record) {
  const auto known = known_networks(record);
  std::vector<const RecordedNetwork*> front;
  for (std::size_t i = 0; i < known.size(); ++i) {
    const auto no_worse = [&](const KnownNetwork& other) {
      for (std::size_t j = 0; j < other.point.size(); ++j)
        if (other.point[j] > known[i].point[j]) return false;
      return true;
    };
    // Sorted: nothing that comes later dominates, and of equal ones the first counts.
    if (std::none_of(known.begin(), known.begin() + static_cast<std::ptrdiff_t>(i), no_worse))
      front.push_back(known[i].network);
  }
  return front;
}

std::vector<LimitAnswer> answers_within(const FrontLoopProblem& problem, const FrontLoopSettings& settings,
                                        const MeasurementRecord& record, std::span<const double> limits) {
  const auto known = known_networks(record);
  const std::size_t n_measured = problem.measured.size();
  std::vector<LimitAnswer> answers;
  for (std::size_t l = 0; l < settings.limits.size(); ++l) {
    double nearest = std::numeric_limits<double>::infinity();  // largest share of a bound, 1 where all are kept
    const RecordedNetwork* best = nullptr;
    for (const auto& [point, network] : known) {
      double share = 1;
      for (std::size_t j = 0; j < n_measured; ++j) share = std::max(share, point[j] / limits[l * n_measured + j]);
      if (share < nearest || (share == nearest && network->quality < best->quality)) nearest = share, best = network;
    }
    LimitAnswer answer{settings.limits[l], nearest == 1, {}};
    if (best) answer.network = measured_network(problem, *best);
    answers.push_back(std::move(answer));
  }
  return answers;
}

std::vector<Remark> remarks_on(const FrontLoopProblem& problem, const MeasurementRecord& record,
                               std::span<const AdaptedBayes> adapted) {
  const auto& space = problem.features->space();
  std::vector<Remark> remarks;
  for (std::size_t j = 0; j < adapted.size(); ++j) {
    const auto& quantity = problem.measured[j].quantity;
    const auto value = [&](double additive) { return brief(as_additive(quantity, additive)) + " " + quantity.unit; };
    for (const auto& remark : adapted[j].remarks) remarks.push_back({remark.kind, quantity.name + ": " + remark.text});
    std::int64_t sample = 0;  // in the order in which the model got them
    for (const auto& network : record.networks())
      for (const double one : network.repeats[j]) {
        const auto& outliers = adapted[j].outliers;
        if (std::find(outliers.begin(), outliers.end(), sample++) != outliers.end())
          remarks.push_back({Remark::Kind::outlier, quantity.name + " of " + space.to_string(network.choices) +
                                                        " was " + value(one) +
                                                        ", far beyond all others: it counts for next to nothing; "
                                                        "measure it again"});
      }
    for (const auto& network : record.networks()) {
      const auto& repeats = network.repeats[j];
      if (repeats.size() < 2) continue;
      const auto [low, high] = std::minmax_element(repeats.begin(), repeats.end());
      if (*high > kScattered * *low)
        remarks.push_back({Remark::Kind::scattered_repeats, quantity.name + " of " + space.to_string(network.choices) +
                                                                " scatters: its repeats lie between " + value(*low) +
                                                                " and " + value(*high)});
    }
  }
  return remarks;
}

}  // namespace oneproxy
