#include "oneproxy/kernels/score/cuda/mlp_error_cuda.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "oneproxy/kernels/score/cuda/first_layer.h"

namespace oneproxy::detail {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

double mlp_error_bound_cuda(const Mlp& mlp, const DigitCode& code, Precision precision) {
  if (precision == Precision::fp64) return 0;
  constexpr double single = 0x1p-24;  // of storage in fp32
  // Of an activation or a weight as a factor; tensor cores may cut tf32 instead of rounding it. Sums on tensor cores
  // keep fewer bits than fp32 does when they align the terms.
  const double factor = precision == Precision::bf16 ? 0x1p-8 : precision == Precision::tf32 ? 0x1p-10 : single;
  const double addition = precision == Precision::fp32 ? 0x1p-23 : 0x1p-21;
  constexpr double tiny = 1e-36;  // for what underflows

  // Ranges [low, high] of the exact values before ReLU, and the error of the fast ones.
  const auto width = static_cast<std::size_t>(mlp.first_width);
  std::vector<double> low(mlp.first_bias.begin(), mlp.first_bias.end()), high = low, error(width), size(width);
  for (std::size_t j = 0; j < width; ++j) size[j] = std::abs(low[j]);
  std::size_t value = 0;
  std::vector<double> sums(width), least(width), most(width);
  for (const auto radix : code.radices) {
    std::fill(least.begin(), least.end(), kInfinity);
    std::fill(most.begin(), most.end(), -kInfinity);
    for (std::uint32_t v = 0; v < radix; ++v, ++value) {
      std::fill(sums.begin(), sums.end(), 0.0);
      add_value(mlp, code, value, sums.data());
      for (std::size_t j = 0; j < width; ++j) {
        least[j] = std::min(least[j], sums[j]);
        most[j] = std::max(most[j], sums[j]);
      }
    }
    for (std::size_t j = 0; j < width; ++j) {
      low[j] += least[j];
      high[j] += most[j];
      size[j] += std::max(std::abs(least[j]), std::abs(most[j]));
    }
  }
  const double n_sums = 2.0 * (static_cast<double>(code.radices.size()) + 4);
  for (std::size_t j = 0; j < width; ++j) error[j] = n_sums * single * size[j] + tiny;

  double largest = *std::max_element(size.begin(), size.end());
  for (const auto& layer : mlp.layers) {
    const double terms = layer.inputs + 2.0;
    std::vector<double> next_low, next_high, next_error;
    for (int i = 0; i < layer.outputs; ++i) {
      double from = layer.bias[i], to = from, wrong = std::abs(layer.bias[i]) * factor, total = std::abs(layer.bias[i]);
      for (int j = 0; j < layer.inputs; ++j) {
        const double weight = layer.weights[static_cast<std::size_t>(i) * layer.inputs + j];
        const double a_low = std::max(low[j], 0.0), a_high = std::max(high[j], 0.0);
        const double a_wrong = error[j] + factor * (a_high + error[j]) + tiny, a = a_high + a_wrong;
        const double w = std::abs(weight) * (1 + factor) + tiny;
        from += std::min(weight * a_low, weight * a_high);
        to += std::max(weight * a_low, weight * a_high);
        wrong += w * a_wrong + (std::abs(weight) * factor + tiny) * a_high;
        total += w * a;
      }
      largest = std::max(largest, total);
      next_low.push_back(from);
      next_high.push_back(to);
      next_error.push_back(wrong + terms * addition * total + tiny);
    }
    low.swap(next_low);
    high.swap(next_high);
    error.swap(next_error);
  }
  if (!(largest < 1e37)) return kInfinity;
  return error[0] * (1 + 1e-9);  // the rounding of this bound itself
}

}  // namespace oneproxy::detail
