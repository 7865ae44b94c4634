#pragma once
// A way to search. A new one is a file in engine/search/methods/ and a line in method.cpp; or a program that uses the
// engine registers it, as Python does for methods that are written there.
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "oneproxy/engine/base/config.h"
#include "oneproxy/engine/search/evaluator.h"

namespace oneproxy {

class SearchMethod {
 public:
  virtual ~SearchMethod() = default;
  // Front and best of the evaluator's problem for its question. Evaluations go through the evaluator, which counts them
  // and ends the budget; most methods end with evaluator.found(). The same question gives the same result on any number
  // of threads, but for a budget in seconds. Errors: a problem that the method can not search (with the remedy).
  virtual SearchResult search(Evaluator& evaluator) const = 0;
};

struct SearchMethodKind {
  std::string name, description;
  bool proves = false;                                    // what it finds is optimal, where its certainty says "exact"
  bool takes_seconds = false, takes_evaluations = false;  // budgets that it keeps to
  // Reads the method's own keys.
  std::function<std::unique_ptr<SearchMethod>(Config&)> read;
  bool one_at_a_time = false;  // its searches are not to run side by side: code that is not made for threads
  std::string version = "";    // of one that does not ship: tells two of its name apart in the identity of a result
};

const std::deque<SearchMethodKind>& search_methods();
const SearchMethodKind& search_method(const std::string& name);  // Error offers the names there are
// Adds one to them; it takes the place of one registered before under its name, to which references stay good. Not
// while a search runs. Error: a name that is no plain word (a-z, 0-9, _), or that of a method that ships.
void register_search_method(SearchMethodKind kind);

}  // namespace oneproxy
