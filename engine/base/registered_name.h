#pragma once
// Names under which a program adds what is its own to what ships: search methods, selections.
#include <string>

namespace oneproxy {

// Error for a name that is no plain word, a letter and then letters, digits or '_': it stands in configurations, and in
// the keys of results. `what` it is a name of, for the error.
void require_plain_word(const std::string& name, const std::string& what);

}  // namespace oneproxy
