#include "oneproxy/kernels/score/owned.h"

#include <utility>

namespace oneproxy::detail {

OwnedCode::OwnedCode(const DigitCode& code)
    : radices(code.radices.begin(), code.radices.end()),
      parts(code.parts),
      n_rows(code.n_rows),
      rows(code.rows.begin(), code.rows.end()),
      size(code.size()) {
  std::uint32_t offset = 0;
  for (const auto radix : radices) {
    offsets.push_back(offset);
    offset += radix;
  }
}

OwnedModel::OwnedModel(const ScoreFunction& of) {
  const auto own = [this](std::span<const double> from) -> std::span<const double> {
    return numbers.emplace_back(from.begin(), from.end());
  };
  if (const auto* table = std::get_if<AdditiveTable<double>>(&of)) {
    model = AdditiveTable<double>{own(table->weights), own(table->bias)};
    return;
  }
  const Mlp& mlp = std::get<Mlp>(of);
  Mlp copy{mlp.first_width, own(mlp.rows), own(mlp.first_bias), {}};
  for (const auto& layer : mlp.layers)
    copy.layers.push_back({layer.inputs, layer.outputs, own(layer.weights), own(layer.bias)});
  model = std::move(copy);
}

}  // namespace oneproxy::detail
