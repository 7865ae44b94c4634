#pragma once
// Tables for people: Markdown in report.md, the same text on the terminal.
#include <string>
#include <vector>

#include "oneproxy/engine/base/numbers.h"

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

}  // namespace oneproxy
