#pragma once
// Between the public Scorer and its twins. Private to kernels/.
#include "oneproxy/kernels/score/scorer.h"

namespace oneproxy {

// One back end's scorer; arguments are checked before.
class Scorer::Implementation {
 public:
  virtual ~Implementation() = default;
  virtual void score(const ArchRun& run, std::span<double> scores) const = 0;
  virtual void score_list(std::span<const std::uint32_t> digits, std::span<double> scores) const = 0;
  virtual void reduce(const ArchRun& run, Reduction& reduction) const = 0;
  virtual double error_bound(int model) const = 0;
  virtual std::vector<std::string> paths() const = 0;
};

namespace detail {

// Owners of what a code and a model view, so that a scorer outlives its caller's memory.
struct OwnedCode {
  explicit OwnedCode(const DigitCode& code);
  std::vector<std::uint32_t> radices, offsets;  // offsets [n_digits]: first value of each digit in `rows`
  int parts, n_rows;
  std::vector<std::int32_t> rows;
  ArchIndex size;
  DigitCode view() const { return {radices, parts, rows, n_rows}; }
};

// The digits at the end of an index whose sums are tabulated: product at most `most`, at least one digit.
struct InnerDigits {
  int first = 0;            // digits first .. n_digits-1 are inner; n_digits where even the last is too large
  std::uint64_t count = 1;  // product of their radices
};
InnerDigits inner_digits(std::span<const std::uint32_t> radices, std::uint64_t most);

// One MLP on one thread of the CPU (kernels/score/cpu/mlp_cpu.cpp). Calls are thread-safe.
class MlpCpu {
 public:
  MlpCpu(const Mlp& model, const OwnedCode& code, Precision precision);
  ~MlpCpu();
  MlpCpu(MlpCpu&&) noexcept;
  // Consecutive indices begin .. begin + count - 1 -> scores [count] f64 (rounded from fp32 where that is the
  // precision).
  void score_range(ArchIndex begin, std::int64_t count, double* scores) const;
  // digits [n, n_digits] -> scores [n].
  void score_digits(const std::uint32_t* digits, std::int64_t n, double* scores) const;
  double error_bound() const;
  std::string path() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::unique_ptr<Scorer::Implementation> make_scorer_cpu(const DigitCode& code, std::span<const Model> models,
                                                        Precision precision);
std::unique_ptr<Scorer::Implementation> make_scorer_cuda(const DigitCode& code, std::span<const Model> models,
                                                         Precision precision);
void score_fleet_cpu(const DigitCode& code, std::span<const Mlp> models, const ArchRun& run, std::span<float> scores,
                     Precision precision);
void score_fleet_cuda(const DigitCode& code, std::span<const Mlp> models, const ArchRun& run, std::span<float> scores,
                      Precision precision);
// The same; returns the seconds of the kernels alone, of the slowest device. 0 where models went one after another.
double score_fleet_cuda_timed(const DigitCode& code, std::span<const Mlp> models, const ArchRun& run,
                              std::span<float> scores, Precision precision);

}  // namespace detail
}  // namespace oneproxy
