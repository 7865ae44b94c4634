#include "oneproxy/engine/space/declared_names.h"

#include <algorithm>
#include <cctype>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

void require_new(const std::vector<std::string>& known, const std::string& name, const std::string& what,
                 const std::string& where) {
  if (std::find(known.begin(), known.end(), name) != known.end())
    throw Error(where + ": there are two " + what + " '" + name + "'; rename one");
}

void require_plain(const std::string& name, const std::string& what, const std::string& where) {
  const auto blank = [](unsigned char c) { return std::isspace(c) || std::iscntrl(c); };
  if (name.empty() || std::any_of(name.begin(), name.end(), blank) ||
      name.find_first_of("|=,;\"'`~+") != std::string::npos)
    throw Error(where + ": the " + what + " '" + name +
                "' should be a word without blanks, quotes or any of | = , ; ` ~ +");
}

void require_choices(std::size_t n, const std::string& what, const std::string& where) {
  if (n < 2) throw Error(where + ": " + what + "; a decision has two choices or more");
  if (n > kMaxChoices)
    throw Error(where + ": " + what + ", more than the " + std::to_string(kMaxChoices) +
                " that a decision may have; split it into two decisions");
}

}  // namespace oneproxy
