#include "oneproxy/engine/device/measurement_columns.h"

#include <algorithm>
#include <map>
#include <set>

#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/device/latency_unit.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr const char* kLatency = "latency_ms";
// Of a plan or of a batch of the front's loop, for people: not read, and nobody has to be told.
const std::set<std::string> kOwn = {"repeat", "order", "index", "decisions", "macs", "quality", "gain"};
// What stands beside latencies, and is none.
const std::set<std::string> kBeside = {
    "repeat",     "repeats",  "rep",        "run",    "trial",       "order",     "index",    "idx",
    "id",         "no",       "nr",         "number", "decisions",   "macs",      "flops",    "mflops",
    "gflops",     "params",   "parameters", "size",   "quality",     "gain",      "accuracy", "acc",
    "top",        "top1",     "top5",       "energy", "power",       "memory",    "mem",      "ram",
    "throughput", "fps",      "images/s",   "batch",  "seed",        "timestamp", "date",     "note",
    "notes",      "comment",  "comments",   "remark", "temperature", "temp",      "freq",     "frequency",
    "std",        "stdev",    "stddev",     "sd",     "sem",         "var",       "variance", "min",
    "max",        "p90",      "p95",        "p99",    "status",      "count",     "n",        "samples",
    "threads",    "unnamed:", "unnamed",    "ci",     "error",       "loss",      "score",    "rank",
    "row",        "line",     "hash",       "bits",   "layers"};
// Repeats side by side are not devices.
const std::set<std::string> kRepeats = {"run", "repeat", "rep", "trial", "iter", "iteration", "measurement", "sample"};

std::string lower_words(const std::string& header) {
  const auto words = header_words(header);
  std::string text = join(words.words, "_");
  return text.empty() ? words.unit : text;
}

// 1 the surest; 0: none.
int architecture_rank(const std::string& header) {
  static const std::map<std::string, int> ranks = {{"arch", 1},
                                                   {"archs", 2},
                                                   {"architecture", 2},
                                                   {"architectures", 2},
                                                   {"arch_str", 2},
                                                   {"arch_string", 2},
                                                   {"architecture_string", 2},
                                                   {"arch_name", 2},
                                                   {"network", 3},
                                                   {"networks", 3},
                                                   {"net", 3},
                                                   {"network_name", 3},
                                                   {"subnet", 3},
                                                   {"genotype", 3},
                                                   {"choices", 3},
                                                   {"cell", 3},
                                                   {"encoding", 3},
                                                   {"model", 4},
                                                   {"model_name", 4},
                                                   {"config", 4},
                                                   {"configuration", 4},
                                                   {"name", 4}};
  if (header == "arch") return 1;
  const auto found = ranks.find(lower_words(header));
  return found == ranks.end() ? 0 : std::max(2, found->second);
}

bool is_device_header(const std::string& header) {
  static const std::set<std::string> names = {"device", "devices", "device_name", "hardware", "hw",         "platform",
                                              "phone",  "target",  "machine",     "board",    "accelerator"};
  return names.contains(lower_words(header));
}

std::string listed(const CsvTable& table, const std::vector<int>& columns) {
  std::vector<std::string> names;
  for (const int column : columns) names.push_back("'" + table.columns[column] + "'");
  return join(names);
}

std::string all_columns(const CsvTable& table) {
  std::vector<int> all;
  for (std::size_t i = 0; i < std::min<std::size_t>(8, table.columns.size()); ++i) all.push_back(static_cast<int>(i));
  return listed(table, all) + (table.columns.size() > 8 ? ", ..." : "");
}

bool names_roles(const MeasurementForm& form) {
  return !form.columns.empty() && form.columns[0].find('=') != std::string::npos;
}

// The column that options give this role; -1: they do not say.
int told_column(const CsvTable& table, const MeasurementForm& form, const std::vector<std::string>& roles) {
  if (!names_roles(form)) return -1;
  for (const auto& text : form.columns) {
    const auto equal = text.find('=');
    if (std::find(roles.begin(), roles.end(), text.substr(0, equal)) == roles.end()) continue;
    const int column = table.column(text.substr(equal + 1));
    if (column < 0)
      throw Error(table.path + ": --columns: " + unknown_name("column", text.substr(equal + 1), "", table.columns));
    return column;
  }
  return -1;
}

