#include "oneproxy/engine/predictor/additive_features.h"

#include <cmath>
#include <numeric>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/random.h"

namespace oneproxy {

std::vector<double> AdditiveFeature::of(std::span<const std::uint8_t> choices,
                                        std::span<const std::uint8_t> radices) const {
  std::vector<double> values(choices.size() / radices.size(), base);
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::size_t row = 0;
    for (std::size_t d = 0; d < radices.size(); row += radices[d++])
      values[i] += per_row[row + choices[i * radices.size() + d]];
  }
  return values;
}

AdditiveFeature additive_feature(const SearchSpace& space, const std::string& name) {
  const CostModel& model = cost_model("model:" + name);
  const auto radices = space.radices();
  std::vector<std::uint8_t> choices(radices.size(), 0);
  AdditiveFeature feature{name, space.cost(choices).*model.part, {}};
  for (std::size_t d = 0; d < radices.size(); ++d) {
    for (int c = 0; c < radices[d]; ++c) {
      choices[d] = static_cast<std::uint8_t>(c);
      feature.per_row.push_back(space.cost(choices).*model.part - feature.base);
    }
    choices[d] = 0;
  }
  const Philox random{1, 0};
  std::uint64_t draw = 0;
  for (int i = 0; i < 1000; ++i) {
    std::vector<std::uint32_t> digits;
    for (const auto& digit : space.digits())
      digits.push_back(static_cast<std::uint32_t>(random.below(draw++, digit.radix)));
    const auto arch = space.choices_of(digits);
    const double cost = space.cost(arch).*model.part;
    if (!(std::abs(feature.of(arch, radices)[0] - cost) <= 1e-9 * std::abs(cost)))
      throw Error("features: " + name + " of " + space.name() + " is not a sum over its decisions (architecture '" +
                  space.to_string(arch) + "'), so it can not be folded into a predictor; leave it out");
  }
  return feature;
}

}  // namespace oneproxy
