#include "oneproxy/engine/space/shared_attributes.h"

#include <map>

namespace oneproxy {

std::vector<SharedAttribute> shared_attributes(const SearchSpace& space) {
  std::vector<SharedAttribute> shared;
  for (int d = 0; d < space.n_decisions() && space.has_costs(); ++d) {
    const auto& decision = space.decisions()[d];
    const std::size_t n = decision.choices.size();
    std::vector<SharedAttribute> own;
    int n_attributes = 0;
    const auto add = [&](const std::string& attribute, const auto& value_of) {
      std::map<int, std::vector<char>> has;  // value -> choices, values rising
      for (std::size_t c = 0; c < n; ++c)
        has.try_emplace(value_of(decision.choices[c].operation), n, 0).first->second[c] = 1;
      if (has.size() == 1) return;
      ++n_attributes;
      for (auto& [value, choices] : has)
        own.push_back({d, decision.name + " " + attribute + " " + std::to_string(value), std::move(choices)});
    };
    add("kernel", [](const Operation& op) { return op.kernel; });
    add("expansion", [](const Operation& op) { return op.expansion; });
    add("groups", [](const Operation& op) { return op.groups; });
    add("repeats", [](const Operation& op) { return op.repeats; });
    add("squeeze_excitation", [](const Operation& op) { return static_cast<int>(op.squeeze_excitation); });
    if (n_attributes > 1 && 2 * own.size() <= n) shared.insert(shared.end(), own.begin(), own.end());
  }
  return shared;
}

}  // namespace oneproxy
