#include "oneproxy/engine/base/config.h"

#include <toml++/toml.h>

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <set>
#include <sstream>

#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/base/sha256.h"
#include "oneproxy/engine/base/toml_limits.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace fs = std::filesystem;

struct Config::State {
  toml::table table;
  std::string file;                             // "" for defaults
  std::map<std::string, std::string> from_set;  // key -> raw text of its override
  std::vector<ConfigKey> keys;                  // in the order of reading
  struct Line {
    std::string text;      // "key = value"
    std::string identity;  // what names the result in its stead; "" for nothing
  };
  std::vector<Line> lines;
  std::vector<ConfigFile> files;
  std::vector<std::shared_ptr<State>> children;

  const toml::node* find(const std::string& key) const { return table.get(key); }

  std::string location(const std::string& key) const {
    if (from_set.count(key)) return "--set " + key + "=" + from_set.at(key);
    const toml::node* node = find(key);
    const auto line = node ? node->source().begin.line : 0;
    return line ? file + ":" + std::to_string(line) : file;
  }

  [[noreturn]] void wrong(const std::string& key, const std::string& found, const std::string& expected) const {
    throw Error(location(key) + ": " + key + " = " + found + " should be " + expected);
  }

  void record(const std::string& key, const std::string& type, const std::string& default_value,
              const std::string& meaning, const std::string& value, bool identity) {
    for (const auto& known : keys)
      if (known.name == key) return;  // two readers may share it
    keys.push_back({key, type, default_value, meaning});
    const std::string line = key + " = " + value;
    lines.push_back({line, identity ? line : ""});
  }
};

namespace {

std::string show(const toml::node& node) {
  std::ostringstream out;
  node.visit([&](const auto& n) {
    if constexpr (toml::is_floating_point<decltype(n)>)
      out << n.get();  // 0.6, not its 17 digits
    else if constexpr (toml::is_value<decltype(n)>)
      out << n;
    else if constexpr (toml::is_array<decltype(n)>)
      out << n;
    else
      out << "a table";
  });
  return out.str();
}

std::string quoted(const std::string& text) {
  std::ostringstream out;
  out << toml::value<std::string>(text);
  return out.str();
}

std::string written(const std::string& value) { return quoted(value); }
std::string written(std::int64_t value) { return std::to_string(value); }
std::string written(bool value) { return value ? "true" : "false"; }
// Shortest form that reads back as the same number, and as a float.
std::string written(double value) {
  if (!std::isfinite(value)) return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
  char text[32];
  for (int digits = 1; digits <= 17; ++digits) {
    std::snprintf(text, sizeof text, "%.*g", digits, value);
    if (std::strtod(text, nullptr) == value) break;
  }
  const std::string form = text;
  return form.find_first_of(".e") == std::string::npos ? form + ".0" : form;
}

template <class T>
std::string written(const std::vector<T>& values) {
  std::string text = "[";
  for (std::size_t i = 0; i < values.size(); ++i) text += (i ? ", " : "") + written(values[i]);
  return text + "]";
}

template <class T>
std::string range_text(T low, T high) {
  std::ostringstream out;
  out << "between " << low << " and " << high;
  return out.str();
}

// A whole number in decimal, as toml::node holds it: an integer, 1e12, "1e12". Of a number that TOML reads as a double,
// only what a double holds exactly.
std::optional<std::string> as_whole(const toml::node& node) {
  if (const auto value = node.value_exact<std::int64_t>()) return std::to_string(*value);
  if (const auto value = node.value_exact<std::string>()) return whole_digits(*value);
  const auto value = node.value_exact<double>();
  if (!value || std::abs(*value) > 0x1p53 || std::round(*value) != *value) return std::nullopt;
  return std::to_string(static_cast<std::int64_t>(*value));
}

// From what as_whole gives, where it fits.
std::optional<std::int64_t> as_integer(const toml::node& node) {
  const auto digits = as_whole(node);
  std::int64_t value = 0;
  if (!digits) return std::nullopt;
  const auto [end, error] = std::from_chars(digits->data(), digits->data() + digits->size(), value);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

std::optional<double> as_number(const toml::node& node) {
  if (auto integer = node.value_exact<std::int64_t>()) return static_cast<double>(*integer);
  return node.value_exact<double>();
}

}  // namespace

Config::Config(std::shared_ptr<State> state) : state_(std::move(state)) {}
Config::Config(Config&&) noexcept = default;
Config::~Config() = default;

Config Config::defaults() { return Config(std::make_shared<State>()); }

namespace {

// "key=value" into a table: a.b=value reaches into tables, and makes them where needed.
void insert_override(toml::table& root, const std::string& text, const std::string& file,
                     std::map<std::string, std::string>& from_set) {
  const std::string place = "--set " + text;
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0) throw Error(place + ": should be key=value");
  const std::string key = text.substr(0, equals), raw = text.substr(equals + 1);
  check_toml_limits(key, "--set");
  const std::string line = "v = " + raw;
  toml::table value;
  value.insert_or_assign("v", raw);  // a bare word or path is a string
  if (is_bare_ascii(line)) {
    check_toml_limits(line, "--set " + key);
    try {
      value = toml::parse(line);
    } catch (const toml::parse_error&) {  // it is no TOML value
    }
  }
  toml::table* table = &root;
  std::string rest = key;
  for (auto dot = rest.find('.'); dot != std::string::npos; dot = rest.find('.')) {
    const std::string head = rest.substr(0, dot);
    if (!table->contains(head)) table->insert_or_assign(head, toml::table{});
    table = (*table)[head].as_table();
    if (!table) throw Error(place + ": " + head + " is not a table in " + file);
    rest = rest.substr(dot + 1);
  }
  value.get("v")->visit([&](const auto& node) { table->insert_or_assign(rest, node); });
  from_set[key] = raw;
}

std::string content_of(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) throw Error(path + ": is a folder; name a configuration file (*.toml)");
  if (!fs::exists(path, error))
    throw Error(path + ": no such configuration file; `oneproxy list` shows those that ship");
  return read_file(path, kMaxTomlBytes);
}

}  // namespace

