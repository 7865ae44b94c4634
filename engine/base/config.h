#pragma once
// A TOML configuration, read strictly: every key must be asked for by the code that uses it, with its
// type, default and meaning; anything else in the file is an error with its location and the nearest valid key.
//
//   Config config = Config::load("configs/nasbench201/adaproxy.toml", {"p=2"});
//   int trials = config.integer("trials", 20, 1, 10000, "number of repetitions");
//   ...
//   config.finish();              // unknown keys are refused here
//   config.resolved();            // what was used, defaults included, as TOML
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oneproxy/engine/base/unit_number.h"

namespace oneproxy {

// What `oneproxy list KIND` prints.
struct ConfigKey {
  std::string name, type, default_value, meaning;
};

// A file that a key names, and the SHA-256 of its bytes.
struct ConfigFile {
  std::string key, path, sha256;
};

class Config {
 public:
  // path "": no file, all keys come from the overrides.
  // overrides: "key=value" with a TOML value; a bare word or path is a string. Errors: no such file, one of more than
  // 1 MiB, bad TOML or a key of more than 32 parts (with line), an override without '='.
  static Config load(const std::string& path, const std::vector<std::string>& overrides);
  // The same of a text that is in memory; `file` is named in errors, and paths are relative to its folder.
  static Config parse(std::string_view text, const std::string& file, const std::vector<std::string>& overrides);
  // No file: all defaults. For listing the keys of a kind.
  static Config defaults();

  Config(Config&&) noexcept;
  ~Config();

  // Each read takes the key, its default (nullopt: required), and its meaning. A number out of range, or a value of
  // another type, is an error with its place.
  std::string text(const std::string& key, std::optional<std::string> default_value, const std::string& meaning);
  std::string one_of(const std::string& key, std::optional<std::string> default_value,
                     const std::vector<std::string>& valid, const std::string& meaning);
  // Also as a person writes a large one: 1e12, "1e12". 1.5 and "1.5e0" are none.
  std::int64_t integer(const std::string& key, std::optional<std::int64_t> default_value, std::int64_t low,
                       std::int64_t high, const std::string& meaning);
  // One of up to 39 digits, in decimal: as a number, or in quotes where it passes 2^53.
  std::string whole_number(const std::string& key, const std::string& default_value, const std::string& meaning);
  double number(const std::string& key, std::optional<double> default_value, double low, double high,
                const std::string& meaning);
  bool flag(const std::string& key, bool default_value, const std::string& meaning);
  // A single value stands for a list of one.
  std::vector<std::string> texts(const std::string& key, std::vector<std::string> default_value,
                                 const std::string& meaning);
  std::vector<double> numbers(const std::string& key, std::vector<double> default_value, double low, double high,
                              const std::string& meaning);
  // Limits: numbers, or texts with a unit ("25ms"). As numbers in the record, so that "0.025 s" and 25 are one result.
  std::vector<UnitNumber> limits(const std::string& key, double low, double high, const std::string& meaning);
  std::vector<std::int64_t> integers(const std::string& key, std::vector<std::int64_t> default_value, std::int64_t low,
                                     std::int64_t high, const std::string& meaning);
  std::vector<bool> flags(const std::string& key, std::vector<bool> default_value, const std::string& meaning);
  // A path: relative to the configuration file, or to the working directory when it came from the command line.
  // Not part of the result's identity (neither is what a read `_outside_identity` reads).
  std::string path(const std::string& key, const std::string& default_value, const std::string& meaning);
  // The name of something that ships, or a file where the text ends with `extension`; the latter's path is found like
  // the others, and its checksum is part of the result's identity. Required. Error: no such file.
  std::string name_or_file(const std::string& key, const std::string& extension, const std::string& meaning);
  std::vector<ConfigFile> files() const;  // read by name_or_file, here and in the tables
  std::string one_of_outside_identity(const std::string& key, const std::string& default_value,
                                      const std::vector<std::string>& valid, const std::string& meaning);
  // The folder that a path within a text is relative to: that of the file, or "" (the working directory) where the key
  // came from the command line.
  std::string folder(const std::string& key) const;
  double number_outside_identity(const std::string& key, double default_value, double low, double high,
                                 const std::string& meaning);
  // [[key]] tables: each is read strictly like the whole.
  std::vector<Config> tables(const std::string& key, const std::string& meaning);

  void finish() const;

  std::string location(const std::string& key) const;  // "file.toml:12", "--set", or "file.toml"
  std::string file() const;
  std::string resolved() const;  // TOML of all keys read, in order
  std::string identity() const;  // the same without paths and back end: what names a result
  const std::vector<ConfigKey>& keys() const;

 private:
  struct State;
  explicit Config(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace oneproxy
