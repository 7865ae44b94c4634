#include "oneproxy/kernels/front/reduction.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/front/staircase.h"

namespace oneproxy {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kBins = 2048;                         // of latency, for two objectives
constexpr int kLatencyBins = 256, kThirdBins = 64;  // for three
constexpr std::size_t kCompactLeast = std::size_t{1} << 16;

// By latency, of equal latencies the better one first, of equal points the lower index.
bool front_order(const Candidate& a, const Candidate& b) {
  if (a.latency != b.latency) return a.latency < b.latency;
  if (a.quality != b.quality) return a.quality > b.quality;
  if (a.third != b.third) return a.third < b.third;
  return a.index < b.index;
}

bool best_order(const Candidate& a, const Candidate& b) {
  if (a.quality != b.quality) return a.quality > b.quality;
  if (a.latency != b.latency) return a.latency < b.latency;
  if (a.third != b.third) return a.third < b.third;
  return a.index < b.index;
}

bool same_point(const Candidate& a, const Candidate& b) {
  return a.index == b.index && a.latency == b.latency && a.quality == b.quality && a.third == b.third;
}

bool is_point(const Candidate& c) { return !std::isnan(c.latency) && !std::isnan(c.quality) && !std::isnan(c.third); }

bool same(const ReductionSettings& a, const ReductionSettings& b) {
  return a.latency == b.latency && a.quality == b.quality && a.third == b.third && a.front == b.front &&
         a.limits == b.limits && a.third_limits == b.third_limits && a.best == b.best &&
         a.latency_margin == b.latency_margin && a.quality_margin == b.quality_margin &&
         a.third_margin == b.third_margin && a.most_candidates == b.most_candidates;
}

// The exact front of sorted points of three objectives.
std::vector<Candidate> front_of_three(const std::vector<Candidate>& points) {
  detail::Staircase earlier;
  std::vector<Candidate> front;
  for (const auto& point : points) {
    if (earlier.reaches(point.quality, point.third)) continue;
    earlier.add(point.quality, point.third);
    front.push_back(point);
  }
  return front;
}

}  // namespace

Reduction::Reduction(ReductionSettings settings) : settings_(std::move(settings)), best_(settings_.limits.size()) {
  if (settings_.best < 0 || settings_.most_candidates < 1)
    throw Error("a reduction to the " + std::to_string(settings_.best) + " best of at most " +
                std::to_string(settings_.most_candidates) + " candidates; both should be positive");
  for (const double margin : {settings_.latency_margin, settings_.quality_margin, settings_.third_margin})
    if (!(margin >= 0))
      throw Error("a reduction with a margin of " + std::to_string(margin) + "; it should be 0 or more");
  if (!settings_.third_limits.empty() && (!has_third() || settings_.third_limits.size() != settings_.limits.size()))
    throw Error("a reduction with " + std::to_string(settings_.third_limits.size()) +
                " limits of a third objective and " + std::to_string(settings_.limits.size()) +
                " of latency; give one of each a place, and the objective");
  // An error without a known bound rules nothing out: the fast scores are then all there is.
  gave_up_margins_ = std::isinf(settings_.latency_margin) || std::isinf(settings_.quality_margin) ||
                     std::isinf(settings_.third_margin);
  compact();
}

int Reduction::Bins::at(double value) const {
  const double position = (value - from) * scale;
  return !(position > 0) ? 0 : position < count - 1 ? static_cast<int>(position) : count - 1;
}

void Reduction::Bins::span(double low, double high, int bins) {
  *this = {};
  const double wanted = (bins - 1) / (high - low);
  if (high > low && std::isfinite(wanted)) from = low, scale = wanted, count = bins;
}

bool Reduction::may_be_on_front(const Candidate& point) const {
  const int latency = latency_bins_.at(point.latency - 2 * latency_margin());
  const int third = has_third() ? third_bins_.at(point.third - 2 * third_margin()) : 0;
  return !(point.quality + 2 * quality_margin() <= reached_[latency * third_bins_.count + third]);
}

bool Reduction::within(const Candidate& point, std::size_t limit, double latency_slack, double third_slack) const {
  return point.latency <= settings_.limits[limit] + latency_slack &&
         (settings_.third_limits.empty() || point.third <= settings_.third_limits[limit] + third_slack);
}

bool Reduction::may_be_best(const Candidate& point, std::size_t limit) const {
  return point.quality >= edges_[limit] - 2 * quality_margin() &&
         within(point, limit, latency_margin(), third_margin());
}

void Reduction::add(const Candidate& candidate) {
  if (!is_point(candidate)) return;
  if (settings_.front && may_be_on_front(candidate)) front_.push_back(candidate);
  if (settings_.best > 0)
    for (std::size_t i = 0; i < best_.size(); ++i)
      if (may_be_best(candidate, i)) best_[i].push_back(candidate);
  std::size_t held = front_.size();
  for (const auto& list : best_) held += list.size();
  if (held >= compact_at_) compact();
}

