#include "oneproxy/engine/adapt/design/proxy_fit.h"

#include <algorithm>
#include <cmath>

#include "oneproxy/kernels/rank/rank.h"

namespace oneproxy {
namespace {

constexpr double kQuantile95 = 1.6448536269514722;  // of the normal distribution
constexpr double kLargest = 0.999999;               // z of 1 is infinite
constexpr int kMostTried = 64;
constexpr std::int64_t kMaxSets = 2000000;

}  // namespace

std::vector<ProxyFit> proxy_fits(const Sources& sources, const MeasuredArchitectures& measured) {
  const auto rows = sources.features->rows(measured.choices);
  std::vector<ProxyFit> fits;
  for (const auto& predictor : sources.predictors) {
    ProxyFit fit{predictor.name};
    const auto predicted = predictor.predict(rows);
    fit.srcc = spearman(predicted, measured.latency_ms, Backend::cpu).value;
    const auto n = measured.n_known();
    if (n >= kMinNetworksToRank && !std::isnan(fit.srcc)) {
      const double r = std::clamp(fit.srcc, -kLargest, kLargest);
      const double width = kQuantile95 * std::sqrt((1 + r * r / 2) / static_cast<double>(n - 3));
      fit.low = std::tanh(std::atanh(r) - width);
      fit.high = std::tanh(std::atanh(r) + width);
    }
    fits.push_back(std::move(fit));
  }
  return fits;
}

Cover cover_devices(const std::vector<std::vector<char>>& serves) {
  std::vector<const std::vector<char>*> devices;
  for (const auto& one : serves)
    if (std::find(one.begin(), one.end(), 1) != one.end()) devices.push_back(&one);
  if (devices.empty()) return {{}, true};
  // A square question (cover.h), in which the proxies themselves need nobody, and devices serve but themselves.
  const int p = static_cast<int>(devices[0]->size()), n = p + static_cast<int>(devices.size());
  std::vector<char> square(static_cast<std::size_t>(n) * n, 0);
  for (int row = 0; row < n; ++row)
    for (int column = 0; column < n; ++column)
      square[row * n + column] = column < p || (row < p ? (*devices[column - p])[row] : row == column);
  return n <= kMostTried ? smallest_cover(square, n, kMaxSets) : greedy_cover(square, n);
}

}  // namespace oneproxy
