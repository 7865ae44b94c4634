#include "oneproxy/engine/predictor/table_predictor.h"

#include <cmath>
#include <limits>
#include <numeric>

#include "oneproxy/engine/predictor/code_layout.h"
#include "oneproxy/engine/predictor/table_head.h"
#include "oneproxy/kernels/base/error.h"

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
  write_table_head(file, group, kFormat, table);
  const std::int64_t shape[] = {table.n_tables(), static_cast<std::int64_t>(n_rows(table))};
  write_checked(file, below(group, "weights"), table.weights, shape);
  write_checked(file, below(group, "bias"), table.bias, std::span(shape, 1));
}

TablePredictor read_table(const H5File& file, const std::string& group) {
  const std::string where = file.path() + (group == "/" ? "" : ":" + group);
  TablePredictor table;
  const std::string format = table_format(file, group);
  if (!format.empty() && format != kFormat)
    throw Error(where + ": is no look-up table but " + format + " (predictor:FILE takes an MLP)");
  read_table_head(file, group, where, table);
  table.weights = read_checked_doubles(file, below(group, "weights"));
  table.bias = read_checked_doubles(file, below(group, "bias"));
  check(table, where);
  return table;
}

}  // namespace oneproxy
