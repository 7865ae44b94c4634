#include "oneproxy/kernels/front/reduction.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kBins = 2048;
constexpr std::size_t kMinCompact = std::size_t{1} << 16;

// By latency, of equal latencies the better one first, of equal points the lower index.
bool front_order(const Candidate& a, const Candidate& b) {
  if (a.latency != b.latency) return a.latency < b.latency;
  if (a.quality != b.quality) return a.quality > b.quality;
  return a.index < b.index;
}

bool best_order(const Candidate& a, const Candidate& b) {
  if (a.quality != b.quality) return a.quality > b.quality;
  if (a.latency != b.latency) return a.latency < b.latency;
  return a.index < b.index;
}

bool same_point(const Candidate& a, const Candidate& b) {
  return a.index == b.index && a.latency == b.latency && a.quality == b.quality;
}

bool same(const ReductionSettings& a, const ReductionSettings& b) {
  return a.latency == b.latency && a.quality == b.quality && a.front == b.front && a.limits == b.limits &&
         a.best == b.best && a.latency_margin == b.latency_margin && a.quality_margin == b.quality_margin &&
         a.max_candidates == b.max_candidates;
}

}  // namespace

Reduction::Reduction(ReductionSettings settings) : settings_(std::move(settings)), best_(settings_.limits.size()) {
  if (settings_.best < 0 || settings_.max_candidates < 1)
    throw Error("a reduction to the " + std::to_string(settings_.best) + " best of at most " +
                std::to_string(settings_.max_candidates) + " candidates; both should be positive");
  for (const double margin : {settings_.latency_margin, settings_.quality_margin})
    if (!(margin >= 0))
      throw Error("a reduction with a margin of " + std::to_string(margin) + "; it should be 0 or more");
  // An error without a known bound rules nothing out: the fast scores are then all there is.
  gave_up_margins_ = std::isinf(settings_.latency_margin) || std::isinf(settings_.quality_margin);
  compact();
}

bool Reduction::may_be_on_front(double latency, double quality) const {
  const double position = (latency - 2 * latency_margin() - bins_from_) * bins_scale_;
  const int bin = !(position > 0) ? 0 : position < kBins - 1 ? static_cast<int>(position) : kBins - 1;
  return !(quality + 2 * quality_margin() <= reached_[bin]);
}

void Reduction::add(const Candidate& candidate) {
  if (std::isnan(candidate.latency) || std::isnan(candidate.quality)) return;
  if (settings_.front && may_be_on_front(candidate.latency, candidate.quality)) front_.push_back(candidate);
  if (settings_.best > 0)
    for (std::size_t i = 0; i < best_.size(); ++i)
      if (candidate.latency <= settings_.limits[i] + latency_margin() &&
          candidate.quality >= edges_[i] - 2 * quality_margin())
        best_[i].push_back(candidate);
  std::size_t held = front_.size();
  for (const auto& list : best_) held += list.size();
  if (held >= compact_at_) compact();
}

