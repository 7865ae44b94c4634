#pragma once
// Scores of very many architectures: index -> digits -> models -> reducers, in one pass, in chunks that stay in the
// cache. The first layer of an MLP is a table: the sums of the least significant digits are tabulated once, the others
// are added for each of their combinations. CPU and CUDA twins.
//
// All calls block until their result is on the host. Results do not depend on the number of threads, nor on the order
// in which a device's threads find what counts. An architecture's score has the same bits in score, score_list and
// reduce of one scorer, whatever else is scored with it. Where paths() says cuBLASLt this rests on that library as
// well: each product has one algorithm for all calls, and none that splits a sum; NVIDIA does not promise that its rows
// are alike. Errors: what check_code and check_score_function refuse, a run beyond the space, a precision that the back
// end has not, a back end that can not run here, no device memory for the smallest chunk (Error).
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/kernels/base/backend.h"
#include "oneproxy/kernels/base/digits.h"
#include "oneproxy/kernels/base/precision.h"
#include "oneproxy/kernels/front/reduction.h"
#include "oneproxy/kernels/score/score_function.h"

namespace oneproxy {

class Scorer {
 public:
  // Copies what it needs of the models. Widths without a kernel of their own take the general path; paths() says so.
  Scorer(const DigitCode& code, std::span<const ScoreFunction> models, Backend backend, Precision precision);
  ~Scorer();
  Scorer(Scorer&&) noexcept;
  Scorer& operator=(Scorer&&) noexcept;

  int n_models() const { return n_models_; }
  ArchIndex size() const { return size_; }

  // scores [n_models, run.count] f64.
  void score(const IndexRange& run, std::span<double> scores) const;
  // digits [n, n_digits] row-major -> scores [n_models, n].
  void score_list(std::span<const std::uint32_t> digits, std::span<double> scores) const;
  // Adds a run to a reduction; memory does not grow with run.count. With a third objective a device's scores are
  // filtered on the host.
  void reduce(const IndexRange& run, Reduction& reduction) const;

  // Proven bound on |score - fp64 score| over the whole space; 0 for tables and for fp64. Infinite where none is known.
  double error_bound(int model) const;
  // How each model is evaluated, for reports: "avx2 fp32, 64 wide, in registers", "general", ...
  std::vector<std::string> paths() const;
  // What devices said that had no memory in reduce(): the others did their part, and they take none any more.
  std::vector<std::string> left_out() const;

  class Implementation;  // one for each back end

 private:
  std::vector<std::uint32_t> radices_;
  ArchIndex size_ = 0;
  int n_models_ = 0;
  Backend backend_ = Backend::cpu;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace oneproxy
