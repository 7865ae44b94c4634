#include "oneproxy/engine/space/listed_space.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <map>
#include <numeric>
#include <set>

#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/data/csv.h"
#include "oneproxy/engine/space/declared_names.h"
#include "oneproxy/engine/space/space_file.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMaxDecisions = 64, kMaxFeatures = 16;

int column_of(const CsvTable& table, const std::string& name, const std::string& key) {
  const int column = table.column(name);
  if (column < 0) throw Error(table.path + ": " + key + ": " + unknown_name("column", name, "", table.columns));
  return column;
}

// Names stand in CSV files, in tables of reports and on command lines.
void check_model_name(const std::string& name, const std::string& where, const std::string& column) {
  const auto control = [](unsigned char c) { return std::iscntrl(c) != 0; };
  if (name.empty()) throw Error(where + ": has no name in column '" + column + "'; give every network one");
  if (std::any_of(name.begin(), name.end(), control) || name.find_first_of(",\"'`|") != std::string::npos)
    throw Error(where + ": the name '" + name + "' should have no comma, quote, bar or control character; rename it");
}

// The different words of a column: by value where all are numbers, else by alphabet.
std::vector<std::string> words_of(const CsvTable& table, int column) {
  std::set<std::string> different;
  for (const auto& row : table.rows) different.insert(row[column]);
  std::vector<std::string> words(different.begin(), different.end());
  if (std::all_of(words.begin(), words.end(), [](const auto& word) { return std::isfinite(number_of(word)); }))
    std::stable_sort(words.begin(), words.end(),
                     [](const auto& a, const auto& b) { return number_of(a) < number_of(b); });
  return words;
}

DeclaredDecision decision_of(const CsvTable& table, const std::string& name, int column) {
  require_plain(name, "decision", table.path + ":1");
  DeclaredDecision decision{name, -1, -1, words_of(table, column)};
  const auto n = decision.choices.size();
  if (n < 2)
    throw Error(table.path + ": column '" + name + "' has one value only, " +
                (n == 0 ? std::string("none") : "'" + decision.choices[0] + "'") +
                "; it tells no networks apart: leave it out of decision_columns");
  if (n > kMaxChoices)
    throw Error(table.path + ": column '" + name + "' has " + std::to_string(n) + " different values, more than the " +
                std::to_string(kMaxChoices) +
                " that a decision may have; make it a number in feature_columns, or split it");
  for (std::size_t i = 0; i < table.rows.size(); ++i)
    require_plain(table.rows[i][column], "value of column " + name, table.location(i));
  return decision;
}

}  // namespace

std::int64_t row_of(const SpaceList& list, const std::string& name) {
  const auto found =
      std::lower_bound(list.by_name.begin(), list.by_name.end(), name,
                       [&](std::uint32_t row, const std::string& text) { return list.names[row] < text; });
  return found != list.by_name.end() && list.names[*found] == name ? std::int64_t{*found} : -1;
}

std::int64_t row_of(std::span<const std::uint8_t> rows, std::span<const std::uint8_t> wanted) {
  const std::size_t width = wanted.size();
  std::size_t low = 0, high = rows.size() / width;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (std::ranges::lexicographical_compare(rows.subspan(middle * width, width), wanted))
      low = middle + 1;
    else
      high = middle;
  }
  const bool found = low * width < rows.size() && std::ranges::equal(rows.subspan(low * width, width), wanted);
  return found ? static_cast<std::int64_t>(low) : -1;
}

std::vector<std::string> network_names(const CsvTable& table, const std::string& column) {
  const int at = column_of(table, column, "name_column");
  std::vector<std::string> names;
  std::map<std::string, std::size_t> first;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const auto& name = table.rows[i][at];
    check_model_name(name, table.location(i), column);
    const auto [found, fresh] = first.emplace(name, i);
    if (!fresh)
      throw Error(table.location(i) + ": the name '" + name + "' is that of line " +
                  std::to_string(table.lines[found->second]) + " too; every network has a name of its own");
    names.push_back(name);
  }
  return names;
}

