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
  virtual std::vector<std::string> left_out() const { return {}; }
};

namespace detail {

std::unique_ptr<Scorer::Implementation> make_scorer_cpu(const DigitCode& code, std::span<const ScoreFunction> models,
                                                        Precision precision);
std::unique_ptr<Scorer::Implementation> make_scorer_cuda(const DigitCode& code, std::span<const ScoreFunction> models,
                                                         Precision precision);
// Errors: a run beyond the space; a shuffled one of a space that can not be split; a precision that a back end has not.
void check_run(const IndexRange& run, ArchIndex size, std::span<const std::uint32_t> radices, const char* where);
void check_precision(Precision precision, Backend backend);

}  // namespace detail
}  // namespace oneproxy
