#pragma once
// Numbers as text, for people and for files.
#include <string>

namespace oneproxy {

// "0.912", "n/a" for NaN.
std::string fixed(double value, int digits = 3);
// Shortest form that people would write: 12, 0.25.
std::string plain(double value);
// Shortest text that reads back as the same number, for files; "" for NaN.
std::string exact(double value);
// The number that all of the text is, NaN where it is none.
double number_of(const std::string& text);
// Three digits that matter, for numbers of any size: 0.0617, 19.1e6 as 1.91e+07.
std::string brief(double value);

}  // namespace oneproxy