void read_list(Config& file, SpaceDeclaration& space) {
  const auto csv = file.text("list", std::nullopt, "CSV with a row a network, beside this file");
  const auto expected = file.text("checksum", std::nullopt, "SHA-256 of the list");
  const auto name_column = file.text("name_column", std::nullopt, "column with the networks' names");
  const auto decisions = file.texts("decision_columns", {}, "columns of words (or of few numbers)");
  const auto features = file.texts("feature_columns", {}, "columns of numbers");
  const std::string where = file.location("list") + ": list = \"" + csv + "\"";
  if (csv.empty() || csv != fs::path(csv).filename().string())
    throw Error(where + " should be the name of a file in the same folder");
  SpaceList& list = space.list;
  list.file = (fs::path(space.file).parent_path() / csv).string();
  const CsvTable table = read_csv(list.file);
  if (table.sha256 != expected)
    throw Error(where + " has changed since the space was written (its SHA-256 is " + table.sha256 +
                "); import the list again, or write that as checksum");
  if (table.rows.size() < 2 || table.rows.size() > kLongestList)
    throw Error(list.file + ": lists " + count_of(std::ssize(table.rows), "network") + "; a list has 2 to " +
                std::to_string(kLongestList));
  if (decisions.empty() || decisions.size() > kMaxDecisions || features.size() > kMaxFeatures)
    throw Error(file.file() + ": has " + std::to_string(decisions.size()) + " decision_columns and " +
                std::to_string(features.size()) + " feature_columns; there may be 1 to " +
                std::to_string(kMaxDecisions) + " and up to " + std::to_string(kMaxFeatures));
  const auto names = network_names(table, name_column);
  const std::size_t n = names.size(), width = decisions.size();
  std::vector<std::uint8_t> choices(n * width);
  for (std::size_t d = 0; d < width; ++d) {
    if (std::find(decisions.begin(), decisions.begin() + static_cast<std::ptrdiff_t>(d), decisions[d]) !=
        decisions.begin() + static_cast<std::ptrdiff_t>(d))
      throw Error(file.location("decision_columns") + ": names '" + decisions[d] + "' twice");
    const int column = column_of(table, decisions[d], "decision_columns");
    const auto decision = decision_of(table, decisions[d], column);
    for (std::size_t i = 0; i < n; ++i)
      choices[i * width + d] =
          static_cast<std::uint8_t>(std::find(decision.choices.begin(), decision.choices.end(), table.rows[i][column]) -
                                    decision.choices.begin());
    space.decisions.push_back(decision);
    const auto feature = std::find(features.begin(), features.end(), decisions[d]);
    list.feature_of_decision.push_back(feature == features.end() ? -1 : static_cast<int>(feature - features.begin()));
  }
  std::vector<double> values;
  for (std::size_t i = 0; i < n; ++i)
    for (const auto& feature : features) {
      const auto& text = table.rows[i][column_of(table, feature, "feature_columns")];
      values.push_back(number_of(text));
      if (!std::isfinite(values.back()))
        throw Error(table.location(i) + ": " + feature + " = '" + text +
                    "' should be a number; fill it in, or leave the column out of feature_columns");
    }

  const auto row = [&](std::size_t i) { return std::span(choices).subspan(i * width, width); };
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return std::ranges::lexicographical_compare(row(a), row(b)); });
  list.features = features;
  for (std::size_t k = 0; k < n; ++k) {
    const std::size_t i = order[k];
    if (k > 0 && std::ranges::equal(row(i), row(order[k - 1])))
      throw Error(table.location(i) + ": '" + names[i] + "' has the same values in " + join(decisions) + " as '" +
                  names[order[k - 1]] + "' in line " + std::to_string(table.lines[order[k - 1]]) +
                  "; add a column that tells them apart");
    list.names.push_back(names[i]);
    list.choices.insert(list.choices.end(), row(i).begin(), row(i).end());
    list.values.insert(list.values.end(), values.begin() + static_cast<std::ptrdiff_t>(i * features.size()),
                       values.begin() + static_cast<std::ptrdiff_t>((i + 1) * features.size()));
  }
  list.by_name.resize(n);
  std::iota(list.by_name.begin(), list.by_name.end(), 0u);
  std::sort(list.by_name.begin(), list.by_name.end(), [&](auto a, auto b) { return list.names[a] < list.names[b]; });
}

}  // namespace oneproxy