void Reduction::filter(const double* scores, std::int64_t count, std::int64_t stride, std::uint64_t first,
                       Survivors& survivors) const {
  const double* latency = scores + settings_.latency * stride;
  const double* quality = scores + settings_.quality * stride;
  survivors.n_scored += static_cast<std::uint64_t>(count);
  const double latency_slack = latency_margin(), quality_slack = 2 * quality_margin();
  const bool lists = settings_.best > 0 && !best_.empty();
  if (!settings_.front && !lists) return;
  for (std::int64_t i = 0; i < count; ++i) {
    bool counts = settings_.front && may_be_on_front(latency[i], quality[i]);
    if (lists)
      for (std::size_t l = 0; l < edges_.size() && !counts; ++l)
        counts = latency[i] <= settings_.limits[l] + latency_slack && quality[i] >= edges_[l] - quality_slack;
    if (counts && !std::isnan(latency[i]) && !std::isnan(quality[i]))
      survivors.points.push_back({first + static_cast<std::uint64_t>(i), latency[i], quality[i]});
  }
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
// when q.latency <= p.latency - 2 m and q.quality > p.quality + 2 m', or < and >=.
std::vector<Candidate> Reduction::front_of(std::vector<Candidate> points) const {
  std::sort(points.begin(), points.end(), front_order);
  points.erase(std::unique(points.begin(), points.end(), same_point), points.end());
  const double slack = 2 * latency_margin(), quality_slack = 2 * quality_margin();
  std::vector<Candidate> front;
  if (slack == 0 && quality_slack == 0) {
    double best = -kInfinity;
    for (const auto& point : points)
      if (point.quality > best || front.empty()) {
        front.push_back(point);
        best = point.quality;
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
    const double needed = point.quality + quality_slack;
    if (!(below >= needed) && !(up_to > needed)) front.push_back(point);
  }
  return front;
}

std::vector<Candidate> Reduction::best_of(std::vector<Candidate> points, double limit) const {
  std::sort(points.begin(), points.end(), best_order);
  points.erase(std::unique(points.begin(), points.end(), same_point), points.end());
  // The k-th best of those that are surely within the limit; whatever is surely worse can not be among the k.
  int within = 0;
  double edge = -kInfinity;
  for (const auto& point : points)
    if (point.latency <= limit - latency_margin() && ++within == settings_.best) {
      edge = point.quality;
      break;
    }
  std::vector<Candidate> best;
  const bool exact = latency_margin() == 0 && quality_margin() == 0;
  for (const auto& point : points) {
    if (exact && static_cast<int>(best.size()) == settings_.best) break;
    if (point.latency <= limit + latency_margin() && point.quality >= edge - 2 * quality_margin())
      best.push_back(point);
  }
  return best;
}

void Reduction::compact_front() {
  front_ = front_of(std::move(front_));
  if (static_cast<std::int64_t>(front_.size()) > settings_.max_candidates && !gave_up_margins_) {
    gave_up_margins_ = true;
    front_ = front_of(std::move(front_));
  }
}

void Reduction::compact_best(int limit) {
  auto& list = best_[limit];
  list = best_of(std::move(list), settings_.limits[limit]);
  if (static_cast<std::int64_t>(list.size()) > settings_.max_candidates && !gave_up_margins_) {
    gave_up_margins_ = true;
    list = best_of(std::move(list), settings_.limits[limit]);
  }
}

void Reduction::compact() {
  const bool margins = !gave_up_margins_;
  compact_front();
  for (std::size_t i = 0; i < best_.size(); ++i) compact_best(static_cast<int>(i));
  if (margins && gave_up_margins_) {  // for all, and for what was compacted before it was known
    compact_front();
    for (std::size_t i = 0; i < best_.size(); ++i) compact_best(static_cast<int>(i));
  }

  edges_.assign(best_.size(), -kInfinity);
  for (std::size_t i = 0; i < best_.size(); ++i) {
    int within = 0;
    for (const auto& point : best_[i])
      if (point.latency <= settings_.limits[i] - latency_margin() && ++within == settings_.best)
        edges_[i] = point.quality;
  }

  // NaN where nothing is known: it rules nothing out.
  constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
  std::vector<double> best(kBins, unknown);
  bins_from_ = 0, bins_scale_ = 0;
  reached_.assign(kBins, unknown);
  const auto finite = [](const Candidate& c) { return std::isfinite(c.latency); };
  const auto first = std::find_if(front_.begin(), front_.end(), finite);
  const auto last = std::find_if(front_.rbegin(), front_.rend(), finite);
  if (first != front_.end() && last->latency > first->latency) {
    const double scale = (kBins - 1) / (last->latency - first->latency);
    if (std::isfinite(scale)) {
      bins_from_ = first->latency, bins_scale_ = scale;
      for (auto point = first; point != front_.end() && finite(*point); ++point) {
        const double position = (point->latency - bins_from_) * bins_scale_;
        const int bin = !(position > 0) ? 0 : position < kBins - 1 ? static_cast<int>(position) : kBins - 1;
        best[bin] = std::fmax(best[bin], point->quality);
      }
      for (int b = 1; b < kBins; ++b) reached_[b] = std::fmax(reached_[b - 1], best[b - 1]);
    }
  }

  std::size_t held = front_.size();
  for (const auto& list : best_) held += list.size();
  compact_at_ = std::max(kMinCompact, 2 * held);
}

std::vector<Candidate> Reduction::front() const { return front_of(front_); }

std::vector<Candidate> Reduction::best(int limit) const { return best_of(best_.at(limit), settings_.limits.at(limit)); }

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