// The one column of the best rank; several of it are an error, none is -1.
int best_ranked(const CsvTable& table, const std::vector<int>& ranks, const std::string& role,
                const std::string& what) {
  std::vector<int> best;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    if (ranks[i] == 0) continue;
    if (!best.empty() && ranks[i] < ranks[best[0]]) best.clear();
    if (best.empty() || ranks[i] == ranks[best[0]]) best.push_back(static_cast<int>(i));
  }
  if (best.size() > 1)
    throw Error(table.path + ": columns " + listed(table, best) + " may all be the " + what +
                "; say which one: --columns " + shell_word(role + "=" + table.columns[best[0]]));
  return best.empty() ? -1 : best[0];
}

bool holds_numbers(const CsvTable& table, int column) {
  bool number = false;
  for (const auto& row : table.rows) {
    if (is_failure(row[column])) continue;
    const auto text = split_number(row[column]);
    if (!text || (!text->unit.empty() && latency_unit(text->unit).empty())) return false;
    number = true;
  }
  return number;
}

// A column of numbers is the latencies of a device with such a name, not the names of devices.
void find_device_and_unit(const CsvTable& table, const MeasurementForm& form, ColumnRoles& roles) {
  roles.device = told_column(table, form, {"device"});
  roles.unit = told_column(table, form, {"unit"});
  for (int i = 0; i < static_cast<int>(table.columns.size()); ++i) {
    if (i == roles.arch) continue;
    const auto& header = table.columns[i];
    if (roles.device < 0 && is_device_header(header) && !holds_numbers(table, i)) roles.device = i;
    if (roles.unit < 0 && (lower_words(header) == "unit" || lower_words(header) == "units")) roles.unit = i;
  }
}

// Columns that can be those of a device each, and why the others can not.
std::vector<ValueColumn> device_columns(const CsvTable& table, const ColumnRoles& roles,
                                        std::vector<IgnoredColumn>& ignored) {
  std::vector<ValueColumn> devices;
  std::vector<int> repeats;
  for (int i = 0; i < static_cast<int>(table.columns.size()); ++i) {
    if (i == roles.arch || i == roles.device || i == roles.unit) continue;
    const std::string& header = table.columns[i];
    const auto words = header_words(header);
    const std::string first = words.words.empty() ? "" : words.words[0];
    std::string letters = first;
    while (!letters.empty() && letters.back() >= '0' && letters.back() <= '9') letters.pop_back();
    const bool numbered = letters != first || (words.words.size() == 2 &&
                                               words.words[1].find_first_not_of("0123456789") == std::string::npos);
    if (header.empty() || words.rest.empty() || latency_rank(words) > 0)
      ignored.push_back({header, "has no name of a device"});
    else if (kRepeats.contains(letters) && numbered && holds_numbers(table, i))
      repeats.push_back(i);
    else if (kBeside.contains(first) || kBeside.contains(words.words.back()))
      ignored.push_back({header, "is no latency"});
    else if (!holds_numbers(table, i))
      ignored.push_back({header, "holds text, or nothing"});
    else
      devices.push_back({i, words.rest, words.unit});
  }
  if (!repeats.empty())
    throw Error(table.path + ": columns " + listed(table, repeats) +
                " look like repeats side by side; write a line for each repeat, with the architecture again");
  return devices;
}

void note_ignored(const CsvTable& table, ColumnRoles& roles, const std::vector<Quantity>& quantities) {
  for (int i = 0; i < static_cast<int>(table.columns.size()); ++i) {
    const auto value =
        std::find_if(roles.values.begin(), roles.values.end(), [&](const ValueColumn& one) { return one.column == i; });
    const auto& header = table.columns[i];
    if (i == roles.arch || i == roles.device || i == roles.unit || value != roles.values.end()) continue;
    if (kOwn.contains(header) || header.empty() || header == "-") continue;
    if (quantities.size() != 1 || quantities[0].name != kLatency) continue;  // others stand side by side in one file
    roles.ignored.push_back({header, "is not read"});
  }
}

