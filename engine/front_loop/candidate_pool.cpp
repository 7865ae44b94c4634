#include "oneproxy/engine/front_loop/candidate_pool.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace oneproxy {

std::vector<double> minimised_values(const Objective& objective, std::span<const std::uint8_t> choices,
                                     std::size_t n_decisions) {
  std::vector<double> values(choices.size() / n_decisions);
  objective.evaluate(choices, values);
  if (objective.maximised())
    for (auto& value : values) value = -value;
  return values;
}

CandidatePool make_pool(const std::vector<const GaussianProcess*>& models, const Objective& quality,
                        std::span<const std::uint8_t> choices) {
  const auto& features = models.front()->features();
  const std::size_t width = features.space().radices().size();
  const auto values = minimised_values(quality, choices, width);
  std::vector<std::int64_t> order;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isnan(values[i])) order.push_back(static_cast<std::int64_t>(i));
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return values[a] < values[b]; });
  CandidatePool pool;
  for (const auto i : order) {
    pool.quality.push_back(values[i]);
    pool.choices.insert(pool.choices.end(), &choices[i * width], &choices[i * width] + width);
  }
  pool.quality_deviation.assign(order.size(), 0);
  if (quality.posterior) quality.posterior->deviations(pool.choices, pool.quality_deviation);
  const auto rows = features.rows(pool.choices);
  for (const auto* model : models) pool.z.push_back(model->design(rows));
  return pool;
}

}  // namespace oneproxy
