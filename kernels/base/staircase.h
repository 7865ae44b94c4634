#pragma once
// Which pairs (quality, third) a set of points reaches; quality is maximised, third minimised. Points of three
// objectives come by ascending latency: what the staircase covers is then dominated. Its points are ascending in both,
// in blocks of some dozens, so that an insertion moves little.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace oneproxy::detail {

// Number: std::int64_t, or double without NaN.
template <class Number>
class Staircase {
 public:
  // Some point has quality' >= quality (strictly: > quality) and third' <= third.
  template <bool strictly = false>
  bool covers(Number quality, Number third) const {
    const std::size_t b = first_not_below<strictly>(highest_.data(), highest_.size(), quality);
    if (b == blocks_.size()) return false;
    const Block& block = blocks_[b];
    return block.third[first_not_below<strictly>(block.quality, static_cast<std::size_t>(block.count), quality)] <=
           third;
  }

  // False where a point covers it; else it is added and what it covers leaves.
  bool add(Number quality, Number third) {
    std::size_t b = block_of(quality);
    if (b == blocks_.size()) {
      if (blocks_.empty()) {
        blocks_.emplace_back();
        highest_.push_back(quality);
      }
      b = blocks_.size() - 1;
    }
    int at = first_of(blocks_[b], quality);
    if (at < blocks_[b].count && blocks_[b].third[at] <= third) return false;
    // What it covers: an equal quality at `at`, and those before with third' >= third.
    int end = at < blocks_[b].count && blocks_[b].quality[at] == quality ? at + 1 : at;
    int begin = at;
    while (begin > 0 && blocks_[b].third[begin - 1] >= third) --begin;
    erase(b, begin, end);
    if (begin == 0) {
      std::size_t first = b;
      while (first > 0 && blocks_[first - 1].third[0] >= third) --first;
      blocks_.erase(blocks_.begin() + first, blocks_.begin() + b);
      highest_.erase(highest_.begin() + first, highest_.begin() + b);
      b = first;
      if (b > 0) {
        Block& before = blocks_[b - 1];
        while (before.third[before.count - 1] >= third) --before.count;
        highest_[b - 1] = before.quality[before.count - 1];
      }
    }
    insert(b, begin, quality, third);
    return true;
  }

  template <typename Visit>
  void for_each(const Visit& visit) const {
    for (const Block& block : blocks_)
      for (int i = 0; i < block.count; ++i) visit(block.quality[i], block.third[i]);
  }

  std::int64_t size() const {
    std::int64_t n = 0;
    for (const Block& block : blocks_) n += block.count;
    return n;
  }

 private:
  static constexpr int kMaxPoints = 64;
  struct Block {
    int count = 0;
    Number quality[kMaxPoints], third[kMaxPoints];
  };

  template <bool strictly>
  static std::size_t first_not_below(const Number* values, std::size_t n, Number value) {
    const auto below = [value](Number x) { return strictly ? x <= value : x < value; };
    const Number* base = values;  // no branch on the comparison: it is a coin toss
    while (n > 1) {
      const std::size_t half = n / 2;
      base += below(base[half - 1]) ? half : 0;
      n -= half;
    }
    return static_cast<std::size_t>(base - values) + (n == 1 && below(*base));
  }
  std::size_t block_of(Number quality) const {
    return first_not_below<false>(highest_.data(), highest_.size(), quality);
  }
  static int first_of(const Block& block, Number quality) {
    return static_cast<int>(first_not_below<false>(block.quality, static_cast<std::size_t>(block.count), quality));
  }

  void erase(std::size_t b, int begin, int end) {
    Block& block = blocks_[b];
    std::copy(block.quality + end, block.quality + block.count, block.quality + begin);
    std::copy(block.third + end, block.third + block.count, block.third + begin);
    block.count -= end - begin;
  }

  void insert(std::size_t b, int at, Number quality, Number third) {
    if (blocks_[b].count == kMaxPoints) {
      blocks_.insert(blocks_.begin() + b + 1, Block());
      highest_.insert(highest_.begin() + b + 1, highest_[b]);
      Block &low = blocks_[b], &high = blocks_[b + 1];
      low.count = high.count = kMaxPoints / 2;
      std::copy(low.quality + kMaxPoints / 2, low.quality + kMaxPoints, high.quality);
      std::copy(low.third + kMaxPoints / 2, low.third + kMaxPoints, high.third);
      highest_[b] = low.quality[low.count - 1];
      if (at > kMaxPoints / 2) {
        ++b;
        at -= kMaxPoints / 2;
      }
    }
    Block& block = blocks_[b];
    std::copy_backward(block.quality + at, block.quality + block.count, block.quality + block.count + 1);
    std::copy_backward(block.third + at, block.third + block.count, block.third + block.count + 1);
    block.quality[at] = quality;
    block.third[at] = third;
    ++block.count;
    highest_[b] = block.quality[block.count - 1];
  }

  std::vector<Block> blocks_;
  std::vector<Number> highest_;  // quality of each block
};

}  // namespace oneproxy::detail