// A latency's column; -1: there is none.
int latency_column(const CsvTable& table, const MeasurementForm& form) {
  const int told = told_column(table, form, {kLatency, "latency", "value"});
  if (told >= 0) return told;
  std::vector<int> ranks;
  for (const auto& header : table.columns)
    ranks.push_back(header == kLatency                       ? 1
                    : latency_rank(header_words(header)) > 0 ? 1 + latency_rank(header_words(header))
                                                             : 0);
  return best_ranked(table, ranks, kLatency, "latency");
}

// "Energy (mJ)" for energy in mJ; 0: another column, 2: of the quantity in any other way of writing.
int quantity_rank(const CsvTable& table, const std::string& header, const Quantity& quantity) {
  if (header == quantity.name) return 1;
  const auto words = [](const std::string& text) { return lower_words(text); };
  if (words(header) == words(quantity.name)) return 2;
  const auto open = header.find_first_of("([");
  if (open == std::string::npos)
    return !quantity.unit.empty() && words(header) == words(quantity.name + "_" + quantity.unit) ? 2 : 0;
  if (words(header.substr(0, open)) != words(quantity.name)) return 0;
  const std::string unit = header.substr(open + 1, header.find_first_of(")]", open) - open - 1);
  if (unit != quantity.unit)
    throw Error(table.path + ": column '" + header + "' is in " + unit + ", and " + quantity.name + " is read in " +
                quantity.unit + "; say --unit " + shell_word(unit) + ", or convert the values");
  return 2;
}

int quantity_column(const CsvTable& table, const Quantity& quantity, const MeasurementForm& form) {
  const int told = told_column(table, form, {quantity.name});
  if (told >= 0) return told;
  std::vector<int> ranks, values;
  for (const auto& header : table.columns) {
    ranks.push_back(quantity_rank(table, header, quantity));
    values.push_back(lower_words(header) == "value" ? 1 : 0);
  }
  const int named = best_ranked(table, ranks, quantity.name, quantity.label);
  const int value = best_ranked(table, values, quantity.name, quantity.label);
  if (named >= 0 && value >= 0)
    throw Error(table.path + ": has a column '" + table.columns[named] + "' and a column '" + table.columns[value] +
                "'; remove one of them");
  if (named < 0 && value < 0)
    throw Error(table.path + ": has neither a column '" + quantity.name + "' nor 'value', but " + all_columns(table) +
                "; say which one it is: --columns " + quantity.name + "=HEADER");
  return std::max(named, value);
}

}  // namespace

CsvTable open_measurements(const std::string& path, const MeasurementForm& form, std::vector<std::string>* faults) {
  const auto roles = std::count_if(form.columns.begin(), form.columns.end(),
                                   [](const std::string& one) { return one.find('=') != std::string::npos; });
  if (roles > 0 && roles < std::ssize(form.columns))
    throw Error("--columns " + join(form.columns, ",") +
                ": give either the names of all columns in order, or ROLE=HEADER for those that are not recognised");
  for (const auto& one : form.columns) {
    if (roles == 0) break;
    const std::string role = one.substr(0, one.find('='));
    if (role.empty()) throw Error("--columns " + one + ": a role stands before '=': arch, latency_ms, device or unit");
  }
  return read_csv(path, {roles > 0 ? std::vector<std::string>{} : form.columns, faults});
}

int find_architectures(const CsvTable& table, const MeasurementForm& form) {
  const int told = told_column(table, form, {"arch"});
  if (told >= 0) return told;
  std::vector<int> ranks;
  for (const auto& header : table.columns) ranks.push_back(architecture_rank(header));
  const int found = best_ranked(table, ranks, "arch", "architecture");
  if (found >= 0) return found;
  throw Error(table.path + ": has no column 'arch', but " + all_columns(table) +
              "; say which one has the architectures: --columns arch=HEADER; or, if it has no header line: --columns "
              "arch,latency_ms");
}

