#pragma once
// Tables of text as a person, a spreadsheet or a program writes them: fields between commas, semicolons or tabs, in
// quotes where they need them (RFC 4180), with a byte-order mark or without, lines ended as on any system.
#include <cstdint>
#include <string>
#include <vector>

namespace oneproxy {

struct CsvTable {
  std::string path, sha256;  // of its bytes
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  std::vector<int> lines;       // line number of each row, its first where it has several
  char delimiter = ',';         // ',', ';' or a tab
  std::vector<int> blank = {};  // lines that have delimiters and nothing between them: no rows

  int column(const std::string& name) const;    // -1 where absent
  std::string location(std::size_t row) const;  // "file.csv:12"
};

// The delimiter is the one that all rows agree on; empty lines and lines that begin with '#' are no rows. Errors: no
// such file, no header, a row with another number of fields, an open quote, two delimiters that fit alike, what is no
// text (a spreadsheet, UTF-16); more than 64 MiB, 1024 columns or 2^23 fields.
CsvTable read_csv(const std::string& path);
// The same of text that is there already; `path` is named in errors.
CsvTable parse_csv(const std::string& path, const std::string& content);

// How to read what is not a table with a header that somebody wrote with care.
struct CsvForm {
  std::vector<std::string> columns = {};       // their names, where the file has no header
  std::vector<std::string>* faults = nullptr;  // not null: a faulty row is put there and left out, no error
};
CsvTable parse_csv(const std::string& path, const std::string& content, const CsvForm& form);
CsvTable read_csv(const std::string& path, const CsvForm& form);

// A field, in quotes where it needs them.
std::string csv_field(const std::string& text);

}  // namespace oneproxy