// The loop that most scores go through: what a third objective needs is left out at compile time where there is none.
template <bool three>
void Reduction::filter_points(const double* scores, std::int64_t count, std::int64_t stride, std::uint64_t first,
                              Survivors& survivors) const {
  const double* latency = scores + settings_.latency * stride;
  const double* quality = scores + settings_.quality * stride;
  const double* third = three ? scores + settings_.third * stride : nullptr;
  const std::size_t n_lists = settings_.best > 0 ? best_.size() : 0;
  const double latency_slack = latency_margin(), quality_slack = 2 * quality_margin();
  for (std::int64_t i = 0; i < count; ++i) {
    bool counts = false;
    if (settings_.front) {
      int bin = latency_bins_.at(latency[i] - 2 * latency_slack);
      if constexpr (three) bin = bin * third_bins_.count + third_bins_.at(third[i] - 2 * third_margin());
      counts = !(quality[i] + quality_slack <= reached_[bin]);
    }
    for (std::size_t l = 0; l < n_lists && !counts; ++l) {
      counts = latency[i] <= settings_.limits[l] + latency_slack && quality[i] >= edges_[l] - quality_slack;
      if constexpr (three)
        counts = counts && (settings_.third_limits.empty() || third[i] <= settings_.third_limits[l] + third_margin());
    }
    const Candidate point{first + static_cast<std::uint64_t>(i), latency[i], quality[i], three ? third[i] : 0};
    if (counts && is_point(point)) survivors.points.push_back(point);
  }
}

void Reduction::filter(const double* scores, std::int64_t count, std::int64_t stride, std::uint64_t first,
                       Survivors& survivors) const {
  survivors.n_scored += static_cast<std::uint64_t>(count);
  if (!settings_.front && (settings_.best == 0 || best_.empty())) return;
  if (has_third())
    filter_points<true>(scores, count, stride, first, survivors);
  else
    filter_points<false>(scores, count, stride, first, survivors);
}

void Reduction::absorb(const Survivors& survivors) {
  for (const auto& point : survivors.points) add(point);
  n_scored_ += survivors.n_scored;
}

void Reduction::merge(const Reduction& other) {
  if (!same(settings_, other.settings_)) throw Error("two reductions of different settings can not be merged");
  gave_up_margins_ = gave_up_margins_ || other.gave_up_margins_;
  front_.insert(front_.end(), other.front_.begin(), other.front_.end());
  for (std::size_t i = 0; i < best_.size(); ++i)
    best_[i].insert(best_[i].end(), other.best_[i].begin(), other.best_[i].end());
  n_scored_ += other.n_scored_;
  compact();
}

// Without margins the exact front. With margins all points that no other one surely dominates: q surely dominates p
// when q.latency <= p.latency - 2 m and q.quality > p.quality + 2 m', or < and >=. With a third objective only the
// first of these counts, and q.third <= p.third - 2 m'' as well: what is kept beyond need does no harm.
std::vector<Candidate> Reduction::front_of(std::vector<Candidate> points) const {
  std::sort(points.begin(), points.end(), front_order);
  points.erase(std::unique(points.begin(), points.end(), same_point), points.end());
  const double slack = 2 * latency_margin(), quality_slack = 2 * quality_margin(), third_slack = 2 * third_margin();
  const bool exact = slack == 0 && quality_slack == 0 && third_slack == 0;
  if (exact && has_third()) return front_of_three(points);
  std::vector<Candidate> front;
  if (exact) {
    double best = -kInfinity;
    for (const auto& point : points)
      if (point.quality > best || front.empty()) {
        front.push_back(point);
        best = point.quality;
      }
    return front;
  }
  if (has_third()) {
    detail::Staircase up_to;  // of the points with latency <= p.latency - slack
    std::size_t next = 0;
    for (const auto& point : points) {
      for (; next < points.size() && points[next].latency <= point.latency - slack; ++next)
        up_to.add(points[next].quality, points[next].third);
      if (!up_to.reaches(point.quality + quality_slack, point.third - third_slack, true)) front.push_back(point);
    }
    return front;
  }
  double below = -kInfinity, up_to = -kInfinity;  // best quality with latency < and <= p.latency - slack
  std::size_t next_below = 0, next_up_to = 0;
  for (const auto& point : points) {
    const double from = point.latency - slack;
    for (; next_below < points.size() && points[next_below].latency < from; ++next_below)
      below = std::max(below, points[next_below].quality);
    for (; next_up_to < points.size() && points[next_up_to].latency <= from; ++next_up_to)
      up_to = std::max(up_to, points[next_up_to].quality);
    const double least = point.quality + quality_slack;
    if (!(below >= least) && !(up_to > least)) front.push_back(point);
  }
  return front;
}

