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
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/predictor/linear_predictor.h"

namespace oneproxy {

enum class Norm { l1, l2, linf };
Norm parse_norm(std::string_view text);  // "1", "2", "inf"; Error otherwise
const char* to_string(Norm norm);

// Measured architectures: choices [n, n_decisions] row-major, latency_ms [n], finite.
// Two types, so that what chooses lambda is never fitted on, and test latencies fit nowhere.
struct TrainingSamples {
  std::vector<std::uint8_t> choices;
  std::vector<double> latency_ms;
};
struct ValidationSamples {
  std::vector<std::uint8_t> choices;
  std::vector<double> latency_ms;
};

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
  double relative_gap = 0;  // (primal - dual) / max(primal, tiny); <= 1e-8
};
// Solves for several lambdas of one problem; everything that does not depend on lambda is prepared once.
class AdaproxySolver {
 public:
  explicit AdaproxySolver(AdaproxyProblem problem);
  ~AdaproxySolver();
  AdaproxySolver(AdaproxySolver&&) noexcept;
  double lambda_max() const;
  AdaproxySolution solve(double lambda) const;

 private:
  struct State;
  State* state_;
};

struct AdaproxyResult {
  LinearPredictor predictor;  // for the target, in ms: scoring kernels run it as it is
  double lambda = 0;
  int lambda_step = 0;  // k
  double validation_srcc = 0;
  AdaproxySolution solution;
};

inline constexpr int kAdaproxyLambdaSteps = 26;

// `proxy` is the proxy's predictor, `proxy_deviation` the standard deviation (population) of its predictions over the
// proxy's architectures. Errors: fewer than 3 training or 2 validation samples, a non-finite latency, no spread of
// latency in the training samples.
AdaproxyResult adapt_adaproxy(const LinearPredictor& proxy, double proxy_deviation, const TrainingSamples& training,
                              const ValidationSamples& validation, Norm norm);

}  // namespace oneproxy
