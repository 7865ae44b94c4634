#pragma once
// What the names in the file of a search space must keep to, and how many choices a decision has.
#include <cstddef>
#include <string>
#include <vector>

namespace oneproxy {

// Of a decision: choices are bytes.
constexpr std::size_t kMaxChoices = 255;

// Error where `name` is among the known ones. what: plural, "operations"; where: file and line.
void require_new(const std::vector<std::string>& known, const std::string& name, const std::string& what,
                 const std::string& where);

// Error for a name that can not stand in architecture strings, in CSV files and on command lines. what: "choice".
void require_plain(const std::string& name, const std::string& what, const std::string& where);

// Error for fewer than two choices, or more than kMaxChoices. what: the sentence that says how many there are.
void require_choices(std::size_t n, const std::string& what, const std::string& where);

}  // namespace oneproxy