std::vector<Candidate> Reduction::best_of(std::vector<Candidate> points, std::size_t limit) const {
  std::sort(points.begin(), points.end(), best_order);
  points.erase(std::unique(points.begin(), points.end(), same_point), points.end());
  // The k-th best of those that are surely within the limits; whatever is surely worse can not be among the k.
  int surely = 0;
  double edge = -kInfinity;
  for (const auto& point : points)
    if (within(point, limit, -latency_margin(), -third_margin()) && ++surely == settings_.best) {
      edge = point.quality;
      break;
    }
  std::vector<Candidate> best;
  const bool exact = latency_margin() == 0 && quality_margin() == 0 && third_margin() == 0;
  for (const auto& point : points) {
    if (exact && static_cast<int>(best.size()) == settings_.best) break;
    if (within(point, limit, latency_margin(), third_margin()) && point.quality >= edge - 2 * quality_margin())
      best.push_back(point);
  }
  return best;
}

void Reduction::compact_front() {
  front_ = front_of(std::move(front_));
  if (static_cast<std::int64_t>(front_.size()) > settings_.most_candidates && !gave_up_margins_) {
    gave_up_margins_ = true;
    front_ = front_of(std::move(front_));
  }
}

void Reduction::compact_best(std::size_t limit) {
  auto& list = best_[limit];
  list = best_of(std::move(list), limit);
  if (static_cast<std::int64_t>(list.size()) > settings_.most_candidates && !gave_up_margins_) {
    gave_up_margins_ = true;
    list = best_of(std::move(list), limit);
  }
}

void Reduction::compact() {
  const bool margins = !gave_up_margins_;
  compact_front();
  for (std::size_t i = 0; i < best_.size(); ++i) compact_best(i);
  if (margins && gave_up_margins_) {  // for all, and for what was compacted before it was known
    compact_front();
    for (std::size_t i = 0; i < best_.size(); ++i) compact_best(i);
  }

  edges_.assign(best_.size(), -kInfinity);
  for (std::size_t i = 0; i < best_.size(); ++i) {
    int surely = 0;
    for (const auto& point : best_[i])
      if (within(point, i, -latency_margin(), -third_margin()) && ++surely == settings_.best) edges_[i] = point.quality;
  }
  sharpen_filter();

  std::size_t held = front_.size();
  for (const auto& list : best_) held += list.size();
  compact_at_ = std::max(kCompactLeast, 2 * held);
}

void Reduction::sharpen_filter() {
  double low = kInfinity, high = -kInfinity, third_low = kInfinity, third_high = -kInfinity;
  const auto finite = [](const Candidate& c) { return std::isfinite(c.latency) && std::isfinite(c.third); };
  for (const auto& point : front_) {
    if (!finite(point)) continue;
    low = std::min(low, point.latency), high = std::max(high, point.latency);
    third_low = std::min(third_low, point.third), third_high = std::max(third_high, point.third);
  }
  latency_bins_.span(low, high, has_third() ? kLatencyBins : kBins);
  third_bins_ = {};
  if (has_third()) third_bins_.span(third_low, third_high, kThirdBins);

  const int rows = latency_bins_.count, columns = third_bins_.count;
  constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
  reached_.assign(static_cast<std::size_t>(rows) * columns, unknown);
  if (rows == 1 || (has_third() && columns == 1)) return;
  std::vector<double> best(reached_.size(), unknown);
  for (const auto& point : front_) {
    if (!finite(point)) continue;
    double& here = best[latency_bins_.at(point.latency) * columns + third_bins_.at(point.third)];
    here = std::fmax(here, point.quality);
  }
  // Sums of a kind: reached[r][c] is the maximum over the bins below r and (three objectives) below c.
  for (int r = 1; r < rows; ++r) {
    double along = unknown;  // of the row above, up to the column
    for (int c = 0; c < columns; ++c) {
      if (!has_third() || c > 0) along = std::fmax(along, best[(r - 1) * columns + (has_third() ? c - 1 : c)]);
      reached_[r * columns + c] = std::fmax(reached_[(r - 1) * columns + c], along);
    }
  }
}

std::vector<Candidate> Reduction::front() const { return front_of(front_); }

std::vector<Candidate> Reduction::best(int limit) const {
  return best_of(best_.at(limit), static_cast<std::size_t>(limit));
}

Reduction::State Reduction::state() const {
  State state{front(), {}, n_scored_, gave_up_margins_};
  for (std::size_t i = 0; i < best_.size(); ++i) state.best.push_back(best(static_cast<int>(i)));
  return state;
}

void Reduction::restore(const State& state) {
  if (state.best.size() != best_.size())
    throw Error("a saved reduction has " + std::to_string(state.best.size()) + " limits, this one has " +
                std::to_string(best_.size()) + "; remove the saved one to begin anew");
  front_ = state.front;
  best_ = state.best;
  n_scored_ = state.n_scored;
  gave_up_margins_ = state.gave_up_margins;
  compact();
}

}  // namespace oneproxy
