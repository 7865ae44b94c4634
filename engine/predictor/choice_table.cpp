#include "oneproxy/engine/predictor/choice_table.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <numeric>

#include "oneproxy/engine/base/names.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
const std::string kResolution = "resolution";

// Of the columns that a space's table has; -1 for the resolution where it is no decision.
struct Columns {
  int decision, choice, value, resolution;
};

Columns columns_of(const SearchSpace& space, const CsvTable& file) {
  std::vector<std::string> known = {"decision", "choice", "value"};
  if (!space.resolutions().empty()) known.push_back(kResolution);
  for (const auto& column : file.columns)
    if (std::find(known.begin(), known.end(), column) == known.end())
      throw Error(file.path + ": " + unknown_name("column", column, "", known) + "; a table of space " + space.name() +
                  " has the columns " + join(known, ","));
  for (const auto& column : known)
    if (file.column(column) < 0)
      throw Error(file.path + ": has no column '" + column + "'; a table of space " + space.name() +
                  " has the columns " + join(known, ","));
  return {file.column("decision"), file.column("choice"), file.column("value"), file.column(kResolution)};
}

bool is_number(const std::string& text) {
  return !text.empty() && text.size() <= 6 && text.find_first_not_of("0123456789") == std::string::npos;
}

// -1: what is the same for all.
int decision_of(const SearchSpace& space, const std::string& text, const std::string& where) {
  std::vector<std::string> names;
  for (const auto& decision : space.decisions()) names.push_back(decision.name);
  const auto found = std::find(names.begin(), names.end(), text);
  if (found != names.end()) return static_cast<int>(found - names.begin());
  if (text == "fixed" || text == "bias") return -1;
  if (!is_number(text)) throw Error(unknown_name("decision", text, where, names));
  const int number = std::stoi(text);
  if (number >= space.n_decisions())
    throw Error(where + ": decision " + text + " should be a number from 0 to " +
                std::to_string(space.n_decisions() - 1) + " in space " + space.name());
  return number;
}

int choice_of(const Decision& decision, const std::string& text, const std::string& where) {
  std::vector<std::string> names;
  for (const auto& choice : decision.choices) names.push_back(choice.operation.name);
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) throw Error(unknown_name("choice of " + decision.name, text, where, names));
  return static_cast<int>(found - names.begin());
}

int resolution_of(const SearchSpace& space, const std::string& text, const std::string& where) {
  const auto& known = space.resolutions();
  const auto found = std::find(known.begin(), known.end(), is_number(text) ? std::stoi(text) : -1);
  if (found == known.end())
    throw Error(where + ": resolution '" + text + "' should be one of the " + std::to_string(known.size()) + " from " +
                std::to_string(known.front()) + " to " + std::to_string(known.back()) + " of space " + space.name());
  return static_cast<int>(found - known.begin());
}

double value_of(const std::string& text, double scale, const std::string& where) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end) * scale;
  if (text.empty() || *end != '\0' || !(value >= 0) || std::isinf(value))
    throw Error(where + ": value = '" + text +
                "' should be a number of 0 or more; leave out the row of a choice that " + "was not measured");
  return value;
}

}  // namespace

AdditivePredictor table_of_choices(const SearchSpace& space, const CsvTable& file, double scale) {
  const Columns columns = columns_of(space, file);
  const bool by_resolution = columns.resolution >= 0;
  std::vector<std::size_t> offsets(space.n_decisions());
  std::exclusive_scan(space.radices().begin(), space.radices().end(), offsets.begin(), std::size_t{0});
  const std::size_t width = offsets.back() + space.radices().back();
  AdditivePredictor table;
  table.space = space.name();
  table.radices.assign(space.radices().begin(), space.radices().end());
  table.bias.assign(by_resolution ? space.resolutions().size() : 1, kNan);
  table.weights.assign(table.bias.size() * width, kNan);

  std::vector<char> has_rows(table.bias.size(), 0);
  std::map<double*, int> line_of;
  for (std::size_t i = 0; i < file.rows.size(); ++i) {
    const auto& row = file.rows[i];
    const std::string where = file.location(i);
    const int t = by_resolution ? resolution_of(space, row[columns.resolution], where) : 0;
    const int d = decision_of(space, row[columns.decision], where);
    double* entry = &table.bias[t];
    if (d >= 0) {
      if (by_resolution && d == 0)
        throw Error(where + ": the resolution is no row but a column, '" + kResolution + "'; each has its own table");
      entry = &table.weights[t * width + offsets[d] + choice_of(space.decisions()[d], row[columns.choice], where)];
    } else if (!row[columns.choice].empty()) {
      throw Error(where + ": decision '" + row[columns.decision] + "' is what is the same for all; its choice '" +
                  row[columns.choice] + "' should be empty");
    }
    const auto [found, fresh] = line_of.emplace(entry, file.lines[i]);
    if (!fresh)
      throw Error(where + ": is the second value of " + row[columns.decision] + " " + row[columns.choice] +
                  ", which line " + std::to_string(found->second) + " gives; leave one");
    *entry = value_of(row[columns.value], scale, where);
    has_rows[t] = 1;
  }
  if (file.rows.empty()) throw Error(file.path + ": has no row below its header");
  for (std::size_t t = 0; t < has_rows.size(); ++t) {
    if (!has_rows[t]) continue;
    if (std::isnan(table.bias[t])) table.bias[t] = 0;
    for (int d = 0; d < space.n_decisions(); ++d)
      for (std::size_t c = 0; c < space.decisions()[d].choices.size(); ++c) {
        double& weight = table.weights[t * width + offsets[d] + c];
        const bool nothing = space.has_costs() && space.decisions()[d].choices[c].operation.kind == "none";
        if (std::isnan(weight) && nothing) weight = 0;
      }
  }
  return table;
}

}  // namespace oneproxy
