#pragma once
// The address of an architecture among very many, and what stands at it.
//   index = mixed radix of the digits, digit 0 most significant (kernels/base/index.h)
// A digit is one decision, or a group of decisions whose joint values are listed, so that every distinct
// architecture has exactly one index: a stage of 2..4 blocks with 9 variants each is one digit of radix
// 81 + 729 + 6561 = 7371. A value of a digit stands for up to `parts` rows of a one-hot code.
#include <cstdint>
#include <span>

#include "oneproxy/kernels/base/index.h"

namespace oneproxy {

struct DigitCode {
  std::span<const std::uint32_t> radices;  // [n_digits], each >= 1
  int parts = 1;                           // most rows that one value stands for
  std::span<const std::int32_t> rows;      // [sum of radices, parts], digit after digit; -1: no row
  int n_rows = 0;                          // of the one-hot code; all entries of `rows` are below

  int n_digits() const { return static_cast<int>(radices.size()); }
  ArchIndex size() const;  // product of the radices; Error where it passes 128 bits
};

// Errors: no digits, a radix of 0, rows of another length, a row outside the code. `where` is named in them.
void check_code(const DigitCode& code, const char* where);

// digits [n_digits] of `index`, and back.
ONEPROXY_HD inline void decode_digits(ArchIndex index, const std::uint32_t* radices, int n_digits,
                                      std::uint32_t* digits) {
  int d = n_digits - 1;
  for (; d >= 0 && index >> 64; --d) {
    digits[d] = static_cast<std::uint32_t>(index % radices[d]);
    index /= radices[d];
  }
  for (auto low = static_cast<std::uint64_t>(index); d >= 0; --d) {  // 64-bit division is many times faster
    digits[d] = static_cast<std::uint32_t>(low % radices[d]);
    low /= radices[d];
  }
}

ONEPROXY_HD inline ArchIndex encode_digits(const std::uint32_t* digits, const std::uint32_t* radices, int n_digits) {
  ArchIndex index = 0;
  for (int d = 0; d < n_digits; ++d) index = index * radices[d] + digits[d];
  return index;
}

// Which architectures are scored, by position 0 .. count-1.
struct IndexRange {
  ArchIndex begin = 0;      // the first index, or the first place in the shuffled order
  std::uint64_t count = 0;  // begin + count <= size of the space
  bool shuffled = false;    // position -> shuffled_index: distinct random indices of a huge space, none stored
  std::uint64_t seed = 0;   // of the shuffled order
};

// A seeded bijection of 0 .. size-1: the index at place `place` of a shuffled order, a pure function, the same on host
// and device. An unbalanced Feistel network of `kShuffleRounds` rounds on (left, right) with left < a, right < b,
// a * b = size: the digits are split in two groups, so that no place is ever outside the space. a and b must be
// below 2^64 and no digit may be cut; split_digits() finds such a split.
struct DigitSplit {
  int left_digits = 0;                // digits 0 .. left_digits-1 are the left part
  std::uint64_t left = 1, right = 1;  // sizes of the parts
};
DigitSplit split_digits(std::span<const std::uint32_t> radices);  // Error where a part would pass 64 bits

inline constexpr int kShuffleRounds = 6;

ONEPROXY_HD inline std::uint64_t shuffle_mix(std::uint64_t x, std::uint64_t key) {
  x += key;  // SplitMix64's finaliser (Steele, Lea, Flood, OOPSLA 2014)
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

// bits * bound / 2^64: uniform below `bound` up to bound / 2^64.
ONEPROXY_HD inline std::uint64_t scaled_below(std::uint64_t bits, std::uint64_t bound) {
  return static_cast<std::uint64_t>((static_cast<ArchIndex>(bits) * bound) >> 64);
}

struct ShuffleKeys {
  std::uint64_t of_round[kShuffleRounds];
};
ONEPROXY_HD inline ShuffleKeys shuffle_keys(std::uint64_t seed) {
  ShuffleKeys keys{};
  for (int round = 0; round < kShuffleRounds; ++round)
    keys.of_round[round] = shuffle_mix(seed + round, 0x9E3779B97F4A7C15ull * (round + 1));
  return keys;
}

// (left, right) of a place -> (left, right) of the index there.
ONEPROXY_HD inline void shuffle_rounds(const ShuffleKeys& keys, const DigitSplit& split, std::uint64_t& left,
                                       std::uint64_t& right) {
  for (int round = 0; round < kShuffleRounds; ++round) {
    if (round % 2 == 0) {
      const std::uint64_t add = scaled_below(shuffle_mix(right, keys.of_round[round]), split.left);
      left = left >= split.left - add ? left - (split.left - add) : left + add;
    } else {
      const std::uint64_t add = scaled_below(shuffle_mix(left, keys.of_round[round]), split.right);
      right = right >= split.right - add ? right - (split.right - add) : right + add;
    }
  }
}

// The two parts of the index at `place`; place < split.left * split.right.
ONEPROXY_HD inline void shuffled_parts(ArchIndex place, const DigitSplit& split, std::uint64_t seed,
                                       std::uint64_t& left, std::uint64_t& right) {
  left = static_cast<std::uint64_t>(place / split.right);
  right = static_cast<std::uint64_t>(place % split.right);
  shuffle_rounds(shuffle_keys(seed), split, left, right);
}

ONEPROXY_HD inline ArchIndex shuffled_index(ArchIndex place, const DigitSplit& split, std::uint64_t seed) {
  std::uint64_t left, right;
  shuffled_parts(place, split, seed, left, right);
  return static_cast<ArchIndex>(left) * split.right + right;
}

// The index at `position` of a run.
ONEPROXY_HD inline ArchIndex index_at(const IndexRange& run, std::uint64_t position, const DigitSplit& split) {
  const ArchIndex place = run.begin + position;
  return run.shuffled ? shuffled_index(place, split, run.seed) : place;
}

}  // namespace oneproxy
