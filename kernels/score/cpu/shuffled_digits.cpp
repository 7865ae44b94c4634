#include "oneproxy/kernels/score/cpu/shuffled_digits.h"

namespace oneproxy::detail {
namespace {

// Digits of one part of a shuffled index. Division by a radix d is a multiplication by m = floor(2^64 / d) + 1:
// floor(n m / 2^64) = floor(n / d) wherever n d < 2^64, for n m / 2^64 exceeds n / d by less than 1 / d.
class PartDecoder {
 public:
  PartDecoder(std::span<const std::uint32_t> radices, std::uint64_t size) : radices_(radices) {
    for (const auto radix : radices_) {
      multiplies_ = multiplies_ && size <= ~std::uint64_t{0} / radix && radix > 1;
      multipliers_.push_back(radix > 1 ? ~std::uint64_t{0} / radix + 1 : 0);
    }
  }

  void decode(std::uint64_t n, std::uint32_t* digits) const {
    if (!multiplies_) return decode_digits(n, radices_.data(), static_cast<int>(radices_.size()), digits);
    for (std::size_t d = radices_.size(); d-- > 0;) {
      const auto quotient = static_cast<std::uint64_t>((static_cast<ArchIndex>(n) * multipliers_[d]) >> 64);
      digits[d] = static_cast<std::uint32_t>(n - quotient * radices_[d]);
      n = quotient;
    }
  }

 private:
  std::span<const std::uint32_t> radices_;
  std::vector<std::uint64_t> multipliers_;
  bool multiplies_ = true;
};

}  // namespace

std::vector<std::uint32_t> shuffled_digits(std::span<const std::uint32_t> radices, const IndexRange& run,
                                           const DigitSplit& split, std::uint64_t first, std::int64_t count) {
  const auto width = static_cast<int>(radices.size());
  const PartDecoder of_left(radices.first(split.left_digits), split.left);
  const PartDecoder of_right(radices.subspan(split.left_digits), split.right);
  std::vector<std::uint32_t> digits(static_cast<std::size_t>(count) * width);
  const auto keys = shuffle_keys(run.seed);
  const ArchIndex begin = run.begin + first;
  auto left_place = static_cast<std::uint64_t>(begin / split.right);
  auto right_place = static_cast<std::uint64_t>(begin % split.right);
  for (std::int64_t i = 0; i < count; ++i) {
    std::uint64_t left = left_place, right = right_place;
    shuffle_rounds(keys, split, left, right);
    std::uint32_t* own = digits.data() + i * width;
    of_left.decode(left, own);
    of_right.decode(right, own + split.left_digits);
    if (++right_place == split.right) right_place = 0, ++left_place;
  }
  return digits;
}

}  // namespace oneproxy::detail
