#include "engine/predictor/table_predictor.h"

#include <cmath>
#include <limits>
#include <numeric>

#include "engine/data/stored.h"
#include "engine/predictor/code_layout.h"
#include "kernels/error.h"

namespace oneproxy {
namespace {

constexpr const char* kFormat = "oneproxy-table";

std::size_t n_rows(const TablePredictor& table) {
  return static_cast<std::size_t>(std::accumulate(table.radices.begin(), table.radices.end(), 0));
}

void check(const TablePredictor& table, const std::string& where) {
  if (table.radices.empty()) throw Error(where + ": a table has decisions");
  if (table.bias.empty() || (table.n_tables() != 1 && table.n_tables() != table.radices[0]))
    throw Error(where + ": has " + std::to_string(table.n_tables()) +
                " tables; it should have one, or one for each of " + "the " + std::to_string(table.radices[0]) +
                " choices of decision 0");
  if (table.weights.size() != n_rows(table) * table.bias.size())
    throw Error(where + ": has " + std::to_string(table.weights.size()) + " weights, its choices need " +
                std::to_string(n_rows(table) * table.bias.size()));
  for (const auto* values : {&table.weights, &table.bias})
    for (const double value : *values)
      if (std::isinf(value)) throw Error(where + ": holds an infinite number; import the table again");
}

std::string text(const H5Attributes& attributes, const std::string& name, const std::string& where) {
  const auto found = attributes.find(name);
  const auto* value = found == attributes.end() ? nullptr : std::get_if<std::string>(&found->second);
  if (!value) throw Error(where + ": has no attribute " + name + "; it is no look-up table, or damaged");
  return *value;
}

}  // namespace

void TablePredictor::predict(std::span<const std::uint8_t> choices, std::span<double> values) const {
  ONEPROXY_ASSERT(choices.size() == values.size() * radices.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto* arch = choices.data() + i * radices.size();
    ONEPROXY_ASSERT(arch[0] < radices[0]);
    const std::size_t t = n_tables() == 1 ? 0 : arch[0];
    const double* weight = weights.data() + t * n_rows(*this);
    double sum = bias[t];
    for (std::size_t d = 0; d < radices.size(); weight += radices[d++]) {
      ONEPROXY_ASSERT(arch[d] < radices[d]);
      sum += weight[arch[d]];
    }
    values[i] = sum;
  }
}

std::string checksum(const TablePredictor& table) {
  return sha256_hex(table.space + "\n" + sha256_of(std::span(table.radices)) + sha256_of(std::span(table.weights)) +
                    sha256_of(std::span(table.bias)));
}

void check_predictor(const TablePredictor& predictor, const SearchSpace& space, const std::string& where) {
  check_layout(predictor.space, predictor.radices, space, where);
}

void write_table(H5File& file, const std::string& group, const TablePredictor& table) {
  check(table, file.path() + ":" + group);
  if (group != "/") file.remove(group);
  for (const auto& [name, value] : table.record) file.set_attribute(group, name, value);
  file.set_attribute(group, "format", std::string(kFormat));
  file.set_attribute(group, "space", table.space);
  file.set_attribute(group, "target", table.target);
  file.set_attribute(group, "unit", table.unit);
  const auto n_decisions = static_cast<std::int64_t>(table.radices.size());
  const std::int64_t shape[] = {table.n_tables(), static_cast<std::int64_t>(n_rows(table))};
  write_checked(file, below(group, "radices"), table.radices, std::span(&n_decisions, 1));
  write_checked(file, below(group, "weights"), table.weights, shape);
  write_checked(file, below(group, "bias"), table.bias, std::span(shape, 1));
}

TablePredictor read_table(const H5File& file, const std::string& group) {
  const std::string where = file.path() + (group == "/" ? "" : ":" + group);
  TablePredictor table;
  H5Attributes found = file.attributes(group);
  if (text(found, "format", where) != kFormat)
    throw Error(where + ": is no look-up table but " + text(found, "format", where) + " (predictor:FILE takes an MLP)");
  table.space = text(found, "space", where);
  table.target = text(found, "target", where);
  table.unit = text(found, "unit", where);
  for (const char* own : {"format", "space", "target", "unit"}) found.erase(own);
  table.record = std::move(found);
  table.radices = read_checked_bytes(file, below(group, "radices"));
  table.weights = read_checked_doubles(file, below(group, "weights"));
  table.bias = read_checked_doubles(file, below(group, "bias"));
  check(table, where);
  return table;
}

}  // namespace oneproxy
