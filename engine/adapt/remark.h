#pragma once
#include <string>

namespace oneproxy {

// What a person should know of the measurements.
struct Remark {
  enum class Kind {
    looks_like_seconds,       // latencies far below the sources'
    looks_like_microseconds,  // far above
    not_adapted,              // too few or equal latencies: the sources (or MACs) rank
    far_data_sheet,           // a data sheet unlike those of all sources
    outlier,                  // one measurement far beyond all others
    scattered_repeats,        // of one architecture
  };
  Kind kind;
  std::string text;  // a sentence with the values
};

}  // namespace oneproxy
