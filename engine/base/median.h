#pragma once
#include <algorithm>
#include <vector>

namespace oneproxy {

// Of an even number the mean of the middle two. values is not empty.
inline double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto half = values.size() / 2;
  return values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

}  // namespace oneproxy
