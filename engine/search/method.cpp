#include "oneproxy/engine/search/method.h"

#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/registered_name.h"
#include "oneproxy/engine/search/methods/annealing.h"
#include "oneproxy/engine/search/methods/auto.h"
#include "oneproxy/engine/search/methods/coordinate_descent.h"
#include "oneproxy/engine/search/methods/differentiable.h"
#include "oneproxy/engine/search/methods/evolutionary.h"
#include "oneproxy/engine/search/methods/exact.h"
#include "oneproxy/engine/search/methods/exhaustive.h"
#include "oneproxy/engine/search/methods/fp_nas.h"
#include "oneproxy/engine/search/methods/from_starts.h"
#include "oneproxy/engine/search/methods/local.h"
#include "oneproxy/engine/search/methods/random.h"
#include "oneproxy/engine/search/methods/shgo.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

namespace {

struct Registry {
  std::deque<SearchMethodKind> methods = {
      auto_method(),         exhaustive_method(),     exact_method(),  annealing_method(),
      evolutionary_method(), differentiable_method(), fp_nas_method(), coordinate_descent_method(),
      shgo_method(),         local_method(),          random_method(), from_starts_method(),
  };
  const std::size_t n_shipped = methods.size();
};

Registry& registry() {
  static Registry all;
  return all;
}

}  // namespace

const std::deque<SearchMethodKind>& search_methods() { return registry().methods; }

void register_search_method(SearchMethodKind kind) {
  require_plain_word(kind.name, "search method");
  auto& [methods, n_shipped] = registry();
  for (std::size_t i = 0; i < methods.size(); ++i) {
    if (methods[i].name != kind.name) continue;
    if (i < n_shipped) throw Error("search method " + kind.name + " ships with oneproxy; call yours otherwise");
    methods[i] = std::move(kind);
    return;
  }
  methods.push_back(std::move(kind));
}

const SearchMethodKind& search_method(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& method : search_methods()) {
    if (method.name == name) return method;
    names.push_back(method.name);
  }
  throw Error(unknown_name("search method", name, "", names));
}

}  // namespace oneproxy
