#include "oneproxy/engine/adapt/design/selection.h"

#include <deque>
#include <set>

#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/registered_name.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

struct Registered {
  std::string name;
  Select select = {};  // none for those that ship
  std::string version = "";
};

constexpr std::size_t kShipped = 4;

std::deque<Registered>& registry() {
  static std::deque<Registered> all = {{"random"}, {"kmeans"}, {"d_optimal"}, {"a_optimal"}};
  return all;
}

}  // namespace

Selection parse_selection(std::string_view text) {
  const auto& all = registry();
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i].name == text) return static_cast<Selection>(i);
  throw Error(unknown_name("selection", text, "", selection_names()));
}

const char* to_string(Selection selection) { return registry()[static_cast<std::size_t>(selection)].name.c_str(); }

std::string selection_version(Selection selection) { return registry()[static_cast<std::size_t>(selection)].version; }

std::vector<std::string> selection_names() {
  std::vector<std::string> names;
  for (const auto& one : registry()) names.push_back(one.name);
  return names;
}

bool is_nested(Selection selection) {
  return selection != Selection::kmeans && static_cast<std::size_t>(selection) < kShipped;
}

Selection register_selection(const std::string& name, Select select, const std::string& version) {
  require_plain_word(name, "selection");
  auto& all = registry();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].name != name) continue;
    if (i < kShipped) throw Error("selection " + name + " ships with oneproxy; call yours otherwise");
    all[i] = {name, std::move(select), version};
    return static_cast<Selection>(i);
  }
  all.push_back({name, std::move(select), version});
  return static_cast<Selection>(all.size() - 1);
}

std::vector<std::int64_t> select_by(Selection registered, const SelectionPool& pool) {
  const auto& [name, select, version] = registry()[static_cast<std::size_t>(registered)];
  ONEPROXY_ASSERT(select);
  auto chosen = select(pool);
  const std::string begin = "selection " + name + ": chose ";
  if (std::ssize(chosen) != pool.k)
    throw Error(begin + std::to_string(chosen.size()) + " architectures; return the positions of " +
                std::to_string(pool.k));
  std::set<std::int64_t> seen;
  for (const auto i : chosen) {
    if (i < 0 || i >= pool.n())
      throw Error(begin + "position " + std::to_string(i) + "; the candidates have the positions 0 to " +
                  std::to_string(pool.n() - 1));
    if (!seen.insert(i).second) throw Error(begin + "position " + std::to_string(i) + " twice; return each once");
  }
  return chosen;
}

}  // namespace oneproxy
