#include "oneproxy/engine/predictor/additive_predictor.h"

#include <cmath>

#include "oneproxy/engine/base/sha256.h"
#include "oneproxy/engine/predictor/code_layout.h"
#include "oneproxy/engine/predictor/table_head.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr const char* kFormat = "oneproxy-table";
constexpr const char* kRateFormat = "oneproxy-rate-table";  // a name of its own: who does not know rates reads none

void check(const AdditivePredictor& table, const std::string& where) {
  check_table(table.table(), std::span<const std::uint8_t>(table.radices), where);
  for (const auto* values : {&table.weights, &table.bias})
    for (const double value : *values)
      if (std::isinf(value)) throw Error(where + ": holds an infinite number; import the table again");
  if (table.rate && !(table.rate->least_ms > 0 && std::isfinite(table.rate->least_ms)))
    throw Error(where + ": the shortest time of its rate should be a positive number of ms; adapt to the device again");
}

}  // namespace

void AdditivePredictor::predict(std::span<const std::uint8_t> choices, std::span<double> values) const {
  predict(choices, values, Backend::cpu);
}

void AdditivePredictor::predict(std::span<const std::uint8_t> choices, std::span<double> values,
                                Backend backend) const {
  score_table(table(), radices, choices, values, backend);
  if (rate)
    for (double& value : values) value = rate->rate(value);
}

std::string checksum(const AdditivePredictor& table) {
  return sha256_hex(table.space + "\n" + sha256_of(std::span(table.radices)) + sha256_of(std::span(table.weights)) +
                    sha256_of(std::span(table.bias)) +
                    (table.rate ? "rate" + sha256_of(std::span(&table.rate->least_ms, 1)) : ""));
}

void check_predictor(const AdditivePredictor& predictor, const SearchSpace& space, const std::string& where) {
  check_layout(predictor.space, predictor.radices, space, where);
}

void write_table(H5File& file, const std::string& group, const AdditivePredictor& table) {
  check(table, "table of space " + table.space);
  write_table_head(file, group, table.rate ? kRateFormat : kFormat, table);
  if (table.rate) file.set_attribute(group, "least_ms", table.rate->least_ms);
  const std::int64_t shape[] = {table.n_tables(), static_cast<std::int64_t>(table.table().width())};
  file.write(below(group, "weights"), table.weights, shape);
  file.write(below(group, "bias"), table.bias, std::span(shape, 1));
}

AdditivePredictor read_table(const H5File& file, const std::string& group) {
  const std::string where = file.path() + (group == "/" ? "" : ":" + group);
  AdditivePredictor table;
  const std::string format = table_format(file, group);
  if (!format.empty() && format != kFormat && format != kRateFormat)
    throw Error(where + ": is no look-up table but " + format + " (predictor:FILE takes an MLP)");
  read_table_head(file, group, where, table);
  if (format == kRateFormat) {
    const auto least = table.record.find("least_ms");
    const double* least_ms = least == table.record.end() ? nullptr : std::get_if<double>(&least->second);
    table.rate = RateScale{least_ms ? *least_ms : 0.0};  // which check() refuses
    table.record.erase("least_ms");
  }
  table.weights = file.read_doubles(below(group, "weights"));
  table.bias = file.read_doubles(below(group, "bias"));
  check(table, where);
  return table;
}

}  // namespace oneproxy
