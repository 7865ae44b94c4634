#pragma once
// Tables for people: Markdown in report.md, the same text on the terminal.
#include <string>
#include <vector>

namespace oneproxy {

class Table {
 public:
  explicit Table(std::vector<std::string> header) : header_(std::move(header)) {}
  void row(std::vector<std::string> cells);
  std::string markdown() const;  // columns of numbers to the right, of words to the left

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

// "0.912", "n/a" for NaN.
std::string fixed(double value, int digits = 3);
// Shortest form that people would write: 12, 0.25.
std::string plain(double value);
// Shortest text that reads back as the same number, for files; "" for NaN.
std::string exact(double value);
// Three digits that matter, for numbers of any size: 0.0617, 19.1e6 as 1.91e+07.
std::string brief(double value);

}  // namespace oneproxy
