#include "tests/kernels/rank/rank_cases.h"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace oneproxy::test {
namespace {

std::vector<RankCase> read_rank_cases() {
  const std::string path = ONEPROXY_TEST_FIXTURES "/rank_cases.txt";
  std::ifstream file(path);
  if (!file) throw std::runtime_error("can not read " + path);
  std::vector<RankCase> cases;
  for (std::string text; std::getline(file, text);) {
    std::istringstream line(text);
    std::string word;
    line >> word;
    if (word == "case") {
      line >> cases.emplace_back().name;
      continue;
    }
    std::vector<double> values;
    for (std::string number; line >> number;) values.push_back(std::strtod(number.c_str(), nullptr));
    RankCase& current = cases.back();
    if (word == "x")
      current.x = values;
    else if (word == "y")
      current.y = values;
    else if (word == "ranks")
      current.ranks = values;
    else if (word == "pairs")
      current.pairs = static_cast<std::int64_t>(values.at(0));
    else if (word == "spearman")
      current.spearman = values.at(0);
    else if (word == "kendall")
      current.kendall = values.at(0);
    else
      throw std::runtime_error(path + ": unknown word '" + word + "'");
  }
  return cases;
}

}  // namespace

const std::vector<RankCase>& rank_cases() {
  static const std::vector<RankCase> cases = read_rank_cases();
  return cases;
}

}  // namespace oneproxy::test
