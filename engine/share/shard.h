#pragma once
// A part of a run that one process does without knowing of the others: "3/16" is the third of sixteen.
#include <cstdint>
#include <string>

#include "oneproxy/engine/share/intervals.h"

namespace oneproxy {

struct Shard {
  int number = 1, count = 1;  // 1 <= number <= count
  bool is_whole() const { return count == 1; }
};

inline constexpr int kMaxShards = 1000000;

// Errors: no "i/n", i beyond n.
Shard parse_shard(const std::string& text);
std::string to_string(const Shard& shard);  // "3/16"

// Which of n places fall to the shard: all shards together have each place once, and none has more than one more than
// another.
Interval part_of(const Shard& shard, std::uint64_t n);

}  // namespace oneproxy
