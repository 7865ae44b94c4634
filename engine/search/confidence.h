#pragma once
// Limits that hold: an architecture keeps a limit where the value that it stays within with a stated confidence does,
//   bound(x) = value(x) + z spread(x) <= limit         (value - z spread >= limit of what is maximised)
// of every objective with a posterior (engine/predictor/posterior.h); limits on other objectives are as they are.
//
// bound() does not add up over decisions. Where architectures are evaluated one by one (rows of a set, tables by index)
// it simply takes the value's place. Where the scoring kernels run, spread(x) is the length of a vector of sums over
// decisions, (factor_r(x), noise terms), so for any unit vector u
//   value(x) + z <u, (factor_r(x), noise terms)>  <=  bound(x)            (Cauchy and Schwarz)
// is a sum over decisions too, and equal where u points along the vector of x. Searches under that: none can be better
// than what they find, and once what they find keeps the limit itself, it is the best there is. u turns to the last
// answer each time; if a few turns do not get there, the limit is drawn in by what the answer breaks it by.
// Source: cutting planes, Kelley, "The Cutting-Plane Method for Solving Convex Programs", J. SIAM 8 (1960).
#include <string>

#include "oneproxy/engine/search/method.h"

namespace oneproxy {

// Where all objectives cover the space, so that all of it is searched: posteriors with the calibration for that.
void calibrate_for_space(std::vector<Objective>& objectives);

// How far a value is from its limit, and what that means; of objectives with a posterior.
struct KeptLimit {
  double deviation = 0;    // spread(x): of one measurement
  double probability = 0;  // that a measurement keeps the limit; NaN without one
};
KeptLimit kept_limit(const Objective& objective, std::span<const std::uint8_t> choices, double value, double limit);

// value + z spread of architectures [n] at the confidence; minus where the objective is maximised.
std::vector<double> confident_values(const Objective& objective, double confidence,
                                     std::span<const std::uint8_t> choices, std::span<const double> values);

// Searches that search_with_confidence makes, at most; each has the question's budget.
int searches_with_confidence(const SearchQuestion& question);
// The budget of all of them made that of each: together they keep to it.
void share_budget(SearchQuestion& question);

// Front as without a confidence, by predicted values; for each of the limits the best within it at the confidence, with
// their predicted values. `evaluator` counts all searches. Confidence 0: the search as it is. Errors: no objective
// with a posterior has a limit, a confidence that its calibration can not give.
SearchResult search_with_confidence(const SearchMethod& method, Evaluator& evaluator, double confidence);

}  // namespace oneproxy
