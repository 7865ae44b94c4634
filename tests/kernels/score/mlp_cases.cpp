#include "tests/kernels/score/mlp_cases.h"

#include <cmath>
#include <numbers>
#include <numeric>

#include "oneproxy/kernels/base/random.h"

namespace oneproxy::test {
namespace {

class Normal {
 public:
  explicit Normal(std::uint64_t seed) : random_{seed, 77} {}
  double next() {
    const double u = random_.uniform(draw_++), v = random_.uniform(draw_++);
    return std::sqrt(-2 * std::log(1 - u)) * std::cos(2 * std::numbers::pi * v);
  }
  std::uint64_t below(std::uint64_t bound) { return random_.below(draw_++, bound); }

 private:
  Philox random_;
  std::uint64_t draw_ = 0;
};

double weight(Normal& normal, Weights kind, int fan_in, int input) {
  const double plain = normal.next() * std::sqrt(2.0 / fan_in);
  switch (kind) {
    case Weights::trained_like:
      return plain;
    case Weights::positive:
      return std::abs(plain);
    case Weights::cancelling:
      return plain + (input % 2 == 0 ? 100.0 : -100.0) / fan_in;
    case Weights::mixed_sizes:
      return plain * std::pow(10.0, static_cast<double>(normal.below(11)) - 8);
  }
  return plain;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const MlpCase& mlp_case) { return out << mlp_case.name; }

RandomMlp::RandomMlp(const MlpCase& mlp_case)
    : radices_(mlp_case.radices), parts_(mlp_case.parts), first_width_(mlp_case.widths.at(0)) {
  Normal normal(mlp_case.seed);
  const auto values = std::accumulate(radices_.begin(), radices_.end(), 0);
  n_rows_ = mlp_case.n_rows > 0 ? mlp_case.n_rows : values * parts_;
  for (int value = 0; value < values; ++value)
    for (int part = 0; part < parts_; ++part) {
      const int row = mlp_case.n_rows > 0 ? static_cast<int>(normal.below(n_rows_)) : value * parts_ + part;
      rows_.push_back(parts_ > 1 && normal.below(4) == 0 ? -1 : row);
    }
  const int active = static_cast<int>(radices_.size()) * parts_;
  for (int i = 0; i < n_rows_ * first_width_; ++i)
    first_.push_back(weight(normal, mlp_case.weights, active, i / first_width_));
  for (int j = 0; j < first_width_; ++j) first_bias_.push_back(0.1 * normal.next());
  std::vector<int> widths = mlp_case.widths;
  widths.push_back(1);
  for (std::size_t l = 1; l < widths.size(); ++l) {
    Layer layer;
    for (int j = 0; j < widths[l]; ++j) {
      layer.bias.push_back(0.1 * normal.next());
      layer.weights.emplace_back();
      for (int k = 0; k < widths[l - 1]; ++k) {
        layer.weights.back().push_back(weight(normal, mlp_case.weights, widths[l - 1], k));
        layer.flat.push_back(layer.weights.back().back());
      }
    }
    layers_.push_back(std::move(layer));
  }
}

Mlp RandomMlp::model() const {
  Mlp mlp{first_width_, first_, first_bias_, {}};
  for (const Layer& layer : layers_)
    mlp.layers.push_back(
        {static_cast<int>(layer.weights[0].size()), static_cast<int>(layer.bias.size()), layer.flat, layer.bias});
  return mlp;
}

ArchIndex RandomMlp::size() const {
  ArchIndex size = 1;
  for (const std::uint32_t radix : radices_) size *= radix;
  return size;
}

std::vector<std::uint32_t> RandomMlp::digits_of(ArchIndex index) const {
  std::vector<std::uint32_t> digits(radices_.size());
  for (std::size_t d = radices_.size(); d-- > 0; index /= radices_[d])
    digits[d] = static_cast<std::uint32_t>(index % radices_[d]);
  return digits;
}

double RandomMlp::score(ArchIndex index) const {
  const std::vector<std::uint32_t> digits = digits_of(index);
  std::vector<double> inputs = first_bias_;
  int first_value = 0;
  for (std::size_t d = 0; d < digits.size(); ++d) {
    for (int part = 0; part < parts_; ++part) {
      const int row = rows_[(first_value + static_cast<int>(digits[d])) * parts_ + part];
      for (int j = 0; row >= 0 && j < first_width_; ++j) inputs[j] = inputs[j] + first_[row * first_width_ + j];
    }
    first_value += static_cast<int>(radices_[d]);
  }
  for (const Layer& layer : layers_) {
    std::vector<double> outputs;
    for (std::size_t j = 0; j < layer.bias.size(); ++j) {
      double sum = layer.bias[j];
      for (std::size_t k = 0; k < inputs.size(); ++k) {
        const double product = layer.weights[j][k] * std::fmax(inputs[k], 0.0);
        sum = sum + product;
      }
      outputs.push_back(sum);
    }
    inputs = outputs;
  }
  return inputs.at(0);
}

}  // namespace oneproxy::test