Config Config::load(const std::string& path, const std::vector<std::string>& overrides) {
  return path.empty() ? parse("", "", overrides) : parse(content_of(path), path, overrides);
}

Config Config::parse(std::string_view text, const std::string& file, const std::vector<std::string>& overrides) {
  auto state = std::make_shared<State>();
  state->file = file.empty() ? "command line" : file;
  check_toml_limits(text, state->file);
  try {
    state->table = toml::parse(text, state->file);
  } catch (const toml::parse_error& error) {
    throw Error(state->file + ":" + std::to_string(error.source().begin.line) +
                ": not valid TOML: " + std::string(error.description()));
  }
  for (const auto& override : overrides) insert_override(state->table, override, file, state->from_set);
  return Config(state);
}

namespace {
// The shape of every typed read: record, and take the default where the key is absent.
template <class T, class S>
T read(S& state, const std::string& key, const std::optional<T>& default_value, const std::string& type,
       const std::string& meaning, bool identity, const std::function<T(const toml::node&)>& convert) {
  const toml::node* node = state.find(key);
  if (!node && !default_value && !state.file.empty())
    throw Error(state.file + ": the key '" + key + "' is missing (" + meaning + ")");
  T value = node ? convert(*node) : default_value.value_or(T{});
  state.record(key, type, default_value ? written(*default_value) : "required", meaning, written(value), identity);
  return value;
}
}  // namespace

std::string Config::text(const std::string& key, std::optional<std::string> default_value, const std::string& meaning) {
  return read<std::string>(*state_, key, default_value, "text", meaning, true, [&](const toml::node& node) {
    if (auto value = node.value_exact<std::string>()) return *value;
    // `--set proxy=630` means the device "630"
    if (state_->from_set.count(key) && node.is_value()) return state_->from_set.at(key);
    state_->wrong(key, show(node), "text in quotes");
  });
}

namespace {
template <class S>
std::string read_one_of(S& state, const std::string& key, const std::optional<std::string>& default_value,
                        const std::vector<std::string>& valid, const std::string& meaning, bool identity) {
  return read<std::string>(state, key, default_value, join(valid), meaning, identity, [&](const toml::node& node) {
    auto value = node.value_exact<std::string>();
    const std::string text = value ? *value : show(node);
    if (std::find(valid.begin(), valid.end(), text) == valid.end())
      state.wrong(key, show(node), "one of " + join(valid));
    return text;
  });
}
}  // namespace

std::string Config::one_of(const std::string& key, std::optional<std::string> default_value,
                           const std::vector<std::string>& valid, const std::string& meaning) {
  return read_one_of(*state_, key, default_value, valid, meaning, true);
}
std::string Config::one_of_outside_identity(const std::string& key, const std::string& default_value,
                                            const std::vector<std::string>& valid, const std::string& meaning) {
  return read_one_of(*state_, key, std::optional(default_value), valid, meaning, false);
}

std::int64_t Config::integer(const std::string& key, std::optional<std::int64_t> default_value, std::int64_t low,
                             std::int64_t high, const std::string& meaning) {
  return read<std::int64_t>(*state_, key, default_value, "integer", meaning, true, [&](const toml::node& node) {
    const auto value = as_integer(node);
    if (!value || *value < low || *value > high) state_->wrong(key, show(node), "an integer " + range_text(low, high));
    return *value;
  });
}

