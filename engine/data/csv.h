#pragma once
// Comma-separated tables with a header line, as a person or a spreadsheet writes them (RFC 4180 quotes).
#include <string>
#include <vector>

namespace oneproxy {

struct CsvTable {
  std::string path, sha256;  // of its bytes
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  std::vector<int> lines;  // line number of each row

  int column(const std::string& name) const;    // -1 where absent
  std::string location(std::size_t row) const;  // "file.csv:12"
};

// Errors: no such file, no header, a row with another number of fields, an open quote; more than 64 MiB, 1024 columns
// or 2^23 fields.
CsvTable read_csv(const std::string& path);
// The same of text that is there already; `path` is named in errors.
CsvTable parse_csv(const std::string& path, const std::string& content);

// A field, in quotes where it needs them.
std::string csv_field(const std::string& text);

}  // namespace oneproxy
