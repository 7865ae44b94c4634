#pragma once
// Exact Pareto fronts of spaces that nobody can enumerate, where every objective is a sum over digits:
//   latency(x) = bias + sum over digits d of latency[d][x_d]          minimised
//   quality(x) = bias + sum over digits d of quality[d][x_d]          maximised
//   third(x)   = ..., optional (energy, memory; a second quality with its sign changed)   minimised
// All in int64: sums of floating-point numbers depend on their order, and the front with them. A function of the sum
// that strictly rises (accuracy of a sum over stages) has the same front; a stage whose value is no sum of its blocks
// is one digit with a listed value each (kernels/base/digits.h).
//
// A point is dominated when another one is no worse in all objectives and better in one. Of architectures that are
// equal in all objectives the one of the lowest index counts, digit 0 most significant.
//
// Dynamic program over suffixes. F_k = front of the sums over digits k .. n-1; F_n = {0};
//   F_k = front of { t_k[v] + p : v value of digit k, p in F_{k+1} }, ties to the lowest v.
// Why this is the front, lowest indices included. Let x be the architecture of the lowest index at a point of the
// front.
//   1. Its suffix from k on is not dominated by another suffix: with it in x, x would be dominated.
//   2. It is the lowest of the suffixes with the same sums: with a lower one in x, x would have a lower index and the
//      same sums. So, by induction from the last digit, the suffix that F_k has kept for these sums is the one of x: of
//      the candidates with equal sums the lowest v wins, whatever follows, because digit k outranks all that follow,
//      and for one v there is one p.
//   3. A value v dominated by w within digit k is in no such x (swap in w), nor is one equal to w < v: both are
//      dropped.
// Had the program gone from digit 0 downwards, a tie would have to compare two prefixes digit by digit; from the last
// digit upwards it compares two values.
//
// Each F_k is a sorted staircase. The next one is the merge of its shifted copies, one a value: a tournament among
// their heads, of which the lowest latency is taken if it raises the running maximum of quality; a copy that falls
// below the maximum gallops to its first point above it, so that copies which are not competitive are hardly read. Cut
// at latencies, the merge falls into independent tiles: the maximum at a cut is known from one binary search a copy.
// Kept for the trace-back: 1 byte a point (value and the last 4 bits of the position in F_{k+1}; 2 or 4 bytes where
// more than 16 or 4,096 values are left) and every 16th latency, as the latency identifies a point of a staircase.
//
// Three objectives: sorted by (latency, quality, third), a staircase of (quality, third) tells what is dominated.
//
// Results do not depend on the number of threads.
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "oneproxy/kernels/additive/table.h"

namespace oneproxy {

struct AdditiveProblem {
  std::span<const std::uint32_t> radices;  // [n_digits], each >= 1
  AdditiveTable<std::int64_t> latency, quality;
  AdditiveTable<std::int64_t> third;  // both spans empty: two objectives
  // [1 or radices[0], sum of radices], 0: never take this value; empty: take all.
  std::span<const std::uint8_t> allowed;
  int n_objectives() const { return third.bias.empty() ? 2 : 3; }
};

struct AdditivePoint {
  std::int64_t latency = 0, quality = 0, third = 0;
};

struct AdditiveFrontSettings {
  // For the levels, without the scratch of the merge (at most some 25 MB a thread). Where the exact levels would pass
  // it, two objectives are thinned on a grid of quality, and the result says so by gap() > 0; three objectives are an
  // error.
  std::int64_t memory_bytes = std::int64_t{8} << 30;
};

class AdditiveFront {
 public:
  AdditiveFront();
  ~AdditiveFront();
  AdditiveFront(AdditiveFront&&) noexcept;
  AdditiveFront& operator=(AdditiveFront&&) noexcept;

  std::int64_t size() const;
  // Ascending latency; among equal latencies (three objectives) descending quality.
  AdditivePoint point(std::int64_t i) const;
  // digits [n_digits] of the architecture at point i.
  void digits(std::int64_t i, std::span<std::uint32_t> digits) const;
  // [size, n_digits], all of them, in parallel.
  std::vector<std::uint32_t> all_digits() const;
  // Last point with latency <= limit: the best quality within it (two objectives). -1: none.
  std::int64_t last_within(std::int64_t limit) const;

  // 0: exact. Else certified: for each architecture of the space there is a point here of no higher latency whose
  // quality is at most this much lower. Indices at ties are then not promised.
  std::int64_t gap() const;
  std::int64_t stored_points() const;  // of all levels
  std::int64_t peak_bytes() const;     // of the levels

  struct Implementation;

 private:
  friend AdditiveFront additive_front(const AdditiveProblem& problem, const AdditiveFrontSettings& settings);
  std::unique_ptr<Implementation> implementation_;
};

// Errors: lengths that do not fit, a radix of 0, a digit of which no value is allowed, sums that could pass 2^61 in
// magnitude, a memory budget in which nothing fits.
AdditiveFront additive_front(const AdditiveProblem& problem, const AdditiveFrontSettings& settings = {});

struct AdditiveBest {
  bool found = false;
  AdditivePoint point;
  std::vector<std::uint32_t> digits;  // [n_digits]; empty where nothing is within the limit
};

// The best quality within each limit; ties: lower latency, then the lowest index. Two objectives. Meets in the middle:
// the fronts A and B of two halves of the digits, once for all limits, then O(A + B) a limit; the front of the whole
// space, up to A x B points, is never made. Errors as additive_front.
std::vector<AdditiveBest> additive_best(const AdditiveProblem& problem, std::span<const std::int64_t> limits);

}  // namespace oneproxy
