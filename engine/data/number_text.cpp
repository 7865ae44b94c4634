#include "oneproxy/engine/data/number_text.h"

#include <cmath>
#include <cstdlib>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

// Blanks that do not break a line, in UTF-8, and typographic apostrophes: to ASCII.
std::string plain_signs(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto is = [&](const char* sequence) { return text.compare(i, std::string(sequence).size(), sequence) == 0; };
    if (is("\xC2\xA0")) {
      plain += ' ', ++i;
    } else if (is("\xE2\x80\xAF") || is("\xE2\x80\x89")) {
      plain += ' ', i += 2;
    } else if (is("\xE2\x80\x99")) {
      plain += '\'', i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "1,234,567" with one kind of separator, or digits alone -> the digits.
std::optional<std::string> without_groups(const std::string& whole, const std::string& separators) {
  std::string digits;
  char separator = 0;
  std::size_t in_group = 0;
  for (const char c : whole) {
    if (is_digit(c)) {
      digits += c, ++in_group;
      continue;
    }
    if (separators.find(c) == std::string::npos || (separator && c != separator)) return std::nullopt;
    if (separator ? in_group != 3 : in_group < 1 || in_group > 3 || digits[0] == '0') return std::nullopt;
    separator = c;
    in_group = 0;
  }
  if (separator && in_group != 3) return std::nullopt;
  return digits;
}

}  // namespace

DecimalMark parse_decimal_mark(const std::string& text, const std::string& option) {
  if (text.empty()) return DecimalMark::recognised;
  if (text == "point" || text == ".") return DecimalMark::point;
  if (text == "comma" || text == ",") return DecimalMark::comma;
  throw Error(option + " '" + text + "' should be point or comma");
}

std::optional<NumberText> split_number(const std::string& given) {
  const std::string text = plain_signs(given);
  std::size_t end = 0;
  bool digit = false;
  while (end < text.size()) {
    const char c = text[end];
    const bool sign = (c == '+' || c == '-') && (end == 0 || ((text[end - 1] | 32) == 'e' && digit));
    const auto after = [&](std::size_t i) { return i < text.size() ? text[i] : '\0'; };
    const bool exponent =
        (c | 32) == 'e' && digit &&
        (is_digit(after(end + 1)) || ((after(end + 1) == '-' || after(end + 1) == '+') && is_digit(after(end + 2))));
    const bool blank = c == ' ' && digit && is_digit(after(end + 1));
    if (!is_digit(c) && c != '.' && c != ',' && c != '\'' && !sign && !exponent && !blank) break;
    digit = digit || is_digit(c);
    ++end;
  }
  if (!digit) return std::nullopt;
  const auto unit = text.find_first_not_of(' ', end);
  return NumberText{text.substr(0, end), unit == std::string::npos ? "" : text.substr(unit)};
}

std::optional<double> number_by(const std::string& digits, DecimalMark mark) {
  const char sign_of_mark = mark == DecimalMark::comma ? ',' : '.';
  const std::string separators = mark == DecimalMark::comma ? ". '" : ", '";
  const bool sign = !digits.empty() && (digits[0] == '-' || digits[0] == '+');
  const auto exponent = std::min(digits.find_first_of("eE"), digits.size());
  const std::string mantissa = digits.substr(sign, exponent - sign);
  const auto at = std::min(mantissa.find(sign_of_mark), mantissa.size());
  const auto whole = without_groups(mantissa.substr(0, at), separators);
  const std::string fraction = at < mantissa.size() ? mantissa.substr(at + 1) : "";
  if (!whole || fraction.find_first_not_of("0123456789") != std::string::npos || (whole->empty() && fraction.empty()))
    return std::nullopt;
  const std::string plain = (sign && digits[0] == '-' ? "-" : "") + *whole + "." + fraction + digits.substr(exponent);
  char* end = nullptr;
  const double value = std::strtod(plain.c_str(), &end);
  if (*end != '\0') return std::nullopt;
  return value;
}

MarkEvidence mark_evidence(const std::string& digits) {
  const auto point = number_by(digits, DecimalMark::point), comma = number_by(digits, DecimalMark::comma);
  if (!point && !comma) return MarkEvidence::no_number;
  if (!comma) return MarkEvidence::point;
  if (!point) return MarkEvidence::comma;
  if (*point == *comma) return MarkEvidence::none;
  return digits.find(',') == std::string::npos ? MarkEvidence::point_or_thousands : MarkEvidence::comma_or_thousands;
}

DecimalMark common_mark(std::span<const PlacedText> texts) {
  const PlacedText *point = nullptr, *comma = nullptr, *dotted = nullptr, *unclear = nullptr;
  const auto note = [](const PlacedText*& first, const PlacedText& one) {
    if (!first) first = &one;
  };
  for (const auto& one : texts) {
    const auto number = split_number(one.text);
    if (!number) continue;
    switch (mark_evidence(number->digits)) {
      case MarkEvidence::point:
        note(point, one);
        break;
      case MarkEvidence::comma:
        note(comma, one);
        break;
      case MarkEvidence::point_or_thousands:
        note(dotted, one);
        break;
      case MarkEvidence::comma_or_thousands:
        note(unclear, one);
        break;
      case MarkEvidence::none:
      case MarkEvidence::no_number:
        break;
    }
  }
  if (!point && comma && dotted) point = dotted;
  if (point && comma)
    throw Error(comma->place + ": '" + comma->text + "' has a decimal comma, and '" + point->text + "' (" +
                point->place + ") a decimal point; write all of them one way, or say --decimal comma or point");
  if (unclear && !point && !comma)
    throw Error(unclear->place + ": '" + unclear->text +
                "' may be a decimal comma or thousands, and no other value tells; say --decimal comma or --decimal "
                "point");
  return comma ? DecimalMark::comma : DecimalMark::point;
}

}  // namespace oneproxy
