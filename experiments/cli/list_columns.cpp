#include "experiments/cli/list_columns.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <set>

#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

const std::string kNone = "none";
constexpr std::size_t kMostWords = 255;  // of a decision
constexpr std::size_t kFewNumbers = 32;  // different numbers up to which a column of numbers decides too
constexpr std::size_t kRarestPart = 10;  // one network in so many has a part that makes a decision
const std::vector<std::string> kTaken = {"name", "family", "rest", "resolution", "variant"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }

// What a decision's choice may be called.
std::string as_word(const std::string& text) {
  std::string word = text;
  for (char& c : word)
    if (std::isspace(static_cast<unsigned char>(c)) || std::string("|=,;\"'`~+").find(c) != std::string::npos) c = '_';
  return word.empty() ? kNone : word;
}

struct NameParts {
  std::string family, resolution;
  std::vector<std::pair<std::string, std::string>> numbered;  // letters and the number behind them
  std::vector<std::pair<std::size_t, std::size_t>> places;    // of those in `stem`, from and to
  std::string stem;                                           // behind the family
};

NameParts parts_of(const std::string& name) {
  NameParts parts;
  std::size_t end = name.size();
  const auto bar = name.rfind('_');
  if (bar != std::string::npos && bar + 1 < end && end - bar <= 6 &&
      std::all_of(name.begin() + static_cast<std::ptrdiff_t>(bar) + 1, name.end(), is_digit)) {
    parts.resolution = name.substr(bar + 1);
    end = bar;
  }
  std::size_t at = 0;
  while (at < end && is_letter(name[at])) ++at;
  while (at < end && is_digit(name[at])) ++at;
  parts.family = name.substr(0, at);
  parts.stem = name.substr(at, end - at);
  for (std::size_t i = 0; i < parts.stem.size();) {
    const std::size_t from = i;
    while (i < parts.stem.size() && is_letter(parts.stem[i])) ++i;
    const std::size_t letters = i;
    while (i < parts.stem.size() && is_digit(parts.stem[i])) ++i;
    if (letters > from && i > letters) {
      parts.numbered.emplace_back(parts.stem.substr(from, letters - from), parts.stem.substr(letters, i - letters));
      parts.places.emplace_back(from, i);
    }
    if (i == from) ++i;
  }
  return parts;
}

std::vector<ListColumn> columns_of_names(const std::vector<std::string>& names) {
  std::vector<NameParts> all;
  std::map<std::string, std::size_t> counts;  // networks that have the letters with a number
  for (const auto& name : names) {
    all.push_back(parts_of(name));
    std::set<std::string> own;
    for (const auto& [letters, number] : all.back().numbered) own.insert(letters);
    for (const auto& letters : own) ++counts[letters];
  }
  ListColumn family{"family", {}}, rest{"rest", {}}, resolution{"resolution", {}};
  std::map<std::string, ListColumn> numbered;
  for (const auto& [letters, count] : counts)
    if (count * kRarestPart >= names.size())
      numbered[letters] = {std::count(kTaken.begin(), kTaken.end(), letters) ? letters + "_number" : letters,
                           std::vector<std::string>(names.size(), kNone)};
  resolution.feature = true;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& parts = all[i];
    family.values.push_back(as_word(parts.family));
    resolution.values.push_back(parts.resolution.empty() ? kNone : parts.resolution);
    resolution.feature = resolution.feature && !parts.resolution.empty();
    std::string left = parts.stem;
    for (std::size_t p = parts.numbered.size(); p-- > 0;) {
      const auto& [letters, number] = parts.numbered[p];
      const auto column = numbered.find(letters);
      if (column == numbered.end()) continue;
      column->second.values[i] = number;
      left.erase(parts.places[p].first, parts.places[p].second - parts.places[p].first);
    }
    const std::string separators = "-_. ";
    const auto first = left.find_first_not_of(separators);
    rest.values.push_back(first == std::string::npos
                              ? kNone
                              : as_word(left.substr(first, left.find_last_not_of(separators) - first + 1)));
  }
  std::vector<ListColumn> columns = {family, rest};
  for (auto& [letters, column] : numbered) columns.push_back(std::move(column));
  columns.push_back(resolution);
  return columns;
}

