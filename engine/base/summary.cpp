#include "oneproxy/engine/base/summary.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

void Summary::set(const std::string& key, Value value) {
  for (const auto& entry : entries_) ONEPROXY_ASSERT(entry.first != key);
  entries_.emplace_back(key, std::move(value));
}

std::string Summary::json() const {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (const auto& [key, value] : entries_) {
    std::visit(
        [&, &key = key](const auto& v) {
          if constexpr (std::is_same_v<std::decay_t<decltype(v)>, double>) {
            if (!std::isfinite(v)) {
              object[key] = nullptr;
              return;
            }
          }
          object[key] = v;
        },
        value);
  }
  return object.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace oneproxy
