#pragma once
// By how much one more architecture is expected to raise the hypervolume of a front, exactly, where its objectives are
// independent Gaussians or known. All objectives are minimised here: of a quality its negative.
//
// What a front leaves undominated below a reference r is a set of disjoint boxes (l, u]. A point y dominates in each
// box the part above it, prod_i ((u_i - y_i)+ - (l_i - y_i)+), so with independent y_i
//   E[improvement] = sum over boxes prod_i (G_i(u_i) - G_i(l_i)),    G(t) = E[(t - y)+]
//                  = (t - m) Phi((t - m) / s) + s phi((t - m) / s)   for y ~ N(m, s^2), (t - m)+ where s is 0.
// Two objectives: K + 1 boxes, strips of the second; the closed form of Emmerich, Yang, Deutz, Wang and Fonseca, "A
// Multicriteria Generalization of Bayesian Global Optimization" (2016). Three: a staircase of strips in each slab of
// the third objective.
#include <cstdint>
#include <span>
#include <vector>

namespace oneproxy {

struct Gaussian {
  double mean = 0, deviation = 0;  // deviation 0: known
};

// G(t) of the above.
double expected_shortfall_below(double t, const Gaussian& y);

// What a front leaves to gain.
class UndominatedBoxes {
 public:
  // points [n, m] of any points, minimised; m is 2 or 3, that of `reference`. Points that are not below the reference
  // in all objectives do not count. Error: a value that is not finite.
  UndominatedBoxes(std::span<const double> points, std::span<const double> reference);

  std::size_t n_objectives() const { return levels_.size(); }
  std::size_t n_boxes() const { return n_boxes_; }
  // y [m]
  double expected_improvement(std::span<const Gaussian> y) const;
  // Of a point that is known.
  double improvement(std::span<const double> point) const;

 private:
  std::vector<std::vector<double>> levels_;  // [m] ascending; the first is minus infinity
  std::vector<std::uint32_t> boxes_;         // [n_boxes, m, 2] of l and u among the levels
  std::size_t n_boxes_ = 0;
};

// Of limits on all objectives but the last: sum over limits L of E[(best_L - y_m)+] prod_i P(y_i <= L_i), where y_m is
// the goal (minimised) and best_L its best that is known to keep the limit L. limits [n, m - 1], infinite: none;
// best [n]; y [m].
double expected_improvement_within(std::span<const double> limits, std::span<const double> best,
                                   std::span<const Gaussian> y);

}  // namespace oneproxy
