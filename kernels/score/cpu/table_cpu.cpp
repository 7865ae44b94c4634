#include "oneproxy/kernels/score/cpu/table_cpu.h"

#include <algorithm>

namespace oneproxy::detail {
namespace {

constexpr std::uint64_t kMaxInner = 4096;  // sums that stay in the first-level cache

// longer[i * radix + c] = sums[i] + weights[c]. A radix that the compiler knows makes a row a few vectors.
template <int fixed_radix>
void extend(const double* __restrict sums, std::uint64_t n, const double* __restrict weights, std::uint32_t any_radix,
            double* __restrict longer) {
  const std::uint32_t radix = fixed_radix > 0 ? fixed_radix : any_radix;
  for (std::uint64_t i = 0; i < n; ++i)
    for (std::uint32_t c = 0; c < radix; ++c) longer[i * radix + c] = sums[i] + weights[c];
}

using Extend = void (*)(const double* __restrict, std::uint64_t, const double* __restrict, std::uint32_t,
                        double* __restrict);

Extend extend_by(std::uint32_t radix) {
  constexpr Extend any = extend<0>;
  constexpr Extend fixed[] = {any,       extend<1>, extend<2>, extend<3>, extend<4>,
                              extend<5>, extend<6>, extend<7>, extend<8>, extend<9>};
  return radix < std::size(fixed) ? fixed[radix] : any;
}

}  // namespace

TableCpu::TableCpu(const AdditiveTable<double>& table, const OwnedCode& code)
    : radices_(code.radices),
      offsets_(code.offsets),
      weights_(table.weights.begin(), table.weights.end()),
      bias_(table.bias.begin(), table.bias.end()),
      table_length_(weights_.size() / bias_.size()),
      inner_(inner_digits(radices_, kMaxInner)) {
  // Digit 0 selects the table, so that it can not vary within a block.
  if (bias_.size() > 1 && inner_.first == 0) inner_ = {1, inner_.count / radices_[0]};
}

const double* TableCpu::weights(const std::uint32_t* digits) const {
  return weights_.data() + (bias_.size() > 1 ? digits[0] * table_length_ : 0);
}

double TableCpu::prefix(const std::uint32_t* digits, int n) const {
  return add_entries(bias_[bias_.size() > 1 ? digits[0] : 0], weights(digits), radices_.data(), digits, n);
}

void TableCpu::score_range(ArchIndex begin, std::int64_t count, double* scores) const {
  const int n_digits = static_cast<int>(radices_.size());
  std::vector<std::uint32_t> digits(n_digits);
  std::vector<double> block(inner_.count), sums(inner_.count);
  decode_digits(begin, radices_.data(), n_digits, digits.data());
  auto from = static_cast<std::uint64_t>(begin % inner_.count);  // of the block that holds `begin`
  for (auto left = static_cast<std::uint64_t>(count); left > 0; from = 0) {
    const std::uint64_t n = std::min(left, inner_.count - from);
    const double* w = weights(digits.data());
    const bool whole = n == inner_.count;
    double* target = whole ? scores : block.data();
    // One digit after another; the buffers alternate so that the last sums land in the target.
    double* from_sums = (n_digits - inner_.first) % 2 ? sums.data() : target;
    double* to_sums = (n_digits - inner_.first) % 2 ? target : sums.data();
    from_sums[0] = prefix(digits.data(), inner_.first);
    std::uint64_t length = 1;
    for (int d = inner_.first; d < n_digits; ++d) {
      extend_by(radices_[d])(from_sums, length, w + offsets_[d], radices_[d], to_sums);
      length *= radices_[d];
      std::swap(from_sums, to_sums);
    }
    if (!whole) std::copy_n(block.data() + from, n, scores);
    scores += n;
    left -= n;
    for (int d = inner_.first - 1; d >= 0; --d) {  // the next block
      if (++digits[d] < radices_[d]) break;
      digits[d] = 0;
    }
  }
}

void TableCpu::score_digits(const std::uint32_t* digits, std::int64_t n, double* scores) const {
  const int n_digits = static_cast<int>(radices_.size());
  for (std::int64_t i = 0; i < n; ++i) scores[i] = prefix(digits + i * n_digits, n_digits);
}

}  // namespace oneproxy::detail