ColumnRoles find_columns(const CsvTable& table, const std::vector<Quantity>& quantities, const MeasurementForm& form) {
  ColumnRoles roles;
  roles.arch = find_architectures(table, form);
  for (const auto& quantity : quantities) {
    if (quantity.name != kLatency) {
      roles.values.push_back({quantity_column(table, quantity, form)});
      continue;
    }
    find_device_and_unit(table, form, roles);
    const int found = latency_column(table, form);
    if (found >= 0) {
      roles.values.push_back({found, "", header_words(table.columns[found]).unit});
      continue;
    }
    std::vector<IgnoredColumn> others;
    const auto devices = device_columns(table, roles, others);
    const auto own =
        std::find_if(devices.begin(), devices.end(), [&](const ValueColumn& one) { return one.device == form.device; });
    if (own == devices.end()) {
      std::vector<std::string> names;
      for (const auto& one : devices) names.push_back(one.device);
      const std::string none = table.path + ": has no column 'latency_ms', but " + all_columns(table) + "; ";
      if (names.empty()) throw Error(none + "say which one has the latencies: --columns latency_ms=HEADER");
      throw Error(none + "if it has a column for each device (" + join(names) + "), choose by --device " +
                  shell_word(names[0]) + " or take all by `oneproxy fleet`; or say --columns latency_ms=HEADER");
    }
    roles.values.push_back(*own);
  }
  if (roles.values.size() > 1 && roles.values[0].column == roles.values[1].column)
    throw Error(table.path + ": has one column '" + table.columns[roles.values[0].column] + "' for " +
                quantities[0].name + " and " + quantities[1].name + "; give each a column of its name");
  note_ignored(table, roles, quantities);
  return roles;
}

ColumnRoles find_device_columns(const CsvTable& table, const MeasurementForm& form) {
  ColumnRoles roles;
  roles.arch = find_architectures(table, form);
  find_device_and_unit(table, form, roles);
  if (roles.device >= 0) {
    const int found = latency_column(table, form);
    if (found < 0)
      throw Error(table.path + ": has a column '" + table.columns[roles.device] + "' and no column 'latency_ms', but " +
                  all_columns(table) + "; say which one has the latencies: --columns latency_ms=HEADER");
    roles.values.push_back({found, "", header_words(table.columns[found]).unit});
    note_ignored(table, roles, {{kLatency, "latency", "ms", Direction::minimise}});
    return roles;
  }
  roles.values = device_columns(table, roles, roles.ignored);
  std::erase_if(roles.ignored,
                [](const IgnoredColumn& one) { return kOwn.contains(one.header) || one.header.empty(); });
  if (roles.values.empty())
    throw Error(table.path + ": has neither a column 'device' nor a column for each device, but " + all_columns(table) +
                "; of one device alone: `oneproxy adapt`, `oneproxy import --device NAME`");
  std::set<std::string> names;
  for (const auto& one : roles.values)
    if (!names.insert(one.device).second)
      throw Error(table.path + ": two columns are of device '" + one.device +
                  "'; name them apart, or write a line for "
                  "each repeat");
  return roles;
}

bool is_failure(const std::string& given) {
  std::string text;
  for (const char c : given) text += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  if (text.starts_with("#")) return true;  // of spreadsheets: #N/A, #DIV/0!, #VALUE!
  static const std::set<std::string> words = {"",
                                              "-",
                                              "--",
                                              "?",
                                              "na",
                                              "n/a",
                                              "n.a.",
                                              "nan",
                                              "-nan",
                                              "null",
                                              "none",
                                              "nil",
                                              "missing",
                                              "inf",
                                              "+inf",
                                              "-inf",
                                              "infinity",
                                              "-infinity",
                                              "error",
                                              "err",
                                              "fail",
                                              "failed",
                                              "failure",
                                              "timeout",
                                              "timed out",
                                              "time out",
                                              "timed_out",
                                              "oom",
                                              "out of memory",
                                              "crash",
                                              "crashed",
                                              "skipped",
                                              "skip",
                                              "aborted",
                                              "unsupported",
                                              "not supported",
                                              "x",
                                              "-1",
                                              "-1.0"};
  return words.contains(text);
}

}  // namespace oneproxy
