#pragma once
// What files of tables by decision and of tables by index have in common: attributes that say what a table is, all
// others being its record, and the radices of its space.
#include <string>

#include "oneproxy/engine/base/attribute_reader.h"

namespace oneproxy {

// "" where the group has none.
inline std::string table_format(const H5File& file, const std::string& group) {
  return attribute_text(file.attributes(group), "format");
}

template <class Table>
void write_table_head(H5File& file, const std::string& group, const std::string& format, const Table& table) {
  if (group != "/") file.remove(group);
  for (const auto& [name, value] : table.record) file.set_attribute(group, name, value);
  file.set_attribute(group, "format", format);
  file.set_attribute(group, "space", table.space);
  file.set_attribute(group, "target", table.target);
  file.set_attribute(group, "unit", table.unit);
  const auto n_decisions = static_cast<std::int64_t>(table.radices.size());
  file.write(below(group, "radices"), table.radices, std::span(&n_decisions, 1));
}

// Errors: an attribute that is missing, damaged radices. The format has been looked at.
template <class Table>
void read_table_head(const H5File& file, const std::string& group, const std::string& where, Table& table) {
  AttributeReader attributes(file.attributes(group), where, "it is no look-up table, or damaged");
  attributes.text("format");
  table.space = attributes.text("space");
  table.target = attributes.text("target");
  table.unit = attributes.text("unit");
  table.record = attributes.rest();
  table.radices = file.read_bytes(below(group, "radices"));
}

}  // namespace oneproxy
