#include "oneproxy/engine/space/official_index.h"

#include <algorithm>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

OfficialIndex::OfficialIndex(const Store& store, const SearchSpace& space) {
  // Numbered spaces are small enough to be enumerated by those who numbered them.
  if (space.size() >> 64) return;
  const auto known = store.spaces();
  if (std::find(known.begin(), known.end(), space.name()) == known.end()) return;
  // Sets may number parts of the space; together they number all that is known.
  for (const auto& set : store.sets(space.name())) {
    const SetRows rows = store.rows(space.name(), set);
    for (std::size_t i = 0; i < rows.official_index.size(); ++i) {
      const auto row = rows.row(static_cast<std::int64_t>(i));
      if (const auto fault = space.fault(row); !fault.empty())
        throw Error(store.path() + ": row " + std::to_string(i) + " of set " + set + " of " + space.name() + " has " +
                    fault + "; import the data again");
      const auto index = static_cast<std::uint64_t>(space.index(row));
      official_of_.emplace(index, rows.official_index[i]);
      index_of_.emplace(rows.official_index[i], index);
    }
  }
}

std::optional<std::int64_t> OfficialIndex::official(ArchIndex index) const {
  const auto found = official_of_.find(static_cast<std::uint64_t>(index));
  if (index >> 64 || found == official_of_.end()) return std::nullopt;
  return found->second;
}

std::optional<ArchIndex> OfficialIndex::index(std::int64_t official) const {
  const auto found = index_of_.find(official);
  if (found == index_of_.end()) return std::nullopt;
  return found->second;
}

}  // namespace oneproxy
