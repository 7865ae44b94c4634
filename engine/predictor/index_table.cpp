#include "oneproxy/engine/predictor/index_table.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "oneproxy/engine/base/sha256.h"
#include "oneproxy/engine/predictor/code_layout.h"
#include "oneproxy/engine/predictor/table_head.h"
#include "oneproxy/engine/space/listed_space.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr const char* kFormat = "oneproxy-index-table";

// The list ascends, or the look-up would miss networks that it has.
void check_rows(const IndexTable& table, const std::string& where) {
  const std::size_t width = table.radices.size();
  const auto row = [&](std::size_t i) { return std::span(table.rows).subspan(i * width, width); };
  bool ascends = width > 0 && table.rows.size() == table.values.size() * width;
  for (std::size_t i = 1; ascends && i < table.values.size(); ++i)
    ascends = std::ranges::lexicographical_compare(row(i - 1), row(i));
  if (!ascends)
    throw Error(where + ": its list of networks does not fit its " + std::to_string(table.values.size()) +
                " values; make the table again");
}

void check(const IndexTable& table, const std::string& where) {
  std::uint64_t size = 1;
  if (!table.rows.empty()) {
    check_rows(table, where);
    size = table.values.size();
  }
  for (const auto radix : table.radices)
    if (table.rows.empty() && (size *= radix) > kIndexTableMost)
      throw Error(where + ": its space has more than " + std::to_string(kIndexTableMost) +
                  " architectures, too many for a table of each");
  if (table.radices.empty() || table.values.size() != size)
    throw Error(where + ": has " + std::to_string(table.values.size()) + " values, its space has " +
                std::to_string(table.radices.empty() ? 0 : size) + " architectures");
  for (std::size_t i = 0; i < table.values.size(); ++i)
    if (!std::isfinite(table.values[i]))
      throw Error(where + ": the value of architecture " + std::to_string(i) + " is not finite; make the table again");
}

}  // namespace

void IndexTable::predict(std::span<const std::uint8_t> choices, std::span<double> out) const {
  ONEPROXY_ASSERT(choices.size() == out.size() * radices.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (!rows.empty()) {
      const auto row = row_of(rows, choices.subspan(i * radices.size(), radices.size()));
      out[i] = row < 0 ? std::numeric_limits<double>::quiet_NaN() : values[row];
      continue;
    }
    std::size_t index = 0;
    for (std::size_t d = 0; d < radices.size(); ++d) {
      const auto choice = choices[i * radices.size() + d];
      ONEPROXY_ASSERT(choice < radices[d]);
      index = index * radices[d] + choice;
    }
    out[i] = values[index];
  }
}

void check_predictor(const IndexTable& table, const SearchSpace& space, const std::string& where) {
  check_layout(table.space, table.radices, space, where);
  if (table.rows != space.list().choices)
    throw Error(where + ": is of another list of networks than " + space.reference() + "; adapt to its list again");
  ONEPROXY_ASSERT(space.stages().empty());
}

std::string checksum(const IndexTable& table) {
  return sha256_hex(table.space + "\nby index\n" + sha256_of(std::span(table.radices)) +
                    (table.rows.empty() ? "" : sha256_of(std::span(table.rows))) + sha256_of(std::span(table.values)));
}

void write_table(H5File& file, const std::string& group, const IndexTable& table) {
  check(table, "table of space " + table.space);
  write_table_head(file, group, kFormat, table);
  const auto n = static_cast<std::int64_t>(table.values.size());
  file.write(below(group, "values"), table.values, std::span(&n, 1));
  if (table.rows.empty()) return;
  const std::int64_t shape[] = {n, static_cast<std::int64_t>(table.radices.size())};
  file.write(below(group, "rows"), table.rows, shape);
}

bool is_index_table(const H5File& file, const std::string& group) { return table_format(file, group) == kFormat; }

IndexTable read_index_table(const H5File& file, const std::string& group) {
  const std::string where = file.path() + (group == "/" ? "" : ":" + group);
  IndexTable table;
  if (table_format(file, group) != kFormat) throw Error(where + ": is no table by index");
  read_table_head(file, group, where, table);
  table.values = file.read_doubles(below(group, "values"));
  if (file.exists(below(group, "rows"))) table.rows = file.read_bytes(below(group, "rows"));
  check(table, where);
  return table;
}

}  // namespace oneproxy
