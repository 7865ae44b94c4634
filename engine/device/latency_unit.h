#pragma once
// Units of latencies as people write them, in options, in headers of columns and behind numbers.
#include <string>
#include <vector>

namespace oneproxy {

// "ms", "s", "us" or "ns" for any way to write one of them (msec, milliseconds, Sec., \u00b5s); "" for other texts.
std::string latency_unit(const std::string& text);

// By what a latency in this unit is multiplied. Error: none of "ms", "s", "us" and "ns".
double to_ms(const std::string& unit);

// The header of a column, taken apart: "Latency (ms)" is {latency} in ms, "Pixel 3 [us]" is {pixel, 3} in us.
struct HeaderWords {
  std::vector<std::string> words;  // lower-case, without the unit
  std::string unit;                // of latencies; "": none is named, or several
  std::string rest;                // as it is written, without the unit and words for latency around it: "Pixel 3"
};
HeaderWords header_words(const std::string& header);

// Whether words name a latency, and no other part of it than its middle: {latency}, {mean}, {inference, time}; with a
// unit also {} and {mean}. 0: no; 1: by the word latency; 2: by another.
int latency_rank(const HeaderWords& header);

}  // namespace oneproxy
