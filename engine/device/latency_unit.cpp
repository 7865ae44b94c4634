#include "oneproxy/engine/device/latency_unit.h"

#include <algorithm>
#include <set>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

const std::set<std::string> kLatency = {"latency", "latencies", "lat"};
const std::set<std::string> kTime = {"time", "times", "runtime", "duration", "elapsed", "delay"};
const std::set<std::string> kBeside = {"mean",      "avg",  "average",   "median",  "p50",   "measured",  "measurement",
                                       "inference", "run",  "infer",     "forward", "exec",  "execution", "response",
                                       "taken",     "wall", "wallclock", "clock",   "end",   "to",        "e2e",
                                       "total",     "per",  "network",   "image",   "value", "result",    "in"};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : static_cast<char>(c);
  });
  return text;
}

}  // namespace

std::string latency_unit(const std::string& text) {
  std::string word = lower(text);
  if (word.ends_with('.')) word.pop_back();
  for (const char* one : {"ms", "msec", "msecs", "millis", "millisecond", "milliseconds"})
    if (word == one) return "ms";
  for (const char* one : {"s", "sec", "secs", "second", "seconds"})
    if (word == one) return "s";
  // The micro sign, the Greek letter, and the sign of one byte in Latin-1.
  for (const char* one : {"us", "usec", "usecs", "micros", "microsecond", "microseconds", "\xC2\xB5s", "\xCE\xBCs",
                          "\xC2\xB5sec", "\xCE\xBCsec", "\xB5s"})
    if (word == one) return "us";
  for (const char* one : {"ns", "nsec", "nsecs", "nanos", "nanosecond", "nanoseconds"})
    if (word == one) return "ns";
  return "";
}

double to_ms(const std::string& unit) {
  const std::string known = latency_unit(unit);
  if (known == "ms") return 1;
  if (known == "s") return 1000;
  if (known == "us") return 1e-3;
  if (known == "ns") return 1e-6;
  throw Error("unit '" + unit + "' of latencies should be ms, s, us or ns");
}

HeaderWords header_words(const std::string& header) {
  struct Word {
    std::string text;
    std::size_t begin, end;
  };
  std::vector<Word> words;
  std::size_t begin = std::string::npos;
  for (std::size_t i = 0; i <= header.size(); ++i) {
    const bool divides = i == header.size() || std::string(" _-()[]{}:,").find(header[i]) != std::string::npos;
    if (divides && begin != std::string::npos) {
      words.push_back({lower(header.substr(begin, i - begin)), begin, i});
      begin = std::string::npos;
    } else if (!divides && begin == std::string::npos) {
      begin = i;
    }
  }
  // "latency/ms", as units are divided out in tables of physics; "images/s" is none.
  for (std::size_t i = 0; i < words.size(); ++i) {
    const Word word = words[i];
    const auto slash = word.text.find('/');
    if (slash == std::string::npos || latency_unit(word.text.substr(slash + 1)).empty()) continue;
    const std::string before = word.text.substr(0, slash);
    if (!kLatency.contains(before) && !kTime.contains(before)) continue;
    words[i] = {before, word.begin, word.begin + slash};
    words.insert(words.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                 {word.text.substr(slash + 1), word.begin + slash + 1, word.end});
    ++i;
  }
  HeaderWords found;
  std::set<std::string> units;
  for (const auto& word : words) {
    const std::string unit = latency_unit(word.text);
    if (unit.empty())
      found.words.push_back(word.text);
    else
      units.insert(unit);
  }
  if (units.size() == 1) found.unit = *units.begin();
  const auto beside = [&](const Word& word) {
    return !latency_unit(word.text).empty() || kLatency.contains(word.text) || kTime.contains(word.text) ||
           word.text == "mean" || word.text == "median" || word.text == "avg" || word.text == "on";
  };
  std::size_t first = 0, last = words.size();
  while (first < last && beside(words[first])) ++first;
  while (last > first && beside(words[last - 1])) --last;
  if (first < last) {
    found.rest = header.substr(words[first].begin, words[last - 1].end - words[first].begin);
    for (const auto& [open, close] : {std::pair('(', ')'), std::pair('[', ']')})  // "Pixel (2020)" keeps its bracket
      if (found.rest.find(open) != std::string::npos && found.rest.find(close) == std::string::npos)
        found.rest += close;
  }
  return found;
}

int latency_rank(const HeaderWords& header) {
  bool latency = false, time = false;
  for (const auto& word : header.words) {
    latency = latency || kLatency.contains(word);
    time = time || kTime.contains(word);
    if (!kLatency.contains(word) && !kTime.contains(word) && !kBeside.contains(word)) return 0;
  }
  return latency ? 1 : time || !header.unit.empty() ? 2 : 0;
}

}  // namespace oneproxy
