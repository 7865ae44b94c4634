#pragma once
// A published numbering of a space's architectures (NAS-Bench-201's), both ways. It follows no rule, so it
// is a table, read from a set that carries it.
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "oneproxy/engine/data/store.h"
#include "oneproxy/engine/space/space.h"

namespace oneproxy {

class OfficialIndex {
 public:
  // From all sets of the space that number their rows; empty where none does. Error for a damaged set.
  OfficialIndex(const Store& store, const SearchSpace& space);

  std::optional<std::int64_t> official(ArchIndex index) const;  // nullopt: not numbered
  std::optional<ArchIndex> index(std::int64_t official) const;

 private:
  std::unordered_map<std::uint64_t, std::int64_t> official_of_;
  std::unordered_map<std::int64_t, std::uint64_t> index_of_;
};

}  // namespace oneproxy
