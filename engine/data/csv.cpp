#include "oneproxy/engine/data/csv.h"

#include <algorithm>
#include <cstdint>
#include <sstream>

#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/base/sha256.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr std::uint64_t kLargestFile = std::uint64_t{64} << 20;
constexpr std::size_t kMostColumns = 1024, kMostFields = std::size_t{1} << 23;  // a field of one byte takes a hundred

std::string trimmed(std::string text) {
  const char* blank = " \t\r";
  text.erase(0, text.find_first_not_of(blank));
  text.erase(text.find_last_not_of(blank) + 1);
  return text;
}

std::vector<std::string> fields(const std::string& line, const std::string& where) {
  std::vector<std::string> result(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted) {
      if (c != '"')
        result.back() += c;
      else if (i + 1 < line.size() && line[i + 1] == '"')
        result.back() += line[++i];
      else
        quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      if (result.size() == kMostColumns)
        throw Error(where + ": has more than " + std::to_string(kMostColumns) + " columns");
      result.emplace_back();
    } else {
      result.back() += c;
    }
  }
  if (quoted) throw Error(where + ": a quote is not closed");
  for (auto& field : result) field = trimmed(field);
  return result;
}

}  // namespace

int CsvTable::column(const std::string& name) const {
  const auto found = std::find(columns.begin(), columns.end(), name);
  return found == columns.end() ? -1 : static_cast<int>(found - columns.begin());
}

std::string CsvTable::location(std::size_t row) const { return path + ":" + std::to_string(lines[row]); }

CsvTable read_csv(const std::string& path) { return parse_csv(path, read_file(path, kLargestFile)); }

CsvTable parse_csv(const std::string& path, const std::string& content) {
  CsvTable table{path, sha256_hex(content), {}, {}, {}};
  std::istringstream in(content);
  std::size_t n_fields = 0;
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (number == 1 && line.rfind("\xEF\xBB\xBF", 0) == 0) line.erase(0, 3);  // byte-order mark of spreadsheets
    if (trimmed(line).empty() || line[0] == '#') continue;
    const auto where = path + ":" + std::to_string(number);
    auto row = fields(line, where);
    if (table.columns.empty()) {
      if (row.size() == 1 && line.find_first_of(";\t") != std::string::npos)
        throw Error(where + ": fields are separated by " +
                    (line.find(';') != std::string::npos ? "semicolons" : "tabs") +
                    "; write commas between fields, and points in decimals");
      table.columns = std::move(row);
      continue;
    }
    if (row.size() != table.columns.size())
      throw Error(where + ": has " + std::to_string(row.size()) + " fields, the header has " +
                  std::to_string(table.columns.size()) + " (" + "put text with commas in quotes)");
    if ((n_fields += row.size()) > kMostFields)
      throw Error(where + ": the file has more than " + std::to_string(kMostFields) + " fields; divide it");
    table.rows.push_back(std::move(row));
    table.lines.push_back(number);
  }
  if (table.columns.empty()) throw Error(path + ": is empty; the first line names the columns");
  return table;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

}  // namespace oneproxy
