#pragma once
// The headline numbers of a run: one flat table, key -> number, text or truth value, in the order set.
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace oneproxy {

class Summary {
 public:
  using Value = std::variant<double, std::int64_t, bool, std::string>;

  // NaN is stored as null; say why with set_reason.
  void set(const std::string& key, Value value);
  void set(const std::string& key, const char* text) { set(key, std::string(text)); }
  // "<key>.reason": why the value is undefined.
  void set_reason(const std::string& key, const std::string& reason) { set(key + ".reason", reason); }

  const std::vector<std::pair<std::string, Value>>& entries() const { return entries_; }
  std::string json() const;

 private:
  std::vector<std::pair<std::string, Value>> entries_;
};

}  // namespace oneproxy
