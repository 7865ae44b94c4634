#pragma once
// A number with or without a unit behind it, as people write a limit: "25", "25ms", "0.025 s", "40 mJ".
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace oneproxy {

struct UnitNumber {
  double value = 0;
  std::string unit;  // "": none was written; times are in "ms", whatever they were written in
};

// s, ms, us and ns are times. Error: no finite number begins the text; `where` stands in front.
UnitNumber parse_unit_number(std::string_view text, const std::string& where);

// The one unit that those which have one are written in, "" where none has. Error: there are two.
std::string common_unit(std::span<const UnitNumber> numbers, const std::string& where);

// The values of limits on a quantity in `unit` ("": a number without one). Error: a limit in another unit.
std::vector<double> values_in_unit(std::span<const UnitNumber> numbers, const std::string& unit,
                                   const std::string& where);
std::vector<double> values_in_unit(std::span<const std::string> texts, const std::string& unit,
                                   const std::string& where);

}  // namespace oneproxy
