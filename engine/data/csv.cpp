#include "oneproxy/engine/data/csv.h"

#include <algorithm>
#include <optional>

#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/base/sha256.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr std::uint64_t kLargestFile = std::uint64_t{64} << 20;
constexpr std::size_t kMostColumns = 1024, kMostFields = std::size_t{1} << 23;  // a field of one byte takes a hundred
const std::string kDelimiters = ",;\t";

std::string trimmed(std::string text) {
  const char* blank = " \t\r\n";
  text.erase(0, text.find_first_not_of(blank));
  text.erase(text.find_last_not_of(blank) + 1);
  return text;
}

std::string named(char delimiter) { return delimiter == ',' ? "commas" : delimiter == ';' ? "semicolons" : "tabs"; }

// What is no text is told by its first bytes.
void check_text(const std::string& path, const std::string& content) {
  if (content.starts_with("PK\x03\x04") || content.starts_with("\xD0\xCF\x11\xE0"))
    throw Error(path + ": is a spreadsheet, not a text; save it as CSV there");
  if (content.starts_with("\xFF\xFE") || content.starts_with("\xFE\xFF"))
    throw Error(path + ": is text in UTF-16; save it as \"CSV UTF-8\"");
  if (content.find('\0') != std::string::npos)
    throw Error(path + ": has a zero byte, so it is no text; save it as CSV");
}

// "sep=;", by which spreadsheets name the delimiter.
std::optional<char> declared_delimiter(const std::string& line) {
  const std::string text = line.substr(0, line.find_last_not_of("\r ") + 1);
  if (text.size() != 5 || !text.starts_with("sep=") || kDelimiters.find(text[4]) == std::string::npos)
    return std::nullopt;
  return text[4];
}

struct Record {
  std::string text;
  int line;
};

// Lines that belong together, because a quote is open at the end of the first; alone, where `one_line`.
class Records {
 public:
  Records(const std::string& content, bool one_line) : content_(content), one_line_(one_line) {
    if (content.starts_with("\xEF\xBB\xBF")) at_ = 3;  // byte-order mark
    // Macs of the last century ended lines by a carriage return alone.
    if (content.find('\n') == std::string::npos) end_ = '\r';
  }

  std::optional<Record> next() {
    while (at_ < content_.size()) {
      Record record{"", line_ + 1};
      bool open = false;
      const std::size_t begin = at_, first_line = line_;
      std::size_t after_first = 0;
      do {
        const auto end = std::min(content_.find(end_, at_), content_.size());
        for (std::size_t i = at_; i < end; ++i) open ^= content_[i] == '"';
        record.text.append(content_, at_, end - at_);
        at_ = end + 1;
        ++line_;
        if (after_first == 0) after_first = at_;
        if (open && !one_line_ && at_ < content_.size()) record.text += '\n';
      } while (open && !one_line_ && at_ < content_.size());
      if (open && !one_line_) {  // never closed: its first line is at fault, not all that follow
        at_ = after_first;
        line_ = static_cast<int>(first_line) + 1;
        record.text = content_.substr(begin, after_first - 1 - begin);
      }
      if (trimmed(record.text).empty() || record.text[0] == '#') continue;
      return record;
    }
    return std::nullopt;
  }

 private:
  const std::string& content_;
  bool one_line_;
  char end_ = '\n';
  std::size_t at_ = 0;
  int line_ = 0;
};

