#include "oneproxy/engine/predictor/code_layout.h"

#include <algorithm>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

// "25, 20 x 10": radices with repetitions counted.
std::string layout(std::span<const std::uint8_t> radices) {
  std::string text;
  for (std::size_t i = 0; i < radices.size();) {
    std::size_t end = i;
    while (end < radices.size() && radices[end] == radices[i]) ++end;
    text +=
        (text.empty() ? "" : ", ") + (end - i > 1 ? std::to_string(end - i) + " x " : "") + std::to_string(radices[i]);
    i = end;
  }
  return text;
}

}  // namespace

void check_layout(const std::string& predictor_space, std::span<const std::uint8_t> radices, const SearchSpace& space,
                  const std::string& where) {
  if (predictor_space != space.name())
    throw Error(where + ": belongs to space " + predictor_space + ", not to " + space.name());
  if (!std::equal(radices.begin(), radices.end(), space.radices().begin(), space.radices().end()))
    throw Error(where + ": its code has choices " + layout(radices) + ", space " + space.name() + " has " +
                layout(space.radices()) + "; train or import it again");
}

}  // namespace oneproxy
