#pragma once
// The verdicts on many answers of one way to answer, added up.
#include <string>
#include <utility>
#include <vector>

#include "experiments/kinds/scaling_up/judge.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/statistics.h"

namespace oneproxy::scaling_up {

inline constexpr double kMuch = 0.05;  // a limit broken by more than measurements repeat

struct Tally {
  std::vector<double> regret, quality, gap;  // gap: to exact search on the same predictor, in spreads of the quality
  int asked = 0, unanswered = 0, over = 0, much_over = 0;
  std::vector<double> hypervolume, preferred;  // shares of the true front's, a device

  void add(const Verdict& verdict) {
    ++asked;
    if (!verdict.answered) {
      ++unanswered;
      return;
    }
    regret.push_back(verdict.regret);
    quality.push_back(verdict.quality);
    over += verdict.over > 0;
    much_over += verdict.over > kMuch;
  }
  void add(const Tally& more) {
    for (auto [to, from] :
         {std::pair{&regret, &more.regret}, std::pair{&quality, &more.quality}, std::pair{&gap, &more.gap},
          std::pair{&hypervolume, &more.hypervolume}, std::pair{&preferred, &more.preferred}})
      to->insert(to->end(), from->begin(), from->end());
    asked += more.asked, unanswered += more.unanswered, over += more.over, much_over += more.much_over;
  }
  double share(int count) const { return asked > 0 ? static_cast<double>(count) / asked : std::nan(""); }
};

inline std::string percent(double share) { return std::isnan(share) ? "-" : fixed(100 * share, 1) + " %"; }

inline double mean_of(const std::vector<double>& values) { return mean_interval(values).mean; }

}  // namespace oneproxy::scaling_up
