#include "oneproxy/engine/search/methods/k_best.h"

#include <algorithm>
#include <numeric>
#include <queue>
#include <tuple>

#include "oneproxy/engine/base/interrupt.h"

namespace oneproxy {
namespace {

// A part of the space with its best architecture.
struct Part {
  std::vector<std::uint8_t> allowed;
  AdditiveBest best;
};

// Worse ones last.
struct Worse {
  bool operator()(const Part& a, const Part& b) const {
    const auto key = [](const Part& part) {
      return std::tuple(-part.best.point.quality, part.best.point.latency, part.best.digits);
    };
    return key(a) > key(b);
  }
};

}  // namespace

std::vector<std::vector<std::uint32_t>> k_best(const AdditiveProblem& problem, std::int64_t limit, int k) {
  const auto radices = problem.radices;
  const std::size_t width = std::accumulate(radices.begin(), radices.end(), std::size_t{0});
  std::vector<std::size_t> offsets(radices.size());
  std::exclusive_scan(radices.begin(), radices.end(), offsets.begin(), std::size_t{0});
  std::priority_queue<Part, std::vector<Part>, Worse> parts;
  // Whether some value of digit 0 is allowed with values for all other digits; it selects the mask where there are
  // several.
  const auto has_architecture = [&](const std::vector<std::uint8_t>& allowed) {
    for (std::uint32_t first = 0; first < radices[0]; ++first) {
      const std::uint8_t* mask = allowed.data() + (allowed.size() > width ? first * width : 0);
      bool whole = mask[first] != 0;
      for (std::size_t d = 1; d < radices.size() && whole; ++d)
        whole = std::any_of(mask + offsets[d], mask + offsets[d] + radices[d], [](std::uint8_t v) { return v != 0; });
      if (whole) return true;
    }
    return false;
  };
  const auto add = [&](std::vector<std::uint8_t> allowed) {
    check_interrupt();
    if (!has_architecture(allowed)) return;
    AdditiveProblem own = problem;
    own.allowed = allowed;
    auto best = additive_best(own, std::span(&limit, 1)).front();
    if (best.found) parts.push({std::move(allowed), std::move(best)});
  };
  add(problem.allowed.empty() ? std::vector<std::uint8_t>(width, 1)
                              : std::vector<std::uint8_t>(problem.allowed.begin(), problem.allowed.end()));

  std::vector<std::vector<std::uint32_t>> found;
  while (!parts.empty() && static_cast<int>(found.size()) < k) {
    const Part part = parts.top();
    parts.pop();
    const auto& digits = part.best.digits;
    found.push_back(digits);
    if (static_cast<int>(found.size()) == k) break;
    std::vector<std::uint8_t> prefix = part.allowed;  // agrees with the best one in the digits before d
    const std::size_t n_masks = prefix.size() / width;
    for (std::size_t d = 0; d < radices.size(); ++d) {
      auto differs = prefix;
      for (std::size_t m = 0; m < n_masks; ++m) {
        differs[m * width + offsets[d] + digits[d]] = 0;
        for (std::uint32_t v = 0; v < radices[d]; ++v)
          if (v != digits[d]) prefix[m * width + offsets[d] + v] = 0;
      }
      add(std::move(differs));
    }
  }
  return found;
}

}  // namespace oneproxy
