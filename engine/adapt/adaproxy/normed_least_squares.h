#pragma once
// Least squares with a norm, not its square, as the penalty:
//
//   minimise over b:  1/2 ||r - A b||_2^2  +  mu ||b||_p        p in {1, 2, inf}
//
// and of all minimisers the one of least ||b||_2. A may have any rank and more columns than rows.
//   p = 2        b = (A'A + m I)^-1 A'r with m ||b(m)|| = mu: one SVD, then a scalar equation.
//   p = 1, inf   an active-set search over the faces of the norm ball. On a face, b = S x with S orthonormal and the
//                penalty q'x is linear, so that for M = A S the least-norm minimiser is M+ (r - M+' q). The search is
//                the primal active-set method for the strictly convex problem with + epsilon/2 ||b||^2, epsilon -> 0
//                taken symbolically: the sign of a multiplier is that of its constant part, or where that is zero,
//                of its part in epsilon. So it ends at the minimiser of least ||b||_2, with exact zeros (p = 1) and
//                exact |b_j| = ||b||_inf (p = inf).
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "oneproxy/engine/adapt/adaproxy/norm.h"

namespace oneproxy {

struct NormedMinimiser {
  std::vector<double> b;         // [dims]
  std::vector<double> residual;  // r - A b [rows], found without the cancellation of that difference
};

class NormedLeastSquares {
 public:
  // a [rows, dims] column-major, r [rows]. Columns below 1e-10 of the longest count as zero and get b = 0.
  NormedLeastSquares(std::span<const double> a, std::span<const double> r, Norm norm);
  ~NormedLeastSquares();
  NormedLeastSquares(NormedLeastSquares&&) noexcept;
  NormedLeastSquares& operator=(NormedLeastSquares&&) noexcept;

  // Smallest mu with b = 0.
  double mu_max() const;

  // mu > 0. `start` is empty or the minimiser for a larger mu, [dims]: it saves time and does not change the result.
  // Throws std::logic_error where the search does not end.
  NormedMinimiser solve(double mu, std::span<const double> start) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace oneproxy
