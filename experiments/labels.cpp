#include "experiments/labels.h"

namespace oneproxy {

void label_space(LabelledArrays& arrays, const SearchSpace& space, const std::string& group) {
  arrays.set_attribute(group, "space", space.name());
  arrays.set_attribute(group, "geometry", space.geometry());
  std::vector<std::string> names;
  for (const auto& decision : space.decisions()) names.push_back(decision.name);
  arrays.axis(below(group, "decision"), names, {"decision of the search space", ""});
}

std::vector<std::string> architecture_strings(const SearchSpace& space, std::span<const std::uint8_t> choices) {
  const std::size_t width = space.n_decisions();
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < choices.size(); i += width) texts.push_back(space.to_string(choices.subspan(i, width)));
  return texts;
}

}  // namespace oneproxy
