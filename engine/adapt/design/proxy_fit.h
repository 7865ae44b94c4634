#pragma once
// Which known device is a proxy of a measured one: how well its predictor, which a search by that proxy ranks by, ranks
// the networks that were measured.
#include <string>
#include <vector>

#include "oneproxy/engine/adapt/design/cover.h"
#include "oneproxy/engine/adapt/sources.h"
#include "oneproxy/engine/device/measurement_csv.h"

namespace oneproxy {

// Below this many networks a rank correlation says next to nothing: its interval is then all from -1 to 1.
inline constexpr int kMinNetworksToRank = 8;

struct ProxyFit {
  std::string proxy;
  double srcc = 0;            // over the measured networks; NaN where it is not defined (fewer than 2, no spread)
  double low = -1, high = 1;  // 90 % interval for the SRCC over the space that the networks were drawn from
};

// One for each source, in their order. Interval: Fisher's z with variance (1 + srcc^2 / 2) / (n - 3).
// Source: Bonett and Wright, "Sample size requirements for estimating Pearson, Kendall and Spearman correlations",
// Psychometrika 65 (2000).
std::vector<ProxyFit> proxy_fits(const Sources& sources, const MeasuredArchitectures& measured);

// The fewest proxies of which one serves each device, serves[device][proxy]; devices that none serves are left out of
// it. Proven by trying, up to 64 proxies and devices together; else greedy (Cover::exact).
Cover cover_devices(const std::vector<std::vector<char>>& serves);

}  // namespace oneproxy
