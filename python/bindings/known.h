#pragma once
// What a store knows of a space: the ground on which qualities and objectives are looked up by their names.
#include <algorithm>
#include <optional>
#include <string>

#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/device/measurements.h"

namespace oneproxy::python {

// The measurements of the store (of the one that ships, where the path is "") on the set, where it has them.
class Known {
 public:
  Known(const std::string& path, const SearchSpace& space, const std::string& set)
      : store_(path.empty() ? shipped_store() : path) {
    const auto has = [](const std::vector<std::string>& names, const std::string& name) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (has(store_.spaces(), space.name()) && has(store_.sets(space.name()), set)) data_.emplace(store_, space, set);
  }
  Known(const Known&) = delete;  // the measurements refer to the store
  Known& operator=(const Known&) = delete;

  const Measurements* data() const { return data_ ? &*data_ : nullptr; }
  const std::string& store() const { return store_.path(); }

 private:
  Store store_;
  std::optional<Measurements> data_;
};

}  // namespace oneproxy::python
