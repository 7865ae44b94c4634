#include "oneproxy/engine/search/neighbours.h"

#include <string>
#include <unordered_map>

namespace oneproxy {
namespace {

// Values that agree in all decisions but one, found by leaving out one decision after another.
std::vector<std::vector<std::uint32_t>> one_decision_apart(const Digit& digit,
                                                           const std::vector<std::uint32_t>& values) {
  std::vector<std::vector<std::uint32_t>> lists(values.size());
  const auto n = static_cast<std::size_t>(digit.n_decisions);
  for (std::size_t left_out = 0; left_out < n; ++left_out) {
    std::unordered_map<std::string, std::vector<std::uint32_t>> alike;
    std::vector<std::string> keys;
    for (std::size_t v = 0; v < values.size(); ++v) {
      const auto* choices = digit.values.data() + values[v] * n;
      std::string key(choices, choices + n);
      key.erase(left_out, 1);
      alike[key].push_back(static_cast<std::uint32_t>(v));
      keys.push_back(std::move(key));
    }
    for (std::size_t v = 0; v < values.size(); ++v)
      for (const auto other : alike[keys[v]])
        if (other != v) lists[v].push_back(other);
  }
  return lists;
}

}  // namespace

Neighbours::Neighbours(const SubSpace& part) {
  for (int d = 0; d < part.n_digits(); ++d) {
    const auto& values = part.values(d);
    auto lists = one_decision_apart(part.space().digits()[d], values);
    for (std::size_t v = 0; v < values.size(); ++v)
      if (lists[v].empty())  // where the part leaves no such value, any other one
        for (std::size_t other = 0; other < values.size(); ++other)
          if (other != v) lists[v].push_back(static_cast<std::uint32_t>(other));
    lists_.push_back(std::move(lists));
    if (values.size() > 1) free_.push_back(d);
  }
}

}  // namespace oneproxy
