#include "oneproxy/kernels/score/cuda/filter.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace oneproxy::detail {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

Filter FilterArrays::view() const {
  Filter view = filter;
  view.reached = reached.data();
  view.limits = limits.data();
  view.edges = edges.data();
  return view;
}

FilterArrays make_filter(const Reduction& reduction) {
  const auto& settings = reduction.settings();
  const bool exact = reduction.gave_up_margins();
  const double latency_margin = exact ? 0 : settings.latency_margin;
  const double quality_margin = exact ? 0 : settings.quality_margin;
  // Rounded away from the value, so that a sum with a margin rules out nothing more than the margin says.
  const auto up = [](double x, double margin) { return margin > 0 ? std::nextafter(x + margin, kInfinity) : x; };
  const auto down = [](double x, double margin) { return margin > 0 ? std::nextafter(x - margin, -kInfinity) : x; };

  FilterArrays arrays;
  Filter& filter = arrays.filter;
  filter.front = settings.front;
  arrays.reached.assign(kFilterBins, std::numeric_limits<double>::quiet_NaN());  // rules out nothing
  if (settings.front) {
    std::vector<Candidate> front = reduction.front();
    arrays.points += front.size();
    std::erase_if(front, [](const Candidate& point) { return !std::isfinite(point.latency); });
    if (!front.empty()) {
      // A point counts below all bins that lie wholly above its latency and both margins.
      filter.bins_from = up(front.front().latency, 2 * latency_margin);
      const double span = up(front.back().latency, 2 * latency_margin) - filter.bins_from;
      filter.bins_scale = span > 0 ? (kFilterBins - 2) / span : 1e9;  // one latency: what is slower is in higher bins
      if (!std::isfinite(filter.bins_scale)) filter.bins_scale = 0;
      std::vector<double> best(kFilterBins, std::numeric_limits<double>::quiet_NaN());
      for (const auto& point : front) {
        const int bin = filter_bin(filter, up(point.latency, 2 * latency_margin));
        best[bin] = std::fmax(best[bin], down(point.quality, 2 * quality_margin));
      }
      for (int b = 1; b < kFilterBins; ++b) arrays.reached[b] = std::fmax(arrays.reached[b - 1], best[b - 1]);
    }
  }
  if (settings.best > 0) {
    filter.n_limits = static_cast<int>(settings.limits.size());
    for (int i = 0; i < filter.n_limits; ++i) {
      const double limit = settings.limits[i], surely = down(limit, latency_margin);
      int within = 0;
      double edge = -kInfinity;
      const auto best = reduction.best(i);
      arrays.points += best.size();
      for (const auto& point : best)
        if (point.latency <= surely && ++within == settings.best) edge = down(point.quality, 2 * quality_margin);
      arrays.limits.push_back(up(limit, latency_margin));
      arrays.edges.push_back(edge);
    }
  }
  return arrays;
}

void add_survivors(std::vector<Survivor>& survivors, const IndexRange& run, const DigitSplit& split,
                   Reduction& reduction) {
  std::sort(survivors.begin(), survivors.end(),
            [](const Survivor& a, const Survivor& b) { return a.position < b.position; });
  for (const auto& point : survivors)
    reduction.add(Candidate{index_at(run, point.position, split), point.latency, point.quality});
}

}  // namespace oneproxy::detail