ListColumn feature_column(const CsvTable& table, const std::string& name) {
  const int at = table.column(name);
  ListColumn column{as_word(name), {}};
  std::set<std::string> different;
  std::size_t numbers = 0;
  for (const auto& row : table.rows) {
    column.values.push_back(row[at]);
    different.insert(row[at]);
    numbers += std::isfinite(number_of(row[at]));
  }
  column.feature = 2 * numbers > table.rows.size();
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    auto& value = column.values[i];
    if (column.feature && !std::isfinite(number_of(value)))
      throw Error(table.location(i) + ": feature " + name + " = '" + value +
                  "' should be a number; fill it in, or leave " + name + " out of --features");
    if (!column.feature) value = as_word(value);
  }
  column.decision = !column.feature || different.size() <= kFewNumbers;
  return column;
}

// The number of each row's value among those of the column, by first appearance: equal where columns say the same.
std::vector<std::size_t> classes_of(const std::vector<std::string>& values) {
  std::map<std::string, std::size_t> number;
  std::vector<std::size_t> classes;
  for (const auto& value : values) classes.push_back(number.emplace(value, number.size()).first->second);
  return classes;
}

}  // namespace

ListColumns list_columns(const CsvTable& table, const std::vector<std::string>& names,
                         const std::vector<std::string>& features) {
  std::vector<ListColumn> candidates;
  for (const auto& feature : features) candidates.push_back(feature_column(table, feature));
  for (auto& column : columns_of_names(names)) candidates.push_back(std::move(column));
  ListColumns result;
  std::map<std::vector<std::size_t>, std::string> seen;
  for (auto& column : candidates) {
    const auto classes = classes_of(column.values);
    const auto n = *std::max_element(classes.begin(), classes.end()) + 1;
    const auto [same, fresh] = seen.emplace(classes, column.name);
    const bool taken = std::any_of(result.columns.begin(), result.columns.end(),
                                   [&](const auto& other) { return other.name == column.name; });
    std::string why;
    if (n == 1)
      why = "is '" + column.values[0] + "' for all";
    else if (!fresh && !column.feature)
      why = "says the same as " + same->second;
    else if (taken)
      why = "of the names has the name of a column of the file";
    else if (column.decision && n > kMostWords && !column.feature)
      why = "has " + std::to_string(n) + " different values, more than " + std::to_string(kMostWords);
    if (!why.empty()) {
      result.remarks.push_back(column.name + " " + why + ", and is left out");
      continue;
    }
    if (n > kMostWords) column.decision = false;
    result.columns.push_back(std::move(column));
  }

  std::map<std::vector<std::string>, std::vector<std::size_t>> alike;
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::vector<std::string> key;
    for (const auto& column : result.columns)
      if (column.decision) key.push_back(column.values[i]);
    alike[key].push_back(i);
  }
  if (alike.size() == names.size()) return result;
  ListColumn variant{"variant", std::vector<std::string>(names.size(), "1")};
  std::size_t most = 0, n = 0;
  for (const auto& [key, rows] : alike) {
    most = std::max(most, rows.size());
    if (rows.size() > 1) n += rows.size();
    for (std::size_t k = 0; k < rows.size(); ++k) variant.values[rows[k]] = std::to_string(k + 1);
    if (rows.size() > kMostWords)
      throw Error(table.path + ": " + std::to_string(rows.size()) + " networks, for example '" + names[rows[0]] +
                  "' and '" + names[rows[1]] +
                  "', are alike in all features; name columns that tell them apart by "
                  "--features");
  }
  result.remarks.push_back(count_of(static_cast<std::int64_t>(n), "network") +
                           " are alike in all decisions but a number `variant`, up to " + std::to_string(most) +
                           " of a kind");
  result.columns.push_back(std::move(variant));
  return result;
}

}  // namespace oneproxy
