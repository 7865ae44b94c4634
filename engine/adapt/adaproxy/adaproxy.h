#pragma once
// AdaProxy: lift a proxy device's linear predictor to a target device with few measurements.
// Source: Lu et al., SIGMETRICS 2022, sec. 4.3.
//
//   minimise over a, b, c:  1/n || X((a + b) o w0) + c - y ||^2  +  lambda ||b||_p       p in {1, 2, inf}
//
// X [n, D] one-hot codes (no constant column), w0 [D] the proxy's weights scaled so that X w0 has unit deviation over
// the proxy's architectures, y [n] target latencies scaled to unit deviation by the training samples only. a and c are
// not penalised. lambda = lambda_max 10^(-k/5), k = 0..25, lambda_max the smallest with b = 0; the step of the best
// SRCC on the validation samples wins, ties go to the smallest lambda. Where the optimum is not unique (p = 1, inf) the
// one of least ||b||_2 is taken; columns that no training sample shows get b = 0.
#include <cstdint>
#include <memory>
#include <vector>

#include "oneproxy/engine/adapt/adaproxy/norm.h"
#include "oneproxy/engine/device/samples.h"
#include "oneproxy/engine/predictor/additive_predictor.h"

namespace oneproxy {

// The bare convex problem, in scaled units; exposed for its tests.
struct AdaproxyProblem {
  std::int64_t n = 0, dims = 0;
  std::vector<double> x;   // [n, dims] row-major
  std::vector<double> w0;  // [dims]
  std::vector<double> y;   // [n]
  Norm norm = Norm::l2;
};
struct AdaproxySolution {
  double a = 0, c = 0;
  std::vector<double> b;  // [dims]
  double lambda = 0;
  double objective = 0;     // primal value
  double relative_gap = 0;  // (primal - dual) / max(primal, 1e-14), of a dual point made from the residual; <= 1e-8
};
inline constexpr double kAdaproxyMaxGap = 1e-8;

// Solves for several lambdas of one problem; everything that does not depend on lambda is prepared once.
// Where the samples can not tell a from c (X w0 constant on them), a = 0.
class AdaproxySolver {
 public:
  explicit AdaproxySolver(AdaproxyProblem problem);
  ~AdaproxySolver();
  AdaproxySolver(AdaproxySolver&&) noexcept;
  AdaproxySolver& operator=(AdaproxySolver&&) noexcept;

  // Smallest lambda with b = 0; 0 where X w0 alone explains y.
  double lambda_max() const;

  // lambda > 0, or >= lambda_max(). A solution for a larger lambda of the same problem as `start` saves time; the
  // result is the same. Throws std::logic_error, with the numbers, where the gap passes kAdaproxyMaxGap.
  AdaproxySolution solve(double lambda) const;
  AdaproxySolution solve(double lambda, const AdaproxySolution& start) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct AdaproxyResult {
  AdditivePredictor predictor;  // for the target, in ms: scoring kernels run it as it is
  double lambda = 0;
  int lambda_step = 0;  // k
  double validation_srcc = 0;
  AdaproxySolution solution;
};

inline constexpr int kAdaproxyLambdaSteps = 26;

// `proxy` is the proxy's linear predictor (one table), `proxy_deviation` the standard deviation (population) of its
// predictions over the proxy's architectures. A step whose validation SRCC is undefined (constant predictions) ranks
// below any number; where all are, validation_srcc is NaN. Errors: fewer than 3 training or 2 validation samples, a
// non-finite latency, no spread of latency in the training samples, a choice outside its radix, a proxy without
// deviation.
AdaproxyResult adapt_adaproxy(const AdditivePredictor& proxy, double proxy_deviation, const TrainingSamples& training,
                              const ValidationSamples& validation, Norm norm);

}  // namespace oneproxy
