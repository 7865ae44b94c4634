#include "oneproxy/kernels/additive/table.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "oneproxy/kernels/additive/table_detail.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"

namespace oneproxy {
namespace detail {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

// Places a digit in a table for any byte. Not 256: all digits would crowd into few sets of the cache.
constexpr std::int64_t kByteStride = 264;

// Tables whose entries stand at [table][digit][any byte]. A choice outside its radix meets NaN, so that only
// architectures of a NaN score need a check.
struct ByteTables {
  ByteTables(const AdditiveTable<double>& table, std::span<const std::uint8_t> radices)
      : n_digits(static_cast<std::int64_t>(radices.size())),
        weights(table.n_tables() * radices.size() * kByteStride, kMissing),
        bias(table.n_tables() == 1 ? 1 : 256, kMissing) {
    std::copy(table.bias.begin(), table.bias.end(), bias.begin());
    const double* from = table.weights.data();
    auto to = weights.begin();
    for (std::size_t t = 0; t < table.n_tables(); ++t)
      for (const std::uint8_t radix : radices) {
        std::copy_n(from, radix, to);
        from += radix;
        to += kByteStride;
      }
  }
  std::int64_t n_digits;
  std::vector<double> weights, bias;
};

// Several sums at a time, for each is a chain of additions that wait for one another.
template <int lanes, bool several_tables>
void score_rows(const ByteTables& tables, const std::uint8_t* choices, double* scores) {
  double sums[lanes];
  const double* weights[lanes];
  for (int lane = 0; lane < lanes; ++lane) {
    const std::uint8_t selected = several_tables ? choices[lane * tables.n_digits] : 0;
    sums[lane] = tables.bias[selected];
    // The bias of a table that does not exist is NaN, so that its weights do not matter.
    const bool exists = !several_tables || !std::isnan(sums[lane]);
    weights[lane] = tables.weights.data() + (exists ? selected : 0) * tables.n_digits * kByteStride;
  }
  for (std::int64_t d = 0, at = 0; d < tables.n_digits; ++d, at += kByteStride)
    for (int lane = 0; lane < lanes; ++lane)
      sums[lane] += weights[several_tables ? lane : 0][at + choices[lane * tables.n_digits + d]];
  std::copy_n(sums, lanes, scores);
}

template <bool several_tables>
void score_piece(const ByteTables& tables, const std::uint8_t* choices, std::int64_t n, double* scores) {
  constexpr int lanes = 4;
  std::int64_t arch = 0;
  for (; arch + lanes <= n; arch += lanes)
    score_rows<lanes, several_tables>(tables, choices + arch * tables.n_digits, scores + arch);
  for (; arch < n; ++arch) score_rows<1, several_tables>(tables, choices + arch * tables.n_digits, scores + arch);
}

bool fits(std::span<const std::uint8_t> radices, const std::uint8_t* choices) {
  return std::equal(radices.begin(), radices.end(), choices, std::greater<>());
}

}  // namespace

std::int64_t score_table_cpu(const AdditiveTable<double>& table, std::span<const std::uint8_t> radices,
                             std::span<const std::uint8_t> choices, std::span<double> scores) {
  const auto n = static_cast<std::int64_t>(scores.size()), n_digits = static_cast<std::int64_t>(radices.size());
  // Few architectures do not repay the tables by byte.
  if (n < static_cast<std::int64_t>(table.n_tables()) * kByteStride / 4) {
    for (std::int64_t arch = 0; arch < n; ++arch) {
      const std::uint8_t* own = choices.data() + arch * n_digits;
      if (!fits(radices, own)) return arch;
      scores[arch] = additive_score(table, radices, own);
    }
    return -1;
  }
  const ByteTables tables(table, radices);
  constexpr std::int64_t kPiece = 4096;
  std::vector<std::int64_t> bad(static_cast<std::size_t>((n + kPiece - 1) / kPiece), -1);  // [piece] its first one
  parallel_for(static_cast<std::int64_t>(bad.size()), [&](std::int64_t piece) {
    const std::int64_t begin = piece * kPiece, end = std::min(n, begin + kPiece);
    const auto score = table.n_tables() > 1 ? score_piece<true> : score_piece<false>;
    score(tables, choices.data() + begin * n_digits, end - begin, scores.data() + begin);
    for (std::int64_t arch = begin; arch < end; ++arch) {
      if (!std::isnan(scores[arch]) || fits(radices, choices.data() + arch * n_digits)) continue;
      bad[piece] = arch;
      break;
    }
  });
  const auto first = std::find_if(bad.begin(), bad.end(), [](std::int64_t arch) { return arch >= 0; });
  return first == bad.end() ? -1 : *first;
}

}  // namespace detail

namespace {

Error bad_choice(std::span<const std::uint8_t> radices, const std::uint8_t* choices, std::int64_t arch) {
  std::size_t d = 0;
  while (choices[d] < radices[d]) ++d;
  return Error("score_table: architecture " + std::to_string(arch) + " has choice " + std::to_string(choices[d]) +
               " at decision " + std::to_string(d) + " of radix " + std::to_string(radices[d]) +
               "; choices there are 0.." + std::to_string(radices[d] - 1));
}

}  // namespace

template <class Number, class Radix>
void check_table(const AdditiveTable<Number>& table, std::span<const Radix> radices, const std::string& what) {
  if (radices.empty()) throw Error(what + " has no digits; a table needs one at least");
  std::size_t width = 0;
  for (std::size_t d = 0; d < radices.size(); ++d) {
    if (radices[d] == 0)
      throw Error(what + ": digit " + std::to_string(d) + " has radix 0; a digit has at least one value");
    width += radices[d];
  }
  const std::size_t tables = table.bias.size();
  if (tables != 1 && tables != radices[0])
    throw Error(what + " has " + std::to_string(tables) + " tables; pass 1, or one for each of the " +
                std::to_string(radices[0]) + " values of digit 0");
  if (table.weights.size() != tables * width)
    throw Error(what + " has " + std::to_string(table.weights.size()) + " weights; " + std::to_string(tables) +
                " tables over " + std::to_string(width) + " values need " + std::to_string(tables * width));
}
template void check_table(const AdditiveTable<double>&, std::span<const std::uint8_t>, const std::string&);
template void check_table(const AdditiveTable<double>&, std::span<const std::uint32_t>, const std::string&);
template void check_table(const AdditiveTable<std::int64_t>&, std::span<const std::uint32_t>, const std::string&);

void score_table(const AdditiveTable<double>& table, std::span<const std::uint8_t> radices,
                 std::span<const std::uint8_t> choices, std::span<double> scores, Backend backend) {
  require_backend(backend);
  check_table(table, radices, "score_table: the table");
  if (choices.size() % radices.size() != 0 || choices.size() / radices.size() != scores.size())
    throw Error("score_table: " + std::to_string(choices.size()) + " choices for " + std::to_string(scores.size()) +
                " scores of " + std::to_string(radices.size()) +
                " decisions each; pass n * decisions choices and n scores");
  if (scores.empty()) return;
  std::int64_t bad = -1;
#ifdef ONEPROXY_HAS_CUDA
  if (backend == Backend::cuda)
    bad = detail::score_table_cuda(table, radices, choices, scores);
  else
#endif
    bad = detail::score_table_cpu(table, radices, choices, scores);
  if (bad >= 0) throw bad_choice(radices, choices.data() + bad * static_cast<std::int64_t>(radices.size()), bad);
}

}  // namespace oneproxy
