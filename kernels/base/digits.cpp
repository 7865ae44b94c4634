#include "oneproxy/kernels/base/digits.h"

#include <limits>
#include <string>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr ArchIndex kMax64 = std::numeric_limits<std::uint64_t>::max();

}  // namespace

ArchIndex DigitCode::size() const {
  ArchIndex size = 1;
  for (std::size_t d = 0; d < radices.size(); ++d) {
    if (radices[d] == 0) throw Error("digit " + std::to_string(d) + " has radix 0");
    if (size > ~ArchIndex{0} / radices[d])
      throw Error("a space of " + std::to_string(radices.size()) + " digits passes 2^128 architectures at digit " +
                  std::to_string(d) + "; fix some decisions");
    size *= radices[d];
  }
  return size;
}

void check_code(const DigitCode& code, const char* where) {
  const std::string place = std::string(where) + ": ";
  if (code.radices.empty()) throw Error(place + "a code without digits");
  if (code.parts < 1) throw Error(place + "parts = " + std::to_string(code.parts) + " should be 1 or more");
  code.size();
  std::uint64_t values = 0;
  for (const auto radix : code.radices) values += radix;
  if (code.rows.size() != values * code.parts)
    throw Error(place + "the code has " + std::to_string(code.rows.size()) + " rows, " + std::to_string(values) +
                " values of " + std::to_string(code.parts) + " parts need " + std::to_string(values * code.parts));
  for (std::size_t i = 0; i < code.rows.size(); ++i)
    if (code.rows[i] < -1 || code.rows[i] >= code.n_rows)
      throw Error(place + "value " + std::to_string(i / code.parts) + " of the code stands for row " +
                  std::to_string(code.rows[i]) + ", of " + std::to_string(code.n_rows));
}

DigitSplit split_digits(std::span<const std::uint32_t> radices) {
  // The split that makes the parts most alike, so that each round mixes as much as it can.
  DigitCode code{radices, 1, {}, 0};
  const ArchIndex size = code.size();
  DigitSplit best;
  ArchIndex best_larger = ~ArchIndex{0}, left = 1;
  for (int n = 0; n <= static_cast<int>(radices.size()); ++n) {
    const ArchIndex right = size / left, larger = left > right ? left : right;
    if (larger < best_larger) {
      best_larger = larger;
      best = {n, static_cast<std::uint64_t>(left), static_cast<std::uint64_t>(right)};
    }
    if (n < static_cast<int>(radices.size())) left *= radices[n];
  }
  if (best_larger > kMax64)
    throw Error("a space of " + to_decimal(size) +
                " architectures can not be shuffled: its digits do not split into "
                "two parts below 2^64; fix some decisions");
  return best;
}

}  // namespace oneproxy