std::string Config::whole_number(const std::string& key, const std::string& default_value, const std::string& meaning) {
  return read<std::string>(*state_, key, default_value, "whole number", meaning, true, [&](const toml::node& node) {
    // The text of an override is exact where the number that TOML reads is not.
    const auto raw = state_->from_set.find(key);
    auto digits = raw == state_->from_set.end() ? std::nullopt : whole_digits(raw->second);
    if (!digits) digits = as_whole(node);
    if (!digits || digits->starts_with('-'))
      state_->wrong(key, show(node), "a whole number, for example 1000000 or 1e6; in quotes where it is above 2^53");
    return *digits;
  });
}

namespace {
template <class S>
double read_number(S& state, const std::string& key, const std::optional<double>& default_value, double low,
                   double high, const std::string& meaning, bool identity) {
  return read<double>(state, key, default_value, "number", meaning, identity, [&](const toml::node& node) {
    const auto value = as_number(node);
    if (!value || !(*value >= low && *value <= high)) state.wrong(key, show(node), "a number " + range_text(low, high));
    return *value;
  });
}
}  // namespace

double Config::number(const std::string& key, std::optional<double> default_value, double low, double high,
                      const std::string& meaning) {
  return read_number(*state_, key, default_value, low, high, meaning, true);
}
double Config::number_outside_identity(const std::string& key, double default_value, double low, double high,
                                       const std::string& meaning) {
  return read_number(*state_, key, std::optional(default_value), low, high, meaning, false);
}

bool Config::flag(const std::string& key, bool default_value, const std::string& meaning) {
  return read<bool>(*state_, key, std::optional(default_value), "true, false", meaning, true,
                    [&](const toml::node& node) {
                      const auto value = node.value_exact<bool>();
                      if (!value) state_->wrong(key, show(node), "true or false");
                      return *value;
                    });
}

namespace {
template <class T, class S>
std::vector<T> read_list(S& state, const std::string& key, const std::vector<T>& default_value, const std::string& type,
                         const std::string& meaning,
                         const std::function<std::optional<T>(const toml::node&)>& convert) {
  return read<std::vector<T>>(state, key, std::optional(default_value), "list of " + type + "s", meaning, true,
                              [&](const toml::node& node) {
                                std::vector<T> values;
                                auto take = [&](const toml::node& item) {
                                  const auto value = convert(item);
                                  if (!value) state.wrong(key, show(item), "a list of valid " + type + "s");
                                  values.push_back(*value);
                                };
                                if (const auto* array = node.as_array()) {
                                  for (const auto& item : *array) take(item);
                                } else {
                                  take(node);
                                }
                                return values;
                              });
}
}  // namespace

std::vector<std::string> Config::texts(const std::string& key, std::vector<std::string> default_value,
                                       const std::string& meaning) {
  return read_list<std::string>(*state_, key, default_value, "text", meaning,
                                [&](const toml::node& node) -> std::optional<std::string> {
                                  if (auto value = node.value_exact<std::string>()) return value;
                                  if (node.is_value() && state_->from_set.count(key) && !state_->find(key)->is_array())
                                    return state_->from_set.at(key);
                                  return std::nullopt;
                                });
}

std::vector<double> Config::numbers(const std::string& key, std::vector<double> default_value, double low, double high,
                                    const std::string& meaning) {
  return read_list<double>(*state_, key, default_value, "number", meaning + " (" + range_text(low, high) + ")",
                           [&](const toml::node& node) {
                             auto value = as_number(node);
                             if (value && !(*value >= low && *value <= high))
                               state_->wrong(key, show(node), "a number " + range_text(low, high));
                             return value;
                           });
}

std::vector<UnitNumber> Config::limits(const std::string& key, double low, double high, const std::string& meaning) {
  std::vector<std::string> units;
  const auto values = read_list<double>(
      *state_, key, {}, "number", meaning + " (" + range_text(low, high) + "; \"25ms\" says its unit)",
      [&](const toml::node& node) -> std::optional<double> {
        const auto text = node.value_exact<std::string>();
        const auto number = as_number(node);
        if (!text && !number) return std::nullopt;
        const UnitNumber limit =
            text ? parse_unit_number(*text, state_->location(key) + ": " + key) : UnitNumber{*number, ""};
        if (!(limit.value >= low && limit.value <= high))
          state_->wrong(key, show(node), "a number " + range_text(low, high));
        units.push_back(limit.unit);
        return limit.value;
      });
  std::vector<UnitNumber> limits;
  for (std::size_t i = 0; i < values.size(); ++i) limits.push_back({values[i], units[i]});
  return limits;
}

