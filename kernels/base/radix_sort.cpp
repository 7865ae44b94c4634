#include "oneproxy/kernels/base/radix_sort.h"

#include <array>
#include <cmath>
#include <cstdlib>
#include <mutex>
#include <new>
#include <numeric>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace oneproxy {
namespace {

constexpr std::int64_t insertion_limit = 24;
constexpr int max_digit_bits = 11;
constexpr int spare_bits = 7;  // bits beyond those that number n items: few items are left equal by chance
constexpr std::int64_t target_bucket = std::int64_t{1} << 13;  // 128 KiB of items and as much scratch: in L2

using DigitCounts = std::array<std::uint32_t, std::size_t{1} << max_digit_bits>;

int bit_width(std::uint64_t x) { return static_cast<int>(std::bit_width(x)); }

void insertion_sort(KeyValue* items, std::int64_t n) {
  for (std::int64_t i = 1; i < n; ++i) {
    const KeyValue item = items[i];
    std::int64_t j = i;
    for (; j > 0 && items[j - 1].key > item.key; --j) items[j] = items[j - 1];
    items[j] = item;
  }
}

void counts_to_positions(std::uint32_t* count, std::uint64_t size) {
  std::uint32_t sum = 0;
  for (std::uint64_t digit = 0; digit < size; ++digit) sum += std::exchange(count[digit], sum);
}

}  // namespace

namespace {

constexpr std::size_t huge_page = std::size_t{1} << 21;
constexpr std::size_t max_spare_bytes = std::size_t{256} << 20;

// Large arrays that nobody uses now.
class SpareArrays {
 public:
  ~SpareArrays() {
    for (const auto& spare : arrays_) std::free(spare.memory);
  }

  // One of `bytes` or up to twice as many, whose size `bytes` becomes; nullptr where there is none.
  void* take(std::size_t& bytes) {
    const std::lock_guard lock(mutex_);
    for (auto it = arrays_.begin(); it != arrays_.end(); ++it) {
      if (it->bytes < bytes || it->bytes > 2 * bytes) continue;
      bytes = it->bytes;
      void* const memory = it->memory;
      total_ -= bytes;
      arrays_.erase(it);
      return memory;
    }
    return nullptr;
  }

  void give(void* memory, std::size_t bytes) {
    {
      const std::lock_guard lock(mutex_);
      if (total_ + bytes <= max_spare_bytes) {
        arrays_.push_back({memory, bytes});
        total_ += bytes;
        return;
      }
    }
    std::free(memory);
  }

 private:
  struct Spare {
    void* memory;
    std::size_t bytes;
  };
  std::mutex mutex_;
  std::vector<Spare> arrays_;
  std::size_t total_ = 0;
};

SpareArrays& spare_arrays() {
  static SpareArrays arrays;
  return arrays;
}

}  // namespace

void FreeItems::operator()(KeyValue* items) const {
  if (bytes >= 2 * huge_page) {
    spare_arrays().give(items, bytes);
  } else {
    std::free(items);
  }
}

ItemArray make_items(std::int64_t n) {
  std::size_t bytes = std::max<std::size_t>(static_cast<std::size_t>(n) * sizeof(KeyValue), 1);
  void* memory = nullptr;
  if (bytes >= 2 * huge_page) {
    bytes = (bytes + huge_page - 1) / huge_page * huge_page;
    memory = spare_arrays().take(bytes);
    if (memory == nullptr) {
      memory = std::aligned_alloc(huge_page, bytes);
#if defined(__linux__)
      if (memory != nullptr) madvise(memory, bytes, MADV_HUGEPAGE);  // advice only: without huge pages it is slower
#endif
    }
  } else {
    memory = std::malloc(bytes);
  }
  if (memory == nullptr) throw std::bad_alloc();
  return ItemArray(static_cast<KeyValue*>(memory), FreeItems{bytes});
}

