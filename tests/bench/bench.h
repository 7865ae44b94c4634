#pragma once
// The harness of all benchmarks: named cases, the median of some repeats, one JSON object a line on stdout:
//   {"case": ..., "n": ..., "backend": ..., "threads": ..., "seconds_median": ..., "repeats": ..., more ...}
//   BENCH_BINARY [--filter REGEX] [--list]
// Exits with one line on stderr and 1 where a case fails, 3 where no case matches.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "oneproxy/kernels/base/backend.h"
#include "oneproxy/kernels/base/parallel.h"

namespace oneproxy::bench {

struct Timing {
  double seconds_median = 0;
  int repeats = 0;
};

// Median wall-clock of `repeats` calls after one that warms up. `work` must be done when it returns.
template <typename Work>
Timing time_median(int repeats, const Work& work) {
  std::vector<double> seconds;
  for (int repeat = -1; repeat < repeats; ++repeat) {
    const auto start = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    if (repeat >= 0) seconds.push_back(elapsed.count());
  }
  const auto middle = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2);
  std::nth_element(seconds.begin(), middle, seconds.end());
  return {*middle, repeats};
}

// `more`: further JSON members that begin with ", ", for example a baseline and the ratio to it.
inline void report(const std::string& name, std::int64_t n, Backend backend, const Timing& timing,
                   const std::string& more = "") {
  std::printf(
      "{\"case\": \"%s\", \"n\": %lld, \"backend\": \"%s\", \"threads\": %d, \"seconds_median\": %.6g, "
      "\"repeats\": %d%s}\n",
      name.c_str(), static_cast<long long>(n), to_string(backend), thread_count(), timing.seconds_median,
      timing.repeats, more.c_str());
  std::fflush(stdout);
}

// Members for a comparison within one binary; ratio > 1: faster than the baseline.
inline std::string against(const std::string& baseline, double baseline_seconds, double seconds) {
  char text[200];
  std::snprintf(text, sizeof(text), ", \"baseline\": \"%s\", \"baseline_seconds\": %.6g, \"ratio\": %.4g",
                baseline.c_str(), baseline_seconds, baseline_seconds / seconds);
  return text;
}

inline constexpr int kNoCase = 3;  // exit status; tools/bench passes over such a program

struct Case {
  std::string name;
  std::function<void()> run;  // measures and reports
};

inline int run_cases(int argc, char** argv, const std::vector<Case>& cases) {
  try {
    std::regex filter("");
    bool list = false;
    for (int i = 1; i < argc; ++i) {
      const std::string_view argument = argv[i];
      if (argument == "--list") {
        list = true;
      } else if (argument == "--filter" && i + 1 < argc) {
        filter = argv[++i];
      } else {
        std::fprintf(stderr, "unknown argument '%s'; usage: %s [--filter REGEX] [--list]\n", argv[i], argv[0]);
        return 1;
      }
    }
    int matched = 0;
    for (const Case& bench_case : cases) {
      if (!std::regex_search(bench_case.name, filter)) continue;
      ++matched;
      if (list) {
        std::printf("%s\n", bench_case.name.c_str());
      } else {
        bench_case.run();
      }
    }
    if (matched > 0) return 0;
    std::fprintf(stderr, "no case matches the filter; --list names the cases\n");
    return kNoCase;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  return 1;
}

}  // namespace oneproxy::bench
