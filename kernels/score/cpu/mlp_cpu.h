#pragma once
// One MLP on the CPU, with the numbers that its error bound needs. Private to kernels/.
#include <cstdint>
#include <memory>
#include <string>

#include "oneproxy/kernels/base/precision.h"
#include "oneproxy/kernels/score/owned.h"
#include "oneproxy/kernels/score/score_function.h"

namespace oneproxy::detail {

// On the calling thread. Calls are thread-safe.
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

}  // namespace oneproxy::detail
