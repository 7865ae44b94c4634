#pragma once
// Numbers as people and spreadsheets write them: 19.8, 19,8, 1,234.5, 1 234,5, 1'234.5, 1.98e1, 19.8 ms.
#include <optional>
#include <span>
#include <string>

namespace oneproxy {

enum class DecimalMark { recognised, point, comma };
// "point", "comma" or their signs; Error for anything else, after `option`.
DecimalMark parse_decimal_mark(const std::string& text, const std::string& option);

// A text that begins with a number, and what stands behind it ("ms", "%"; "": nothing). Nothing for other texts.
struct NumberText {
  std::string digits, unit;
};
std::optional<NumberText> split_number(const std::string& text);

// The number that all of the digits are by this mark (point or comma); what groups thousands is the other one, blanks
// or apostrophes. Nothing where it is none.
std::optional<double> number_by(const std::string& digits, DecimalMark mark);

// What digits say of the mark that they are written with.
enum class MarkEvidence {
  no_number,
  none,                // 12, 1 234
  point,               // 19.8, 1,234.5
  comma,               // 19,8, 1.234,5
  point_or_thousands,  // 1.234: a point, if nothing speaks for commas
  comma_or_thousands   // 1,234
};
MarkEvidence mark_evidence(const std::string& digits);

// The mark that all numbers of a column are written with. Of texts that do not begin with a number nothing is said.
// Error where they disagree, or where one reads as two different numbers and the others do not tell which; it begins
// with the place of that one, places[i] + ": ".
struct PlacedText {
  std::string text, place;
};
DecimalMark common_mark(std::span<const PlacedText> texts);

}  // namespace oneproxy
