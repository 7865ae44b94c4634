#pragma once
// Between the public Scorer and its twins. Private to kernels/.
#include "oneproxy/kernels/score/scorer.h"

namespace oneproxy {

// One back end's scorer; arguments are checked before.
class Scorer::Implementation {
 public:
  virtual ~Implementation() = default;
  virtual void score(const IndexRange& run, std::span<double> scores) const = 0;
  virtual void score_list(std::span<const std::uint32_t> digits, std::span<double> scores) const = 0;
  virtual void reduce(const IndexRange& run, Reduction& reduction) const = 0;
  virtual double error_bound(int model) const = 0;
  virtual std::vector<std::string> paths() const = 0;
};

namespace detail {

std::unique_ptr<Scorer::Implementation> make_scorer_cpu(const DigitCode& code, std::span<const ScoreFunction> models,
                                                        Precision precision);
std::unique_ptr<Scorer::Implementation> make_scorer_cuda(const DigitCode& code, std::span<const ScoreFunction> models,
                                                         Precision precision);
void score_fleet_cpu(const DigitCode& code, std::span<const Mlp> models, const IndexRange& run, std::span<float> scores,
                     Precision precision);
void score_fleet_cuda(const DigitCode& code, std::span<const Mlp> models, const IndexRange& run,
                      std::span<float> scores, Precision precision);
// The same; returns the seconds of the kernels alone, of the slowest device. 0 where models went one after another.
double score_fleet_cuda_timed(const DigitCode& code, std::span<const Mlp> models, const IndexRange& run,
                              std::span<float> scores, Precision precision);

}  // namespace detail
}  // namespace oneproxy
