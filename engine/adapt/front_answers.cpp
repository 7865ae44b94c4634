#include "oneproxy/engine/adapt/front_answers.h"

#include <cmath>
#include <limits>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr int kHalvings = 40;
constexpr double kLargest = 1e6;  // lambda, times the ratio of the tables' sizes

double mean_size(const AdditivePredictor& table) {
  double sum = 0;
  for (const double weight : table.weights) sum += std::abs(weight);
  return sum / static_cast<double>(table.weights.size());
}

class Corners {
 public:
  Corners(const AdditivePredictor& goal, const AdditivePredictor& latency) : goal_(goal), latency_(latency) {
    for (const auto radix : latency.radices) width_ += radix;
  }

  // The best in goal - lambda latency.
  std::vector<std::uint8_t> at(double lambda) const {
    std::vector<std::uint8_t> best;
    double best_value = -std::numeric_limits<double>::infinity();
    for (int t = 0; t < latency_.n_tables(); ++t) {
      const std::size_t own = latency_.n_tables() > 1, g = goal_.n_tables() > 1 ? t : 0;
      const double *of_goal = &goal_.weights[g * width_], *of_latency = &latency_.weights[t * width_];
      double value = goal_.bias[g] - lambda * latency_.bias[t];
      std::vector<std::uint8_t> choices(latency_.radices.size(), 0);
      if (own) {
        choices[0] = static_cast<std::uint8_t>(t);
        value += of_goal[t];
      }
      std::size_t first = own ? latency_.radices[0] : 0;
      for (std::size_t d = own; d < choices.size(); first += latency_.radices[d++]) {
        const auto gain = [&](std::size_t c) { return of_goal[first + c] - lambda * of_latency[first + c]; };
        for (std::uint8_t c = 1; c < latency_.radices[d]; ++c)
          if (gain(c) > gain(choices[d])) choices[d] = c;
        value += gain(choices[d]);
      }
      if (value <= best_value) continue;
      best_value = value;
      best = std::move(choices);
    }
    return best;
  }

  double latency(const std::vector<std::uint8_t>& choices) const {
    double value = 0;
    latency_.predict(choices, std::span(&value, 1));
    return value;
  }

 private:
  const AdditivePredictor &goal_, &latency_;
  std::size_t width_ = 0;
};

}  // namespace

std::vector<std::uint8_t> front_answers(const AdditivePredictor& goal, const AdditivePredictor& latency,
                                        std::span<const double> limits) {
  ONEPROXY_ASSERT(goal.radices == latency.radices);
  const Corners corners(goal, latency);
  const double largest = kLargest * mean_size(goal) / mean_size(latency);
  std::vector<std::uint8_t> answers;
  for (const double limit : limits) {
    auto answer = corners.at(largest);
    if (!(corners.latency(answer) <= limit)) continue;
    double low = std::log(largest) - 2 * std::log(kLargest), high = std::log(largest);  // of lambda; high keeps it
    for (int i = 0; i < kHalvings; ++i) {
      const double middle = (low + high) / 2;
      auto corner = corners.at(std::exp(middle));
      const bool keeps = corners.latency(corner) <= limit;
      (keeps ? high : low) = middle;
      if (keeps) answer = std::move(corner);
    }
    answers.insert(answers.end(), answer.begin(), answer.end());
  }
  return answers;
}

}  // namespace oneproxy
