#pragma once
// Which (quality, third) pairs a set of points reaches: quality is maximised, third minimised. Points of a third
// objective come by ascending latency; what the staircase reaches is then dominated. O(log n) an operation.
#include <iterator>
#include <map>

namespace oneproxy::detail {

class Staircase {
 public:
  // Whether a point has at least this quality (`strictly`: more) at this third or less.
  bool reaches(double quality, double third, bool strictly = false) const {
    const auto first = strictly ? steps_.upper_bound(quality) : steps_.lower_bound(quality);
    return first != steps_.end() && first->second <= third;
  }
  void add(double quality, double third) {
    if (reaches(quality, third)) return;
    auto step = steps_.insert_or_assign(quality, third).first;
    while (step != steps_.begin() && std::prev(step)->second >= third) steps_.erase(std::prev(step));
  }

 private:
  std::map<double, double> steps_;  // quality -> third, both ascending
};

}  // namespace oneproxy::detail
