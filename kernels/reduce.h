#pragma once
// Something small from very many scores: the Pareto front, the k best under limits, histograms. States of parts of
// a space merge, in any order, to the same state; nothing of the size of the space is kept.
//
// Latency is minimised, quality maximised (kernels/pareto.h). Where scores carry an error of at most a margin
// (|score - exact score| <= margin), every point that may belong to the exact result is kept; the caller scores these
// again in fp64 and calls finish() on a state with margins of 0. With margins of 0 the state is the exact result.
#include <cstdint>
#include <vector>

#include "kernels/index.h"

namespace oneproxy {

struct Candidate {
  ArchIndex index = 0;
  double latency = 0, quality = 0;
};

struct HistogramSettings {
  int model = 0;                   // which score
  double lowest = 0, highest = 1;  // equal bins in [lowest, highest); two more for what lies below and above
  int bins = 100;
};

struct ReductionSettings {
  int latency = 0, quality = 1;  // which of a scorer's models; the same model for both is allowed
  bool front = true;
  std::vector<double> limits;  // latency limits
  int best = 0;                // so many best within each limit; ties: lower latency, then lower index
  std::vector<HistogramSettings> histograms;
  double latency_margin = 0, quality_margin = 0;
  std::int64_t most_candidates = std::int64_t{1} << 22;  // of a front or a list; beyond, the margins are given up
};

class Reduction {
 public:
  explicit Reduction(ReductionSettings settings);

  // scores [n_models][stride]: models' scores of `count` architectures with the given indices; NaN never counts.
  void add(const ArchIndex* indices, const double* scores, std::int64_t count, std::int64_t stride);
  void add(const Candidate& candidate);  // to front and lists, not to histograms
  void merge(const Reduction& other);    // Error where the settings differ

  const ReductionSettings& settings() const { return settings_; }
  std::uint64_t n_scored() const { return n_scored_; }
  // Too many candidates lay within the margins, so that the result is one of the fast scores, not proven for fp64.
  bool gave_up_margins() const { return gave_up_margins_; }
  std::vector<Candidate> front() const;                                                // ascending latency
  std::vector<Candidate> best(int limit) const;                                        // best first
  const std::vector<std::uint64_t>& histogram(int i) const { return histograms_[i]; }  // [bins + 2]

  // For checkpoints: all of the state but the settings.
  struct State {
    std::vector<Candidate> front;
    std::vector<std::vector<Candidate>> best;
    std::vector<std::vector<std::uint64_t>> histograms;
    std::uint64_t n_scored = 0;
    bool gave_up_margins = false;
  };
  State state() const;
  void restore(const State& state);

 private:
  struct Staircase;
  void add_to_front(const Candidate& candidate);
  void add_to_best(int limit, const Candidate& candidate);
  void compact_front() const;
  void compact_best(int limit) const;

  ReductionSettings settings_;
  std::uint64_t n_scored_ = 0;
  mutable bool gave_up_margins_ = false;
  mutable std::vector<Candidate> front_;  // front_[0 .. front_sorted_) is compact, the rest waits
  mutable std::size_t front_sorted_ = 0;
  mutable std::vector<std::vector<Candidate>> best_;
  mutable std::vector<std::size_t> best_sorted_;
  std::vector<std::vector<std::uint64_t>> histograms_;
};

}  // namespace oneproxy
