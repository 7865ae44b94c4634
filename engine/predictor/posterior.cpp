#include "oneproxy/engine/predictor/posterior.h"

#include <algorithm>
#include <cmath>

#include "oneproxy/engine/base/attribute_reader.h"
#include "oneproxy/engine/base/sha256.h"
#include "oneproxy/engine/predictor/code_layout.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

using Factors = std::vector<AdditivePredictor>;

constexpr const char* kFormat = "oneproxy-posterior";
constexpr std::int64_t kSchema = 1;

const std::string& space_of(const Posterior& posterior) {
  const auto* factors = std::get_if<Factors>(&posterior.deviation);
  return factors ? factors->front().space : std::get<IndexTable>(posterior.deviation).space;
}

const std::vector<std::uint8_t>& radices_of(const Posterior& posterior) {
  const auto* factors = std::get_if<Factors>(&posterior.deviation);
  return factors ? factors->front().radices : std::get<IndexTable>(posterior.deviation).radices;
}

bool finite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
}

[[noreturn]] void damaged(const std::string& where, const std::string& what) {
  throw Error(where + ": " + what + "; it is damaged, adapt to the device again");
}

void check_numbers(const Posterior& posterior, const std::string& where) {
  const auto& errors = posterior.calibration.errors;
  if (errors.empty()) damaged(where, "it has no errors at answers");
  for (const auto* all : {&errors, &posterior.over_space.errors})
    if (!finite(*all) || !std::is_sorted(all->begin(), all->end()))
      damaged(where, "its errors are not numbers in ascending order");
  if (!std::isfinite(posterior.noise.deviation) || posterior.noise.deviation < 0 ||
      !std::isfinite(posterior.noise.typical) || !(posterior.noise.typical > 0))
    damaged(where, "its noise is no positive number");
  if (const auto* table = std::get_if<IndexTable>(&posterior.deviation)) {
    if (std::any_of(table->values.begin(), table->values.end(), [](double d) { return !(d >= 0); }) ||
        !finite(table->values))
      damaged(where, "has a deviation that is no number from 0 on");
    return;
  }
  for (const auto& factor : std::get<Factors>(posterior.deviation)) {
    check_table(factor.table(), std::span<const std::uint8_t>(factor.radices), where);
    if (!finite(factor.weights) || !finite(factor.bias)) damaged(where, "has a factor that is not finite");
  }
}

}  // namespace

double MeasurementNoise::variance(double value) const {
  const double times = value / typical;
  return deviation * deviation * (kFloor * kFloor + times * times);
}

void Posterior::deviations(std::span<const std::uint8_t> choices, std::span<double> out) const {
  if (const auto* table = std::get_if<IndexTable>(&deviation)) {
    table->predict(choices, out);
    return;
  }
  std::vector<double> values(out.size()), squares(out.size(), 0.0);
  for (const auto& factor : std::get<Factors>(deviation)) {
    factor.predict(choices, values);
    for (std::size_t i = 0; i < values.size(); ++i) squares[i] += values[i] * values[i];
  }
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = std::sqrt(squares[i]);
}

void Posterior::spreads(std::span<const std::uint8_t> choices, std::span<const double> values,
                        std::span<double> out) const {
  deviations(choices, out);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = std::sqrt(out[i] * out[i] + noise.variance(values[i]));
}

void check_posterior(const Posterior& posterior, const SearchSpace& space, const std::string& where) {
  check_layout(space_of(posterior), radices_of(posterior), space, where);
}

std::string checksum(const Posterior& posterior) {
  const double noise[] = {posterior.noise.deviation, posterior.noise.typical};
  std::string text = sha256_of(std::span<const double>(noise)) + sha256_of(std::span(posterior.calibration.errors)) +
                     sha256_of(std::span(posterior.over_space.errors));
  if (const auto* table = std::get_if<IndexTable>(&posterior.deviation))
    text += checksum(*table);
  else
    for (const auto& factor : std::get<Factors>(posterior.deviation)) text += checksum(factor);
  return sha256_hex(text);
}