void sort_items(KeyValue* items, KeyValue* scratch, std::int64_t n) {
  if (n <= insertion_limit) return insertion_sort(items, n);
  std::uint64_t varying = 0;
  for (std::int64_t i = 1; i < n; ++i) varying |= items[i].key ^ items[0].key;
  if (varying == 0) return;

  const int top = bit_width(varying), lowest = std::countr_zero(varying);
  const int bits = std::min({top - lowest, bit_width(n) + spare_bits, 2 * max_digit_bits});
  const int low = top - bits;
  const int bits_0 = (bits + 1) / 2, bits_1 = bits - bits_0;
  const std::uint64_t mask_0 = (std::uint64_t{1} << bits_0) - 1, mask_1 = (std::uint64_t{1} << bits_1) - 1;
  DigitCounts count_0, count_1;
  std::fill_n(count_0.begin(), mask_0 + 1, 0);
  std::fill_n(count_1.begin(), mask_1 + 1, 0);
  for (std::int64_t i = 0; i < n; ++i) {
    ++count_0[(items[i].key >> low) & mask_0];
    ++count_1[(items[i].key >> (low + bits_0)) & mask_1];
  }
  counts_to_positions(count_0.data(), mask_0 + 1);
  counts_to_positions(count_1.data(), mask_1 + 1);
  for (std::int64_t i = 0; i < n; ++i) scratch[count_0[(items[i].key >> low) & mask_0]++] = items[i];
  for (std::int64_t i = 0; i < n; ++i) items[count_1[(scratch[i].key >> (low + bits_0)) & mask_1]++] = scratch[i];
  if (low == lowest) return;

  for (std::int64_t begin = 0; begin < n;) {
    const std::uint64_t lead = items[begin].key >> low;
    std::int64_t end = begin + 1;
    while (end < n && items[end].key >> low == lead) ++end;
    if (end - begin > 1) sort_items(items + begin, scratch, end - begin);
    begin = end;
  }
}

namespace {

// Fills entries [n] with (place << 32 | index) by ascending place; scratch [n]. False where infinities or
// extremes leave no finite scale.
bool order_by_place(std::span<const double> x, std::uint64_t* entries, std::uint64_t* scratch) {
  const auto n = static_cast<std::int64_t>(x.size());
  // Several minima side by side: one alone waits for its own latency.
  constexpr std::int64_t lanes = 4;
  double least[lanes], largest[lanes];
  std::fill_n(least, lanes, x[0]);
  std::fill_n(largest, lanes, x[0]);
  for (std::int64_t i = 0; i + lanes <= n; i += lanes)
    for (std::int64_t lane = 0; lane < lanes; ++lane) {
      least[lane] = std::min(least[lane], x[i + lane]);
      largest[lane] = std::max(largest[lane], x[i + lane]);
    }
  for (std::int64_t i = n / lanes * lanes; i < n; ++i) {
    least[0] = std::min(least[0], x[i]);
    largest[0] = std::max(largest[0], x[i]);
  }
  const double low = *std::min_element(least, least + lanes), high = *std::max_element(largest, largest + lanes);

  const int bits = std::min(bit_width(n) + spare_bits, 2 * max_digit_bits);
  const int bits_0 = (bits + 1) / 2, bits_1 = bits - bits_0;
  const std::uint64_t mask_0 = (std::uint64_t{1} << bits_0) - 1;
  const double scale = low == high ? 0 : static_cast<double>((std::uint64_t{1} << bits) - 1) / (high - low);
  if (!std::isfinite(high - low) || !std::isfinite(scale)) return false;

  DigitCounts count_0, count_1;
  std::fill_n(count_0.begin(), std::size_t{1} << bits_0, 0);
  std::fill_n(count_1.begin(), std::size_t{1} << bits_1, 0);
  for (std::int64_t i = 0; i < n; ++i) {
    // Subtraction, product and truncation are monotone, so places are in the order of the values.
    const auto place = static_cast<std::uint64_t>(static_cast<std::int64_t>((x[i] - low) * scale));
    entries[i] = place << 32 | static_cast<std::uint64_t>(i);
    ++count_0[place & mask_0];
    ++count_1[place >> bits_0];
  }
  counts_to_positions(count_0.data(), std::uint64_t{1} << bits_0);
  counts_to_positions(count_1.data(), std::uint64_t{1} << bits_1);
  for (std::int64_t i = 0; i < n; ++i) scratch[count_0[(entries[i] >> 32) & mask_0]++] = entries[i];
  for (std::int64_t i = 0; i < n; ++i) entries[count_1[scratch[i] >> (32 + bits_0)]++] = scratch[i];
  return true;
}

}  // namespace

