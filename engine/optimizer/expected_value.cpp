#include "oneproxy/engine/optimizer/expected_value.h"

#include <algorithm>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

double expected_table(const StageRules& rules, int n_choices, std::span<const double> values,
                      std::span<const double> probabilities, std::span<double> by) {
  const int n = rules.n_decisions();
  const auto radices = rules.radices();
  // after[d] [product of the first d radices]: the expectation where the first d decisions are known.
  std::vector<std::vector<double>> after(n);
  std::span<const double> below = values;
  for (int d = n - 1; d >= 0; --d) {
    const double* p = &probabilities[static_cast<std::size_t>(d) * n_choices];
    after[d].assign(below.size() / radices[d], 0.0);
    const double* value = below.data();
    for (double& sum : after[d])
      for (int c = 0; c < radices[d]; ++c) sum += p[c] * *value++;
    below = after[d];
  }
  // reach [product of the first d radices]: the probability of the first d decisions.
  std::fill(by.begin(), by.end(), 0.0);
  std::vector<double> reach = {1}, next;
  for (int d = 0; d < n; ++d) {
    const double* p = &probabilities[static_cast<std::size_t>(d) * n_choices];
    double* by_p = &by[static_cast<std::size_t>(d) * n_choices];
    const double* value = d + 1 < n ? after[d + 1].data() : values.data();
    next.clear();
    for (const double of_prefix : reach)
      for (int c = 0; c < radices[d]; ++c) {
        by_p[c] += of_prefix * *value++;
        if (d + 1 < n) next.push_back(of_prefix * p[c]);
      }
    reach.swap(next);
  }
  return after[0][0];
}

namespace {

// bias + the expectation of the decisions from `first` on, with one table; derivatives times `factor` are added to
// `by`.
double expected_of_one(const StageRules& rules, int n_choices, const double* weights, double bias, int first,
                       std::span<const double> probabilities, double factor, std::span<double> by) {
  const int n = rules.n_decisions();
  std::vector<double> alive(n), mean(n), missing(n);  // of each decision: p(its stage is not closed), E, weight of 0
  std::vector<const double*> own(n);
  double value = bias, still = 1;
  for (int d = 0; d < n; ++d) {
    own[d] = weights;
    weights += rules.radices()[d];
    if (d < first) continue;
    const double* p = &probabilities[static_cast<std::size_t>(d) * n_choices];
    for (int c = 0; c < rules.radices()[d]; ++c)
      if (rules.open(d, false, c)) mean[d] += p[c] * own[d][c];
    missing[d] = own[d][0];
    alive[d] = still;
    value += still == 1 ? mean[d] : still * mean[d] + (1 - still) * missing[d];
    still = rules.closed_after(d, 0) ? still * (1 - p[0]) : 1;
  }
  double by_still = 0;  // of the decisions after this one, by the probability that their stage is not closed
  for (int d = n - 1; d >= first; --d) {
    const double* p = &probabilities[static_cast<std::size_t>(d) * n_choices];
    double* by_p = &by[static_cast<std::size_t>(d) * n_choices];
    const bool closes = rules.closed_after(d, 0);
    if (!closes) by_still = 0;
    for (int c = 0; c < rules.radices()[d]; ++c)
      if (rules.open(d, false, c)) by_p[c] += factor * alive[d] * own[d][c];
    if (closes) by_p[0] -= factor * alive[d] * by_still;
    by_still = mean[d] - missing[d] + (closes ? (1 - p[0]) * by_still : 0);
  }
  return value;
}

}  // namespace

double expected_sum(const StageRules& rules, int n_choices, const AdditivePredictor& predictor,
                    std::span<const double> probabilities, std::span<double> by) {
  ONEPROXY_ASSERT(std::ssize(probabilities) == std::ssize(by));
  std::fill(by.begin(), by.end(), 0.0);
  const auto table = predictor.table();
  if (predictor.n_tables() == 1)
    return expected_of_one(rules, n_choices, table.weights_of(0), table.bias[0], 0, probabilities, 1, by);
  double value = 0;
  for (std::size_t t = 0; t < table.n_tables(); ++t) {
    const double* weights = table.weights_of(t);
    const double own =
        weights[t] + expected_of_one(rules, n_choices, weights, table.bias[t], 1, probabilities, probabilities[t], by);
    by[t] = own;
    value += probabilities[t] * own;
  }
  return value;
}

}  // namespace oneproxy
