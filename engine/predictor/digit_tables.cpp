#include "engine/predictor/digit_tables.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/digits.h"
#include "kernels/error.h"
#include "kernels/random.h"

namespace oneproxy {
namespace {

std::size_t width_of(std::span<const std::uint32_t> radices) {
  return std::accumulate(radices.begin(), radices.end(), std::size_t{0});
}

void require_layout(const SearchSpace& space, std::span<const std::uint8_t> radices, const std::string& what) {
  if (!std::equal(radices.begin(), radices.end(), space.radices().begin(), space.radices().end()))
    throw Error(what + " has " + std::to_string(radices.size()) + " decisions that are not those of space " +
                space.name() + "; use one of this space");
}

// What each value adds to the cost of the network whose digits are all `base`, and that cost.
class CostTables {
 public:
  CostTables(const SearchSpace& space, double Cost::*part)
      : space_(space), part_(part), radices_(space.code().radices.begin(), space.code().radices.end()) {}

  double cost(std::span<const std::uint32_t> digits) const {
    const auto choices = space_.choices_of(digits);
    return space_.cost(choices).*part_;
  }

  // One table, valid for the networks of a value of digit 0 or, without one, for all.
  void add_table(DigitTableData& data, std::uint32_t first_value) const {
    std::vector<std::uint32_t> digits(radices_.size(), 0);
    digits[0] = first_value;
    const double base = cost(digits);
    data.bias.push_back(base);
    for (std::size_t d = 0; d < radices_.size(); ++d) {
      const std::uint32_t kept = digits[d];
      for (std::uint32_t v = 0; v < radices_[d]; ++v) {
        digits[d] = v;
        data.weights.push_back(cost(digits) - base);
      }
      digits[d] = kept;
    }
  }

  // On networks drawn from the space.
  bool adds_up(const DigitTableData& data) const {
    constexpr std::uint64_t kNetworks = 256;
    constexpr double kRounding = 1e-12;
    std::vector<std::uint32_t> digits(radices_.size());
    const Philox random{1, 0};
    std::uint64_t draw = 0;
    for (std::uint64_t i = 0; i < kNetworks; ++i) {
      for (std::size_t d = 0; d < radices_.size(); ++d)
        digits[d] = static_cast<std::uint32_t>(random.below(draw++, radices_[d]));
      const std::size_t t = data.bias.size() == 1 ? 0 : digits[0];
      double sum = data.bias[t];
      std::size_t place = t * width_of(radices_);
      for (std::size_t d = 0; d < radices_.size(); place += radices_[d++]) sum += data.weights[place + digits[d]];
      const double truth = cost(digits);
      if (!(std::abs(sum - truth) <= kRounding * (std::abs(truth) + std::abs(data.bias[t])))) return false;
    }
    return true;
  }

 private:
  const SearchSpace& space_;
  double Cost::*part_;
  std::vector<std::uint32_t> radices_;
};

}  // namespace

DigitTableData digit_table(const DigitCode& code, std::span<const double> weights, std::span<const double> bias) {
  const auto rows = static_cast<std::size_t>(code.n_rows);
  if (bias.empty() || weights.size() != bias.size() * rows)
    throw Error("digit table: " + std::to_string(weights.size()) + " weights and " + std::to_string(bias.size()) +
                " biases; pass " + std::to_string(rows) + " weights for each table");
  if (bias.size() != 1 && bias.size() != code.radices[0])
    throw Error("digit table: " + std::to_string(bias.size()) + " tables; pass 1, or one for each of the " +
                std::to_string(code.radices[0]) + " values of digit 0");
  DigitTableData data;
  data.bias.assign(bias.begin(), bias.end());
  const auto parts = static_cast<std::size_t>(code.parts);
  for (std::size_t t = 0; t < bias.size(); ++t)
    for (std::size_t value = 0; value < width_of(code.radices); ++value) {
      double sum = 0;
      for (std::size_t part = 0; part < parts; ++part) {
        const std::int32_t row = code.rows[value * parts + part];
        if (row >= 0) sum += weights[t * rows + static_cast<std::size_t>(row)];
      }
      data.weights.push_back(sum);
    }
  return data;
}

DigitTableData digit_table(const SearchSpace& space, const LinearPredictor& predictor) {
  require_layout(space, predictor.radices, "linear predictor");
  return digit_table(space.code(), predictor.weights, {&predictor.bias, 1});
}

DigitTableData digit_table(const SearchSpace& space, const TablePredictor& predictor) {
  require_layout(space, predictor.radices, "table '" + predictor.target + "'");
  return digit_table(space.code(), predictor.weights, predictor.bias);
}

DigitTableData cost_digit_table(const SearchSpace& space, const std::string& model) {
  const CostTables costs(space, cost_model(model).part);
  DigitTableData data;
  costs.add_table(data, 0);
  if (costs.adds_up(data)) return data;
  data = {};
  for (std::uint32_t v = 0; v < space.code().radices[0]; ++v) costs.add_table(data, v);
  // A table's own digit 0 is in its bias.
  const std::size_t width = width_of(space.code().radices);
  for (std::size_t t = 0; t < data.bias.size(); ++t)
    std::fill_n(data.weights.begin() + static_cast<std::ptrdiff_t>(t * width), space.code().radices[0], 0.0);
  if (costs.adds_up(data)) return data;
  throw Error(model + " does not add up over the digits of space " + space.name() +
              ", so that no exact search is possible with it");
}

}  // namespace oneproxy
