#pragma once
// The points (quality, third) that no later point of equal or higher latency may fail to beat: quality ascending, third
// ascending. Blocks of some dozens of points, so that an insertion moves little.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace oneproxy::detail {

class Staircase {
 public:
  // Some point has quality' >= quality and third' <= third.
  bool covers(std::int64_t quality, std::int64_t third) const {
    const std::size_t b = block_of(quality);
    if (b == blocks_.size()) return false;
    const Block& block = blocks_[b];
    return block.third[first_of(block, quality)] <= third;
  }

  // False where a point covers it; else it is added and what it covers leaves.
  bool add(std::int64_t quality, std::int64_t third) {
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
    std::int64_t quality[kMaxPoints], third[kMaxPoints];
  };

  static std::size_t first_not_below(const std::int64_t* values, std::size_t n, std::int64_t value) {
    const std::int64_t* base = values;  // no branch on the comparison: it is a coin toss
    while (n > 1) {
      const std::size_t half = n / 2;
      base += base[half - 1] < value ? half : 0;
      n -= half;
    }
    return static_cast<std::size_t>(base - values) + (n == 1 && *base < value);
  }
  std::size_t block_of(std::int64_t quality) const {
    return first_not_below(highest_.data(), highest_.size(), quality);
  }
  static int first_of(const Block& block, std::int64_t quality) {
    return static_cast<int>(first_not_below(block.quality, static_cast<std::size_t>(block.count), quality));
  }

  void erase(std::size_t b, int begin, int end) {
    Block& block = blocks_[b];
    std::copy(block.quality + end, block.quality + block.count, block.quality + begin);
    std::copy(block.third + end, block.third + block.count, block.third + begin);
    block.count -= end - begin;
  }

  void insert(std::size_t b, int at, std::int64_t quality, std::int64_t third) {
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
  std::vector<std::int64_t> highest_;  // quality of each block
};

}  // namespace oneproxy::detail
