#pragma once
// The cases of tests/fixtures/rank_cases.txt, which the tests of both twins share.
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

namespace oneproxy::test {

struct RankCase {
  std::string name;
  std::vector<double> x, y, ranks;
  std::int64_t pairs = 0;
  double spearman = 0, kendall = 0;
};

const std::vector<RankCase>& rank_cases();
inline std::ostream& operator<<(std::ostream& out, const RankCase& c) { return out << c.name; }

}  // namespace oneproxy::test
