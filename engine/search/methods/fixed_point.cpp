#include "oneproxy/engine/search/methods/fixed_point.h"

#include <algorithm>
#include <numeric>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr int kSumBits = 52;

}  // namespace

std::int64_t FixedTable::in_steps(double limit) const {
  if (std::isnan(limit)) return INT64_MIN;
  return static_cast<std::int64_t>(std::clamp(std::floor(std::ldexp(limit, exponent)), -0x1p60, 0x1p60));
}

void mask_missing(const AdditiveTable<double>& table, std::span<const std::uint32_t> radices,
                  std::vector<std::uint8_t>& allowed) {
  const std::size_t width = std::accumulate(radices.begin(), radices.end(), std::size_t{0});
  const std::size_t masks = allowed.size() / width;
  for (std::size_t m = 0; m < masks; ++m) {
    const std::size_t t = table.bias.size() == 1 ? 0 : m;
    for (std::size_t i = 0; i < width; ++i)
      if (!std::isfinite(table.weights[t * width + i])) allowed[m * width + i] = 0;
  }
  for (std::size_t v = 0; v < radices[0]; ++v)
    if (!std::isfinite(table.bias[table.bias.size() == 1 ? 0 : v]))
      for (std::size_t m = 0; m < masks; ++m) allowed[m * width + v] = 0;
}

FixedTable to_fixed(const AdditiveTable<double>& table, std::span<const std::uint32_t> radices) {
  const std::size_t width = std::accumulate(radices.begin(), radices.end(), std::size_t{0});
  auto finite = [](double x) { return std::isfinite(x) ? x : 0.0; };
  auto largest_sum = [&](auto&& magnitude) {  // over all tables
    double largest = 0;
    for (std::size_t t = 0; t < table.bias.size(); ++t) {
      double sum = magnitude(finite(table.bias[t]));
      std::size_t place = t * width;
      for (const std::uint32_t radix : radices) {
        double largest_entry = 0;
        for (std::uint32_t v = 0; v < radix; ++v)
          largest_entry = std::max(largest_entry, magnitude(finite(table.weights[place++])));
        sum += largest_entry;
      }
      largest = std::max(largest, sum);
    }
    return largest;
  };
  FixedTable fixed;
  const double largest = largest_sum([](double x) { return std::abs(x); });
  if (!std::isfinite(largest)) throw Error("exact search: the sums of a table pass the range of numbers");
  int bits = 0;
  std::frexp(largest, &bits);                                     // largest < 2^bits
  fixed.exponent = std::clamp(kSumBits - 1 - bits, -1000, 1000);  // 1 bit for the rounding of the entries
  auto rounded = [&](double x) { return std::llround(std::ldexp(x, fixed.exponent)); };
  for (const double x : table.weights) fixed.weights.push_back(rounded(finite(x)));
  for (const double x : table.bias) fixed.bias.push_back(rounded(finite(x)));
  fixed.error =
      largest_sum([&](double x) { return std::abs(std::ldexp(static_cast<double>(rounded(x)), -fixed.exponent) - x); });
  return fixed;
}

}  // namespace oneproxy