std::vector<std::string> fields(const std::string& text, char delimiter, const std::string& where) {
  std::vector<std::string> result(1);
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"')
        result.back() += c;
      else if (i + 1 < text.size() && text[i + 1] == '"')
        result.back() += text[++i];
      else
        quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == delimiter) {
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

// Fields of a row without those that are empty behind its last column.
std::size_t width_of(const std::vector<std::string>& row, std::size_t n_columns) {
  std::size_t n = row.size();
  while (n > n_columns && row[n - 1].empty()) --n;
  return n;
}

bool outside_quotes(const std::string& text, char c) {
  bool quoted = false;
  for (const char one : text) {
    if (one == '"') quoted = !quoted;
    if (one == c && !quoted) return true;
  }
  return false;
}

// The one by which all rows have as many fields as the first, or as the columns that are named. With none of which
// that holds the first that the header has: the rows' errors say the rest.
char delimiter_of(const std::string& path, const std::vector<Record>& records, const CsvForm& form) {
  std::string in_first;
  for (const char one : kDelimiters)
    if (outside_quotes(records[0].text, one)) in_first += one;
  if (in_first.empty()) return ',';
  if (in_first.size() == 1 && form.columns.empty()) return in_first[0];
  std::string fitting;
  for (const char one : in_first) {
    const auto width_in = [&](const Record& record, std::size_t n) {
      return width_of(fields(record.text, one, path + ":" + std::to_string(record.line)), n);
    };
    try {
      const std::size_t n = form.columns.empty() ? width_in(records[0], 0) : form.columns.size();
      if (n > 1 &&
          std::all_of(records.begin(), records.end(), [&](const Record& record) { return width_in(record, n) == n; }))
        fitting += one;
    } catch (const Error&) {  // too many columns by this one
    }
  }
  if (fitting.size() > 1)
    throw Error(path + ":" + std::to_string(records[0].line) + ": " + named(fitting[0]) + " and " + named(fitting[1]) +
                " both divide its rows evenly; put text that has either in quotes");
  return fitting.empty() ? in_first[0] : fitting[0];
}

}  // namespace

int CsvTable::column(const std::string& name) const {
  const auto found = std::find(columns.begin(), columns.end(), name);
  return found == columns.end() ? -1 : static_cast<int>(found - columns.begin());
}

std::string CsvTable::location(std::size_t row) const { return path + ":" + std::to_string(lines[row]); }

CsvTable read_csv(const std::string& path) { return read_csv(path, {}); }
CsvTable read_csv(const std::string& path, const CsvForm& form) {
  return parse_csv(path, read_file(path, kLargestFile), form);
}
CsvTable parse_csv(const std::string& path, const std::string& content) { return parse_csv(path, content, {}); }

CsvTable parse_csv(const std::string& path, const std::string& content, const CsvForm& form) {
  check_text(path, content);
  CsvTable table{path, sha256_hex(content), form.columns, {}, {}};
  std::vector<Record> records;
  Records source(content, form.faults != nullptr);
  std::optional<char> declared;
  while (auto record = source.next()) {
    if (records.empty() && !declared && (declared = declared_delimiter(record->text))) continue;
    records.push_back(std::move(*record));
    if (records.size() > kMostFields)
      throw Error(path + ": the file has more than " + std::to_string(kMostFields) + " fields; divide it");
  }
  if (records.empty()) throw Error(path + ": is empty; the first line names the columns");
  table.delimiter = declared ? *declared : delimiter_of(path, records, form);
  std::size_t n_fields = 0;
  bool header = form.columns.empty();
  for (const auto& record : records) {
    const auto where = path + ":" + std::to_string(record.line);
    try {
      auto row = fields(record.text, table.delimiter, where);
      if (header) {
        header = false;
        table.columns = std::move(row);
        continue;
      }
      row.resize(width_of(row, table.columns.size()));
      if (std::all_of(row.begin(), row.end(), [](const std::string& field) { return field.empty(); })) {
        table.blank.push_back(record.line);
        continue;
      }
      if (row.size() != table.columns.size())
        throw Error(where + ": has " + std::to_string(row.size()) + " fields, " +
                    (form.columns.empty() ? "the header has " : "there are names for ") +
                    std::to_string(table.columns.size()) + " (" +
                    (table.delimiter == ',' && row.size() > table.columns.size()
                         ? "put text with commas in quotes; decimal commas too, or write points"
                         : "they are divided by " + named(table.delimiter)) +
                    ")");
      if ((n_fields += row.size()) > kMostFields)
        throw Error(path + ": the file has more than " + std::to_string(kMostFields) + " fields; divide it");
      table.rows.push_back(std::move(row));
      table.lines.push_back(record.line);
    } catch (const Error& error) {
      if (!form.faults || header) throw;
      form.faults->push_back(error.what());
    }
  }
  return table;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

}  // namespace oneproxy