void write_posterior(H5File& file, const std::string& group, const Posterior& posterior) {
  check_numbers(posterior, "posterior of space " + space_of(posterior));
  const auto& radices = radices_of(posterior);
  const auto& errors = posterior.calibration.errors;
  const auto n_decisions = static_cast<std::int64_t>(radices.size()), m = static_cast<std::int64_t>(errors.size());
  file.write(below(group, "radices"), radices, std::span(&n_decisions, 1));
  file.write(below(group, "errors"), errors, std::span(&m, 1));
  file.set_attribute(group, "format", kFormat);
  file.set_attribute(group, "schema_version", kSchema);
  file.set_attribute(group, "space", space_of(posterior));
  file.set_attribute(group, "noise_deviation", posterior.noise.deviation);
  file.set_attribute(group, "noise_typical", posterior.noise.typical);
  file.set_attribute(group, "n_devices", posterior.calibration.n_devices);
  if (const auto& over_space = posterior.over_space; !over_space.errors.empty()) {
    const auto k = static_cast<std::int64_t>(over_space.errors.size());
    file.write(below(group, "errors_over_space"), over_space.errors, std::span(&k, 1));
    file.set_attribute(group, "n_devices_over_space", over_space.n_devices);
  }
  if (const auto* table = std::get_if<IndexTable>(&posterior.deviation)) {
    const auto n = static_cast<std::int64_t>(table->values.size());
    file.write(below(group, "deviation"), table->values, std::span(&n, 1));
    return;
  }
  const auto& factors = std::get<Factors>(posterior.deviation);
  std::vector<double> weights, bias;
  for (const auto& factor : factors) {
    weights.insert(weights.end(), factor.weights.begin(), factor.weights.end());
    bias.insert(bias.end(), factor.bias.begin(), factor.bias.end());
  }
  const auto n_factors = static_cast<std::int64_t>(factors.size());
  const std::int64_t n_tables = factors.front().n_tables();
  const std::int64_t shape[] = {n_factors, n_tables, static_cast<std::int64_t>(factors.front().table().width())};
  file.write(below(group, "factor_weights"), weights, shape);
  file.write(below(group, "factor_bias"), bias, std::span(shape, 2));
}

bool is_posterior(const H5File& file, const std::string& group) {
  return file.exists(group) && attribute_text(file.attributes(group), "format") == kFormat;
}

Posterior read_posterior(const H5File& file, const std::string& group) {
  const std::string where = file.path() + ":" + group;
  AttributeReader attributes(file.attributes(group), where, "it is no posterior, or damaged");
  if (attributes.text("format") != kFormat) throw Error(where + ": is no posterior; `oneproxy adapt --out` makes one");
  const auto version = attributes.integer("schema_version");
  if (version != kSchema)
    throw Error(where + ": has schema " + std::to_string(version) + ", this program reads " + std::to_string(kSchema) +
                "; use another oneproxy");
  const auto space = attributes.text("space");
  const auto radices = file.read_bytes(below(group, "radices"));
  Posterior posterior;
  posterior.noise = {attributes.number("noise_deviation"), attributes.number("noise_typical")};
  posterior.calibration = {file.read_doubles(below(group, "errors")), attributes.integer("n_devices")};
  if (const auto name = below(group, "errors_over_space"); file.exists(name))
    posterior.over_space = {file.read_doubles(name), attributes.integer("n_devices_over_space")};
  if (file.exists(below(group, "deviation"))) {
    IndexTable table{space, radices, "", "", file.read_doubles(below(group, "deviation")), {}};
    std::uint64_t size = 1;
    for (const auto radix : radices) size = std::min(size * radix, kIndexTableMost + 1);
    if (table.values.size() != size)
      damaged(where, "has " + std::to_string(table.values.size()) + " deviations, its space has another size");
    posterior.deviation = std::move(table);
  } else {
    const auto shape = file.shape(below(group, "factor_weights"));
    const auto weights = file.read_doubles(below(group, "factor_weights"));
    const auto bias = file.read_doubles(below(group, "factor_bias"));
    if (shape.size() != 3 || shape[0] < 1 || shape[1] < 1 ||
        static_cast<std::int64_t>(bias.size()) != shape[0] * shape[1])
      damaged(where, "its factors do not fit together");
    Factors factors;
    for (std::int64_t r = 0; r < shape[0]; ++r) {
      const auto width = shape[1] * shape[2];
      factors.push_back({space,
                         radices,
                         "",
                         "",
                         {weights.begin() + r * width, weights.begin() + (r + 1) * width},
                         {bias.begin() + r * shape[1], bias.begin() + (r + 1) * shape[1]},
                         {}});
    }
    posterior.deviation = std::move(factors);
  }
  check_numbers(posterior, where);
  return posterior;
}

}  // namespace oneproxy