const std::uint64_t* order_by_value(std::span<const double> x, std::uint64_t* scratch) {
  const auto n = static_cast<std::int64_t>(x.size());
  if (n <= insertion_limit) {
    std::iota(scratch, scratch + n, std::uint64_t{0});  // all in one place: sorted below
  } else if (!order_by_place(x, scratch, scratch + n)) {
    return nullptr;
  }
  std::int64_t moves_left = std::max(4 * n, insertion_limit * insertion_limit);
  for (std::int64_t i = 1; i < n; ++i) {
    if (!same_place(scratch[i], scratch[i - 1])) continue;
    const std::uint64_t entry = scratch[i];
    const double value = x[entry_index(entry)];
    std::int64_t j = i;
    for (; j > 0 && same_place(scratch[j - 1], entry) && x[entry_index(scratch[j - 1])] > value; --j)
      scratch[j] = scratch[j - 1];
    scratch[j] = entry;
    moves_left -= i - j;
    if (moves_left < 0) return nullptr;
  }
  return scratch;
}

BucketPlan plan_chunks(std::int64_t n) {
  constexpr std::int64_t chunk_limit = std::int64_t{1} << 31;  // counts of a chunk are 32 bit
  BucketPlan plan;
  plan.n = n;
  plan.n_chunks =
      std::max<std::int64_t>(std::min<std::int64_t>(4 * thread_count(), n / (parallel_from / 4)), n / chunk_limit + 1);
  return plan;
}

void plan_window(BucketPlan& plan, std::uint64_t varying) {
  const int top = bit_width(varying);
  const int window = std::min(top, std::clamp(bit_width(plan.n) - 5, 10, 20));
  plan.shift = top - window;
  plan.mask = (std::uint64_t{1} << window) - 1;
}

void plan_buckets(BucketPlan& plan, const std::vector<std::vector<std::uint32_t>>& counts) {
  const std::int64_t target = std::max(target_bucket, plan.n >> 12);
  plan.bucket_of.resize(plan.mask + 1);
  plan.begin.assign(1, 0);
  // Neighbouring window values share a bucket until it holds `target` items.
  std::int64_t in_bucket = 0;
  for (std::uint64_t w = 0; w <= plan.mask; ++w) {
    std::int64_t here = 0;
    for (const auto& count : counts) here += count[w];
    if (in_bucket > 0 && in_bucket + here > target) {
      plan.begin.push_back(plan.begin.back() + in_bucket);
      in_bucket = 0;
    }
    in_bucket += here;
    plan.bucket_of[w] = static_cast<std::uint32_t>(plan.begin.size() - 1);
  }
  plan.begin.push_back(plan.begin.back() + in_bucket);

  const std::size_t n_buckets = plan.begin.size() - 1;
  plan.position.assign(counts.size() * n_buckets, 0);
  std::vector<std::int64_t> next(plan.begin.begin(), plan.begin.end() - 1);
  for (std::size_t chunk = 0; chunk < counts.size(); ++chunk) {
    std::int64_t* position = plan.position.data() + chunk * n_buckets;
    for (std::uint64_t w = 0; w <= plan.mask; ++w) position[plan.bucket_of[w]] += counts[chunk][w];
    for (std::size_t b = 0; b < n_buckets; ++b) next[b] += std::exchange(position[b], next[b]);
  }
}

}  // namespace oneproxy
