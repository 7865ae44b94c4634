#pragma once
// Random MLPs over random codes, with their numbers, and a plain fp64 evaluation that shares nothing with kernels/.
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "oneproxy/kernels/base/digits.h"
#include "oneproxy/kernels/score/score_function.h"

namespace oneproxy::test {

enum class Weights {
  trained_like,  // normal, scaled by the fan-in, so that activations keep their size
  positive,      // no cancellation: the bound is nearly reached
  cancelling,    // large pairs of opposite sign
  mixed_sizes,   // magnitudes over ten powers of ten
};

struct MlpCase {
  std::string name;
  std::vector<std::uint32_t> radices;
  int parts = 1;            // some values stand for fewer rows
  int n_rows = 0;           // 0: one row for each value, as in a one-hot code; else random ones of so many
  std::vector<int> widths;  // of the hidden layers, at least one
  std::uint64_t seed = 0;
  Weights weights = Weights::trained_like;
};
std::ostream& operator<<(std::ostream& out, const MlpCase& mlp_case);

// Owns what a code and a model view.
class RandomMlp {
 public:
  explicit RandomMlp(const MlpCase& mlp_case);
  RandomMlp(const RandomMlp&) = delete;
  RandomMlp(RandomMlp&&) = default;
  DigitCode code() const { return {radices_, parts_, rows_, n_rows_}; }
  Mlp model() const;
  ArchIndex size() const;
  std::vector<std::uint32_t> digits_of(ArchIndex index) const;
  double score(ArchIndex index) const;  // as the definition says, input after input

 private:
  struct Layer {
    std::vector<std::vector<double>> weights;  // [outputs][inputs]
    std::vector<double> flat, bias;
  };
  std::vector<std::uint32_t> radices_;
  int parts_, n_rows_, first_width_;
  std::vector<std::int32_t> rows_;
  std::vector<double> first_, first_bias_;
  std::vector<Layer> layers_;
};

}  // namespace oneproxy::test
