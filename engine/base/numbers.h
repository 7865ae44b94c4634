#pragma once
// Numbers as text, for people and for files, and text as numbers.
#include <optional>
#include <string>
#include <string_view>

namespace oneproxy {

// "0.912", "n/a" for NaN.
std::string fixed(double value, int digits = 3);
// Shortest form that people would write: 12, 0.25.
std::string plain(double value);
// Shortest text that reads back as the same number, for files; "" for NaN.
std::string exact(double value);
// The number that all of the text is, NaN where it is none.
double number_of(const std::string& text);
// In a key, a heading or a file's name: six digits that matter, a whole number in full below 10^10: 0.1 + 0.2 is 0.3.
std::string key_number(double value);
// The digits of a whole number, written as such or with an exponent: "1e12" is 1000000000000, "1.5e3" is 1500. Nothing
// for "1.5e0", "-1", "x" and whatever has more than 39 digits (2^128 has as many).
std::optional<std::string> whole_digits(std::string_view text);
// A span of time in its two largest units: "2 d 12 h", "3 min 5 s", "12 s".
std::string time_span(double seconds);
// Three digits that matter, for numbers of any size: 0.0617, 19.1e6 as 1.91e+07.
std::string brief(double value);

}  // namespace oneproxy
