#pragma once
// Something small from very many scores: the Pareto front and the k best under limits. States of parts of a space
// merge, in any order, to the same state; nothing of the size of the space is kept.
//
// Latency is minimised, quality maximised, a third objective minimised; dominance and ties as in
// kernels/front/pareto.h. Where scores carry an error of at most a margin (|score - exact score| <= margin), every
// point that may belong to the exact result is kept; the caller scores these again in fp64 and adds them to a state
// with margins of 0. With margins of 0 the state is the exact result.
#include <cstdint>
#include <span>
#include <vector>

#include "oneproxy/kernels/base/index.h"

namespace oneproxy {

struct Candidate {
  ArchIndex index = 0;
  double latency = 0, quality = 0;
  double third = 0;  // 0 where there are two objectives
};

struct ReductionSettings {
  int latency = 0, quality = 1;  // which of a scorer's models; the same model for both is allowed
  int third = -1;                // likewise, minimised (energy, memory); -1: two objectives
  bool front = true;
  std::vector<double> limits = {};        // latency limits
  std::vector<double> third_limits = {};  // at the same places, of the third objective; empty: none
  int best = 0;  // so many best within the limits of a place; ties: lower latency, third, index
  double latency_margin = 0, quality_margin = 0, third_margin = 0;
  std::int64_t most_candidates = std::int64_t{1} << 22;  // of a front or a list; beyond, the margins are given up
};

class Reduction {
 public:
  explicit Reduction(ReductionSettings settings);

  // One point to the front and the lists; NaN never counts. Not thread-safe.
  void add(const Candidate& candidate);
  void add_scored(std::uint64_t count) { n_scored_ += count; }
  void merge(const Reduction& other);  // Error where the settings differ

  // What parallel scorers add at once. Made by filter() from chunks, in any thread, and absorbed in one.
  struct Survivors {
    std::vector<Candidate> points;  // index: the position in the run, until the scorer writes the index
    std::uint64_t n_scored = 0;
  };
  // Leaves out what can not count, for what is known so far. scores [n_models][stride]: `count` scores from position
  // `first` on. Thread-safe beside other calls of filter().
  void filter(const double* scores, std::int64_t count, std::int64_t stride, std::uint64_t first,
              Survivors& survivors) const;
  void absorb(const Survivors& survivors);

  const ReductionSettings& settings() const { return settings_; }
  std::uint64_t n_scored() const { return n_scored_; }
  // Too many candidates lay within the margins, so that the result is that of the fast scores, not proven for fp64.
  bool gave_up_margins() const { return gave_up_margins_; }
  std::vector<Candidate> front() const;          // ascending latency, then descending quality, ascending third, index
  std::vector<Candidate> best(int limit) const;  // best first

  // For checkpoints: all of the state but the settings.
  struct State {
    std::vector<Candidate> front;
    std::vector<std::vector<Candidate>> best;  // [n_limits]
    std::uint64_t n_scored = 0;
    bool gave_up_margins = false;
  };
  State state() const;
  void restore(const State& state);

 private:
  bool has_third() const { return settings_.third >= 0; }
  // Bins rise with the number; what is not finite falls into the first or the last one.
  struct Bins {
    double from = 0, scale = 0;
    int count = 1;
    int at(double value) const;
    void span(double low, double high, int bins);  // one bin where the range is empty or not finite
  };
  template <bool three>
  void filter_points(const double* scores, std::int64_t count, std::int64_t stride, std::uint64_t first,
                     Survivors& survivors) const;
  // Whether a point may count, for all that is known.
  bool may_be_on_front(const Candidate& point) const;
  bool may_be_best(const Candidate& point, std::size_t limit) const;
  bool within(const Candidate& point, std::size_t limit, double latency_slack, double third_slack) const;
  double latency_margin() const { return gave_up_margins_ ? 0 : settings_.latency_margin; }
  double quality_margin() const { return gave_up_margins_ ? 0 : settings_.quality_margin; }
  double third_margin() const { return gave_up_margins_ ? 0 : settings_.third_margin; }
  void compact();  // front, lists and the filter that follows from them
  void compact_front();
  void compact_best(std::size_t limit);
  void sharpen_filter();
  std::vector<Candidate> front_of(std::vector<Candidate> points) const;
  std::vector<Candidate> best_of(std::vector<Candidate> points, std::size_t limit) const;

  ReductionSettings settings_;
  std::uint64_t n_scored_ = 0;
  bool gave_up_margins_ = false;
  std::vector<Candidate> front_;              // may hold points that the next compaction drops
  std::vector<std::vector<Candidate>> best_;  // [n_limits]
  std::size_t compact_at_ = 0;                // points held that call for a compaction

  // The filter: [latency bin, third bin] the best quality of the front's points whose bins are both lower (two
  // objectives: whose latency bin is lower). NaN where nothing is known: it rules nothing out.
  Bins latency_bins_, third_bins_;
  std::vector<double> reached_;
  std::vector<double> edges_;  // [n_limits] quality of the k-th best; -infinity while there are fewer
};

}  // namespace oneproxy