std::vector<std::int64_t> Config::integers(const std::string& key, std::vector<std::int64_t> default_value,
                                           std::int64_t low, std::int64_t high, const std::string& meaning) {
  return read_list<std::int64_t>(*state_, key, default_value, "integer", meaning + " (" + range_text(low, high) + ")",
                                 [&](const toml::node& node) {
                                   auto value = as_integer(node);
                                   if (value && (*value < low || *value > high))
                                     state_->wrong(key, show(node), "an integer " + range_text(low, high));
                                   return value;
                                 });
}

std::vector<bool> Config::flags(const std::string& key, std::vector<bool> default_value, const std::string& meaning) {
  return read_list<bool>(*state_, key, default_value, "flag", meaning,
                         [](const toml::node& node) { return node.value_exact<bool>(); });
}

namespace {
// Where a path leads that the file or the command line gives for a key.
template <class S>
std::string resolved_path(const S& state, const std::string& key, const std::string& value) {
  const fs::path base = state.from_set.count(key) > 0 ? "" : fs::path(state.file).parent_path();
  return fs::absolute(base / value).lexically_normal().string();
}
}  // namespace

std::string Config::path(const std::string& key, const std::string& default_value, const std::string& meaning) {
  return read<std::string>(*state_, key, std::optional(default_value), "path", meaning, false,
                           [&](const toml::node& node) -> std::string {
                             auto value = node.value_exact<std::string>();
                             if (!value && state_->from_set.count(key)) value = state_->from_set.at(key);
                             if (!value) state_->wrong(key, show(node), "a path in quotes");
                             return value->empty() ? default_value : resolved_path(*state_, key, *value);
                           });
}

std::string Config::name_or_file(const std::string& key, const std::string& extension, const std::string& meaning) {
  std::string value = text(key, std::nullopt, meaning);
  if (!value.ends_with(extension)) return value;
  const std::string path = resolved_path(*state_, key, value);
  std::error_code error;
  const std::string content = fs::is_regular_file(path, error) ? read_file(path, kMaxTomlBytes) : "";
  if (content.empty())
    throw Error(state_->location(key) + ": " + key + " = " + path + ": no such file, or an empty one");
  const ConfigFile file{key, path, sha256_hex(content)};
  state_->lines.back() = {key + " = " + quoted(path), key + " = " + quoted("sha256:" + file.sha256)};
  state_->files.push_back(file);
  return path;
}

std::vector<ConfigFile> Config::files() const {
  auto files = state_->files;
  for (const auto& child : state_->children) files.insert(files.end(), child->files.begin(), child->files.end());
  return files;
}

std::string Config::folder(const std::string& key) const {
  return state_->from_set.count(key) > 0 ? "" : fs::path(state_->file).parent_path().string();
}

std::vector<Config> Config::tables(const std::string& key, const std::string& meaning) {
  std::vector<Config> result;
  state_->keys.push_back({"[[" + key + "]]", "tables", "none", meaning});
  const toml::node* node = state_->find(key);
  if (!node) return result;
  const auto* array = node->as_array();
  if (!array || !array->is_array_of_tables()) state_->wrong(key, show(*node), "[[" + key + "]] tables");
  for (const auto& item : *array) {
    auto child = std::make_shared<State>();
    child->table = *item.as_table();
    child->file = state_->file + ":" + std::to_string(item.source().begin.line);
    state_->children.push_back(child);
    state_->lines.push_back({"[[" + key + "]]", "[[" + key + "]]"});
    result.push_back(Config(child));
  }
  return result;
}

void Config::finish() const {
  std::vector<std::string> valid;
  std::set<std::string> known;
  for (const auto& key : state_->keys) {
    const bool is_table = key.name.rfind("[[", 0) == 0;
    valid.push_back(is_table ? key.name.substr(2, key.name.size() - 4) : key.name);
    known.insert(valid.back());
  }
  for (const auto& [key, node] : state_->table) {
    const std::string name(key.str());
    if (!known.count(name)) throw Error(state_->location(name) + ": " + unknown_name("key", name, "", valid));
  }
  for (const auto& child : state_->children) Config(child).finish();
}

std::string Config::location(const std::string& key) const { return state_->location(key); }
std::string Config::file() const { return state_->file; }

namespace {
template <class S>
std::string lines_of(const S& state, bool only_identity) {
  // Plain keys first, then the tables: TOML wants it so.
  std::string plain, tables;
  std::size_t child = 0;
  for (const auto& [text, identity] : state.lines) {
    const auto& line = only_identity ? identity : text;
    if (text.rfind("[[", 0) == 0) {
      tables += "\n" + line + "\n" + lines_of(*state.children[child++], only_identity);
    } else if (!line.empty()) {
      plain += line + "\n";
    }
  }
  return plain + tables;
}
}  // namespace

std::string Config::resolved() const { return lines_of(*state_, false); }
std::string Config::identity() const { return lines_of(*state_, true); }
const std::vector<ConfigKey>& Config::keys() const { return state_->keys; }

}  // namespace oneproxy
