#pragma once
// What the loop raises by measuring: the hypervolume of the measured front, or the quality of the best networks within
// limits. All objectives are minimised here; the last is the quality, the others are measured.
#include <cstdint>
#include <span>
#include <vector>

#include "oneproxy/engine/front_loop/expected_improvement.h"

namespace oneproxy {

class LoopGoal {
 public:
  // The front up to the reference [m].
  explicit LoopGoal(std::vector<double> reference);
  // Within limits [n, m - 1], infinite: none. Where nothing keeps a limit, its best counts as `worst`; qualities are
  // shares of `scale`.
  LoopGoal(std::vector<double> limits, std::size_t n_objectives, double worst, double scale);

  std::size_t n_objectives() const { return m_; }
  bool has_limits() const { return !limits_.empty(); }
  // By points [n, m]: the hypervolume, or the mean over limits of the quality gained over `worst`.
  double attained(std::span<const double> points) const;
  // Of candidates as good in the quality as this or worse nothing is gained.
  double least_quality() const { return has_limits() ? worst_ : reference_.back(); }
  // Gain of `after` over `before`, as a share: of the hypervolume, or of the scale. NaN where there is none to compare.
  double share(double before, double after) const;

  // What one more point is expected to add to what is attained by these.
  class Improvement {
   public:
    Improvement(const LoopGoal& goal, std::vector<double> points);
    double expected(std::span<const Gaussian> y) const;
    void add(std::span<const double> point);

   private:
    void update();
    const LoopGoal& goal_;
    std::vector<double> points_;
    std::vector<UndominatedBoxes> boxes_;  // one, of a front
    std::vector<double> best_;             // of limits
  };

 private:
  std::vector<double> best(std::span<const double> points) const;  // [n_limits]
  std::size_t m_;
  std::vector<double> reference_, limits_;
  double worst_ = 0, scale_ = 1;
};

}  // namespace oneproxy
