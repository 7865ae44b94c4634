#include "oneproxy/engine/report/table.h"

#include <algorithm>
#include <cctype>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

void Table::row(std::vector<std::string> cells) {
  ONEPROXY_ASSERT(cells.size() == header_.size());
  rows_.push_back(std::move(cells));
}

std::string Table::markdown() const {
  std::vector<std::size_t> width;
  std::vector<bool> numbers(header_.size(), true);
  for (const auto& name : header_) width.push_back(std::max<std::size_t>(name.size(), 3));
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      width[i] = std::max(width[i], row[i].size());
      const char first = row[i].empty() ? '-' : row[i][0];
      numbers[i] = numbers[i] && (std::isdigit(static_cast<unsigned char>(first)) || first == '-' || row[i] == "n/a");
    }
  }
  numbers[0] = false;
  auto line = [&](const std::vector<std::string>& cells) {
    std::string text = "|";
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string blank(width[i] - cells[i].size(), ' ');
      text += numbers[i] ? " " + blank + cells[i] + " |" : " " + cells[i] + blank + " |";
    }
    return text + "\n";
  };
  std::string text = line(header_) + "|";
  for (std::size_t i = 0; i < width.size(); ++i)
    text += numbers[i] ? " " + std::string(width[i] - 1, '-') + ": |" : " " + std::string(width[i], '-') + " |";
  text += "\n";
  for (const auto& row : rows_) text += line(row);
  return text;
}

}  // namespace oneproxy
