#pragma once
// How a rate (images/s, to be maximised) is predicted by what adds up over decisions. The times of the parts of a
// network add up, their rates do not: of 5,138 networks of Accel-NASBench a sum over blocks predicts the throughput of
// an A100 to 10 % (median), a sum of times to 1 %. So the sum is minus the time of one item in ms, and the rate is read
// off it:
//   rate = 1000 / time
// which increases with the sum, so that all that compares sums compares rates. Below `least_ms`, where no time was
// measured and a sum may be zero or less, it goes on along its tangent: increasing and finite everywhere.
#include <algorithm>
#include <limits>

namespace oneproxy {

struct RateScale {
  double least_ms = 0;  // above 0: half of the shortest time that was measured

  double rate(double score) const {
    const double most = 1000 / least_ms, time = -score;
    return time >= least_ms ? 1000 / time : most * (2 - time / least_ms);
  }
  // Minus infinity for what every network reaches: rates of 0 or less.
  double score(double rate) const {
    const double most = 1000 / least_ms;
    if (rate > most) return -least_ms * (2 - rate / most);
    return rate > 0 ? -1000 / rate : -std::numeric_limits<double>::infinity();
  }
  // Of the rate, where the time deviates by so many ms: to first order.
  double deviation(double score, double deviation_ms) const {
    const double time = std::max(-score, least_ms);
    return 1000 / (time * time) * deviation_ms;
  }
};

}  // namespace oneproxy
