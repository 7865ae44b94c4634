#include "oneproxy/kernels/score/cuda/plan.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy::detail {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::vector<std::uint32_t> digit_offsets(std::span<const std::uint32_t> radices) {
  std::vector<std::uint32_t> offsets(1, 0);
  for (const auto radix : radices) offsets.push_back(offsets.back() + radix);
  return offsets;
}

// sums [width of the model] += the rows that `value` (of all digits' values) stands for.
void add_value(const Mlp& mlp, const DigitCode& code, std::size_t value, double* sums) {
  for (int part = 0; part < code.parts; ++part) {
    const std::int32_t row = code.rows[value * code.parts + part];
    if (row < 0) continue;
    const double* from = mlp.rows.data() + static_cast<std::size_t>(row) * mlp.first_width;
    for (int j = 0; j < mlp.first_width; ++j) sums[j] += from[j];
  }
}

int hidden_layers(const Mlp& mlp) { return static_cast<int>(mlp.layers.size()) - 1; }

// Weights of hidden layer l, 0 beyond its size.
float weight_of(const DenseLayer& layer, int output, int input) {
  if (output >= layer.outputs || input >= layer.inputs) return 0;
  return static_cast<float>(layer.weights[static_cast<std::size_t>(output) * layer.inputs + input]);
}

int fixed_shared_bytes(const NarrowPlan& plan) {
  const int element = plan.precision == Precision::bf16 ? 2 : 4;
  return plan.layers * plan.width * plan.width * element + ((plan.layers + 1) * plan.width + 4) * 4;
}

}  // namespace

std::vector<DigitGroup> group_digits(std::span<const std::uint32_t> radices, const DigitSplit& split,
                                     std::uint64_t most, std::uint64_t most_last) {
  std::vector<DigitGroup> groups;
  std::uint64_t stride = 1;
  for (int d = static_cast<int>(radices.size()) - 1; d >= 0; --d) {
    if (d == split.left_digits - 1) stride = 1;
    const std::uint64_t limit = groups.size() <= 1 ? most_last : most;
    const bool left = d < split.left_digits;
    if (groups.empty() || groups.back().left != left || std::uint64_t{groups.back().radix} * radices[d] > limit) {
      groups.push_back({});
      groups.back().stride = stride;
      groups.back().left = left;
    }
    auto& group = groups.back();
    group.radix *= radices[d];
    group.first_digit = static_cast<std::uint32_t>(d);
    ++group.n_digits;
    stride *= radices[d];
  }
  std::reverse(groups.begin(), groups.end());
  std::uint64_t offset = 0;
  for (auto& group : groups) {
    group.offset = static_cast<std::uint32_t>(offset);
    offset += group.radix;
    if (offset >> 31) throw Error("score: the digits have more than 2^31 values; split them into smaller digits");
  }
  return groups;
}

Start start_at(const ArchRun& run, std::uint64_t position, const DigitSplit& split, std::uint64_t step) {
  Start start;
  auto& places = start.places;
  places.split = split;
  places.shuffled = run.shuffled;
  places.seed = run.seed;
  places.begin = run.begin + position;
  if (run.shuffled) return start;
  start.skip = static_cast<std::uint32_t>(places.begin % step);
  places.begin -= start.skip;
  places.left = static_cast<std::uint64_t>(places.begin / split.right);
  places.right = static_cast<std::uint64_t>(places.begin % split.right);
  return start;
}

// ---- the first layer ---------------------------------------------------------------------------------------------

FirstLayerTables first_layer_tables(const Mlp& mlp, const DigitCode& code, const DigitSplit& split, int width,
                                    std::uint64_t most_inner, std::int64_t most_bytes) {
  constexpr std::uint64_t most_outer = 4096;  // rows of a group: a few MB for all, which stay in the L2 cache
  FirstLayerTables tables;
  tables.width = width;
  tables.groups = group_digits(code.radices, split, most_outer, most_inner);
  tables.bias.assign(width, 0);
  for (int j = 0; j < mlp.first_width; ++j) tables.bias[j] = static_cast<float>(mlp.first_bias[j]);
  const auto offsets = digit_offsets(code.radices);
  const std::int64_t n_rows = std::int64_t{tables.groups.back().offset} + tables.groups.back().radix;
  if (n_rows * width > most_bytes / 4)
    throw Error("score: the first layer's table of " + std::to_string(n_rows) + " rows of " + std::to_string(width) +
                " passes " + std::to_string(most_bytes >> 20) +
                " MiB of device memory; use smaller digits or backend = \"cpu\"");
  tables.rows.assign(static_cast<std::size_t>(n_rows) * width, 0);
  std::vector<double> sums(mlp.first_width);
  std::vector<std::uint32_t> digits;
  for (const auto& group : tables.groups) {
    digits.resize(group.n_digits);
    for (std::uint32_t value = 0; value < group.radix; ++value) {
      decode_digits(value, code.radices.data() + group.first_digit, static_cast<int>(group.n_digits), digits.data());
      std::fill(sums.begin(), sums.end(), 0.0);
      for (std::uint32_t i = 0; i < group.n_digits; ++i)
        add_value(mlp, code, offsets[group.first_digit + i] + digits[i], sums.data());
      float* row = tables.rows.data() + static_cast<std::size_t>(group.offset + value) * width;
      for (int j = 0; j < mlp.first_width; ++j) row[j] = static_cast<float>(sums[j]);
    }
  }
  return tables;
}

// ---- narrow MLPs -------------------------------------------------------------------------------------------------

std::string to_string(const NarrowPlan& plan) {
  return std::string("fused ") + oneproxy::to_string(plan.precision) + ", " + std::to_string(plan.width) + " wide x " +
         std::to_string(plan.layers) + ", tiles of " +
         (plan.precision == Precision::fp32 ? "1" : std::to_string(16 * plan.m_tiles)) + ", inner table of " +
         std::to_string(plan.inner) + (plan.table_in_shared ? " in shared memory, " : " in the L2 cache, ") +
         std::to_string(plan.shared_bytes) + " B shared";
}

int narrow_width(const Mlp& mlp) {
  int widest = mlp.first_width;
  for (const auto& layer : mlp.layers) widest = std::max(widest, layer.outputs);
  if (mlp.layers.size() < 2 || widest > kNarrowMostWidth) return 0;
  return widest <= 32 ? 32 : widest <= 64 ? 64 : 128;
}

bool plan_narrow(const Mlp& mlp, Precision precision, const DeviceLimits& device, NarrowPlan& plan) {
  plan = {};
  plan.precision = precision;
  plan.width = narrow_width(mlp);
  plan.layers = hidden_layers(mlp);
  plan.m_tiles = precision == Precision::tf32 && plan.width == 128 ? 1 : 2;
  if (plan.width == 0 || precision == Precision::fp64) return false;
  // An architecture's activations, twice where layers follow each other, stay in one thread's registers.
  if (precision == Precision::fp32 && plan.width * (plan.layers > 1 ? 2 : 1) > 128) return false;
  plan.shared_bytes = fixed_shared_bytes(plan);
  // Lanes of a load: eight rows apart, or one row each for fp32.
  plan.table_stride = plan.width + (precision == Precision::fp32 ? 4 : precision == Precision::bf16 ? 16 : 8);
  return plan.shared_bytes <= device.shared_bytes;
}

std::uint64_t narrow_most_inner(const NarrowPlan& plan) {
  constexpr int most_table_bytes = 80 * 1024;
  return static_cast<std::uint64_t>(most_table_bytes / (4 * plan.table_stride));
}

void place_table(NarrowPlan& plan, std::uint32_t inner, const DeviceLimits& device) {
  plan.inner = inner;
  const std::int64_t bytes = std::int64_t{inner} * plan.table_stride * 4;
  plan.table_in_shared = fixed_shared_bytes(plan) + bytes <= device.shared_bytes;
  plan.shared_bytes = fixed_shared_bytes(plan) + (plan.table_in_shared ? static_cast<int>(bytes) : 0);
}

NarrowWeights pack_narrow(const Mlp& mlp, const NarrowPlan& plan) {
  NarrowWeights packed;
  const int width = plan.width;
  packed.vectors.assign(static_cast<std::size_t>(plan.layers + 1) * width + 1, 0);
  for (int l = 0; l < plan.layers; ++l) {
    const DenseLayer& layer = mlp.layers[l];
    const auto weight = [&](int output, int input) { return weight_of(layer, output, input); };
    if (plan.precision == Precision::bf16)
      for (int i = 0; i < packed_words<Bf16Layout>(width); ++i)
        packed.fragments.push_back(packed_word<Bf16Layout>(width, i, weight));
    else if (plan.precision == Precision::tf32)
      for (int i = 0; i < packed_words<Tf32Layout>(width); ++i)
        packed.fragments.push_back(packed_word<Tf32Layout>(width, i, weight));
    else
      for (int i = 0; i < width * width; ++i)
        packed.fragments.push_back(std::bit_cast<std::uint32_t>(weight(i / width, i % width)));
    for (int j = 0; j < layer.outputs; ++j) packed.vectors[l * width + j] = static_cast<float>(layer.bias[j]);
  }
  const DenseLayer& last = mlp.layers.back();
  for (int j = 0; j < last.inputs; ++j) packed.vectors[plan.layers * width + j] = static_cast<float>(last.weights[j]);
  packed.vectors.back() = static_cast<float>(last.bias[0]);
  return packed;
}

bool plan_fleet(const Mlp& shape, const DigitCode& code, const ArchRun& run, Precision precision,
                const DeviceLimits& device, FleetPlan& plan) {
  plan = {};
  const bool tensor_cores = precision == Precision::bf16 || precision == Precision::tf32;
  if (run.shuffled || run.count == 0 || !tensor_cores || !plan_narrow(shape, precision, device, plan.narrow))
    return false;
  const int n_digits = code.n_digits();
  // The cut of the digits that needs the fewest rows in all.
  const std::uint64_t most_rows =
      static_cast<std::uint64_t>(device.shared_bytes - plan.narrow.shared_bytes) / (4 * plan.narrow.table_stride);
  std::uint64_t inner = 1, fewest = most_rows + 1;
  for (int d = n_digits; d > 0 && inner <= most_rows; inner *= code.radices[--d]) {
    const auto skip = static_cast<std::uint64_t>(run.begin % inner);
    if (run.count > ~std::uint64_t{0} - 2 * inner) return false;
    const std::uint64_t n_base = (skip + run.count + inner - 1) / inner;
    if (inner + n_base >= fewest) continue;
    fewest = inner + n_base;
    plan.first_inner = d;
    plan.narrow.inner = static_cast<std::uint32_t>(inner);
    plan.n_base = static_cast<std::uint32_t>(n_base);
    plan.skip = static_cast<std::uint32_t>(skip);
  }
  if (fewest > most_rows) return false;
  plan.narrow.table_in_shared = true;
  plan.narrow.shared_bytes += static_cast<int>(fewest) * plan.narrow.table_stride * 4;

  const auto offsets = digit_offsets(code.radices);
  plan.n_values = offsets.back();
  std::vector<std::uint32_t> digits(n_digits);
  for (std::uint32_t o = 0; o < plan.n_base; ++o) {
    decode_digits(run.begin - plan.skip + static_cast<ArchIndex>(o) * plan.narrow.inner, code.radices.data(), n_digits,
                  digits.data());
    for (int d = 0; d < plan.first_inner; ++d) plan.base_rows.push_back(offsets[d] + digits[d]);
  }
  for (std::uint32_t i = 0; i < plan.narrow.inner; ++i) {
    decode_digits(i, code.radices.data(), n_digits, digits.data());
    for (int d = plan.first_inner; d < n_digits; ++d) plan.inner_rows.push_back(offsets[d] + digits[d]);
  }
  const auto width = static_cast<std::size_t>(plan.narrow.width);
  plan.stride = (plan.n_values + 1) * width + plan.narrow.layers * (width * width + width) + width + 1;
  return true;
}

void fleet_parameters(const Mlp& mlp, const DigitCode& code, const FleetPlan& plan, float* parameters) {
  const int width = plan.narrow.width;
  std::fill(parameters, parameters + plan.stride, 0.0f);
  std::vector<double> sums(mlp.first_width);
  for (std::uint32_t value = 0; value < plan.n_values; ++value, parameters += width) {
    std::fill(sums.begin(), sums.end(), 0.0);
    add_value(mlp, code, value, sums.data());
    for (int j = 0; j < mlp.first_width; ++j) parameters[j] = static_cast<float>(sums[j]);
  }
  for (int j = 0; j < mlp.first_width; ++j) parameters[j] = static_cast<float>(mlp.first_bias[j]);
  parameters += width;
  for (int l = 0; l < plan.narrow.layers; ++l) {
    const DenseLayer& layer = mlp.layers[l];
    for (int j = 0; j < layer.outputs; ++j)
      for (int k = 0; k < layer.inputs; ++k) parameters[j * width + k] = weight_of(layer, j, k);
    parameters += width * width;
    for (int j = 0; j < layer.outputs; ++j) parameters[j] = static_cast<float>(layer.bias[j]);
    parameters += width;
  }
  const DenseLayer& last = mlp.layers.back();
  for (int j = 0; j < last.inputs; ++j) parameters[j] = static_cast<float>(last.weights[j]);
  parameters[width] = static_cast<float>(last.bias[0]);
}

// ---- tables ------------------------------------------------------------------------------------------------------

Leaf leaf_digits(std::span<const std::uint32_t> radices, const DigitSplit& split, bool digit_0_selects) {
  constexpr std::uint32_t most = 256, longest_segment = 64;
  const int n = static_cast<int>(radices.size()), least = std::max(split.left_digits, digit_0_selects ? 1 : 0);
  Leaf leaf{n, 1, 1, 1, 1};
  while (leaf.first > least && std::uint64_t{leaf.size} * radices[leaf.first - 1] <= most)
    leaf.size *= radices[--leaf.first];
  if (leaf.first == n && n > least) leaf.size = radices[--leaf.first];  // one long digit
  if (leaf.first < n) leaf.last = radices[n - 1];
  leaf.segment = leaf.last;
  if (leaf.first == n - 1 && leaf.last > most) {
    leaf.segment = longest_segment;
    leaf.segments = (leaf.last + longest_segment - 1) / longest_segment;
  }
  return leaf;
}

// ---- chunks and rounds -------------------------------------------------------------------------------------------

std::int64_t wide_rows(int widest, int element_bytes, std::int64_t l2_bytes) {
  // Two layers' activations and some room for weights and tables.
  const std::int64_t rows = l2_bytes * 7 / 8 / (2 * std::int64_t{widest} * element_bytes);
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(rows) | 1)), 1024,
                                  1 << 18);
}

Rounds::Rounds(std::uint64_t capacity, std::uint64_t most, std::uint64_t scored)
    : capacity_(capacity), most_(most), ceiling_(most) {
  const std::uint64_t first = std::min<std::uint64_t>(4096, capacity);
  size_ = std::min(most, std::max(first, scored > most / 4 ? most : 4 * scored));
}

bool Rounds::survived(std::uint64_t survivors) {
  if (survivors > capacity_) {
    // At most `capacity` architectures leave at most `capacity` survivors: these always fit.
    ceiling_ = std::max(size_ / 2, std::min(capacity_, most_));
    size_ = std::max(std::min(size_ / 8, capacity_), std::uint64_t{1});
    return false;
  }
  ceiling_ = std::min(most_, ceiling_ > most_ / 2 ? most_ : 2 * ceiling_);  // the next ones may be easier
  if (survivors < capacity_ / 8) size_ = std::min(ceiling_, size_ > most_ / 4 ? most_ : 4 * size_);
  return true;
}

std::vector<std::uint64_t> piece_borders(std::uint64_t count, int n) {
  std::vector<std::uint64_t> borders;
  for (int i = 0; i <= n; ++i) borders.push_back(static_cast<std::uint64_t>(static_cast<ArchIndex>(count) * i / n));
  return borders;
}

// ---- filters -----------------------------------------------------------------------------------------------------

Filter FilterArrays::view() const {
  Filter view = filter;
  view.reached = reached.data();
  view.limits = limits.data();
  view.edges = edges.data();
  return view;
}

FilterArrays make_filter(const Reduction& reduction) {
  const auto& settings = reduction.settings();
  const bool exact = reduction.gave_up_margins();
  const double latency_margin = exact ? 0 : settings.latency_margin;
  const double quality_margin = exact ? 0 : settings.quality_margin;
  // Rounded away from the value, so that a sum with a margin rules out nothing more than the margin says.
  const auto up = [](double x, double margin) { return margin > 0 ? std::nextafter(x + margin, kInfinity) : x; };
  const auto down = [](double x, double margin) { return margin > 0 ? std::nextafter(x - margin, -kInfinity) : x; };

  FilterArrays arrays;
  Filter& filter = arrays.filter;
  filter.front = settings.front;
  arrays.reached.assign(kFilterBins, std::numeric_limits<double>::quiet_NaN());  // rules out nothing
  if (settings.front) {
    std::vector<Candidate> front = reduction.front();
    arrays.points += front.size();
    std::erase_if(front, [](const Candidate& point) { return !std::isfinite(point.latency); });
    if (!front.empty()) {
      // A point counts below all bins that lie wholly above its latency and both margins.
      filter.bins_from = up(front.front().latency, 2 * latency_margin);
      const double span = up(front.back().latency, 2 * latency_margin) - filter.bins_from;
      filter.bins_scale = span > 0 ? (kFilterBins - 2) / span : 1e9;  // one latency: what is slower is in higher bins
      if (!std::isfinite(filter.bins_scale)) filter.bins_scale = 0;
      std::vector<double> best(kFilterBins, std::numeric_limits<double>::quiet_NaN());
      for (const auto& point : front) {
        const int bin = filter_bin(filter, up(point.latency, 2 * latency_margin));
        best[bin] = std::fmax(best[bin], down(point.quality, 2 * quality_margin));
      }
      for (int b = 1; b < kFilterBins; ++b) arrays.reached[b] = std::fmax(arrays.reached[b - 1], best[b - 1]);
    }
  }
  if (settings.best > 0) {
    filter.n_limits = static_cast<int>(settings.limits.size());
    for (int i = 0; i < filter.n_limits; ++i) {
      const double limit = settings.limits[i], surely = down(limit, latency_margin);
      int within = 0;
      double edge = -kInfinity;
      const auto best = reduction.best(i);
      arrays.points += best.size();
      for (const auto& point : best)
        if (point.latency <= surely && ++within == settings.best) edge = down(point.quality, 2 * quality_margin);
      arrays.limits.push_back(up(limit, latency_margin));
      arrays.edges.push_back(edge);
    }
  }
  return arrays;
}

// ---- errors ------------------------------------------------------------------------------------------------------

double mlp_error_bound_cuda(const Mlp& mlp, const DigitCode& code, Precision precision) {
  if (precision == Precision::fp64) return 0;
  constexpr double single = 0x1p-24;  // of storage in fp32
  // Of an activation or a weight as a factor; tensor cores may cut tf32 instead of rounding it. Sums on tensor cores
  // keep fewer bits than fp32 does when they align the terms.
  const double factor = precision == Precision::bf16 ? 0x1p-8 : precision == Precision::tf32 ? 0x1p-10 : single;
  const double addition = precision == Precision::fp32 ? 0x1p-23 : 0x1p-21;
  constexpr double tiny = 1e-36;  // for what underflows

  // Ranges [low, high] of the exact values before ReLU, and the error of the fast ones.
  const auto width = static_cast<std::size_t>(mlp.first_width);
  std::vector<double> low(mlp.first_bias.begin(), mlp.first_bias.end()), high = low, error(width), size(width);
  for (std::size_t j = 0; j < width; ++j) size[j] = std::abs(low[j]);
  std::size_t value = 0;
  std::vector<double> sums(width), least(width), most(width);
  for (const auto radix : code.radices) {
    std::fill(least.begin(), least.end(), kInfinity);
    std::fill(most.begin(), most.end(), -kInfinity);
    for (std::uint32_t v = 0; v < radix; ++v, ++value) {
      std::fill(sums.begin(), sums.end(), 0.0);
      add_value(mlp, code, value, sums.data());
      for (std::size_t j = 0; j < width; ++j) {
        least[j] = std::min(least[j], sums[j]);
        most[j] = std::max(most[j], sums[j]);
      }
    }
    for (std::size_t j = 0; j < width; ++j) {
      low[j] += least[j];
      high[j] += most[j];
      size[j] += std::max(std::abs(least[j]), std::abs(most[j]));
    }
  }
  const double n_sums = 2.0 * (static_cast<double>(code.radices.size()) + 4);
  for (std::size_t j = 0; j < width; ++j) error[j] = n_sums * single * size[j] + tiny;

  double largest = *std::max_element(size.begin(), size.end());
  for (const auto& layer : mlp.layers) {
    const double terms = layer.inputs + 2.0;
    std::vector<double> next_low, next_high, next_error;
    for (int i = 0; i < layer.outputs; ++i) {
      double from = layer.bias[i], to = from, wrong = std::abs(layer.bias[i]) * factor, total = std::abs(layer.bias[i]);
      for (int j = 0; j < layer.inputs; ++j) {
        const double weight = layer.weights[static_cast<std::size_t>(i) * layer.inputs + j];
        const double a_low = std::max(low[j], 0.0), a_high = std::max(high[j], 0.0);
        const double a_wrong = error[j] + factor * (a_high + error[j]) + tiny, a = a_high + a_wrong;
        const double w = std::abs(weight) * (1 + factor) + tiny;
        from += std::min(weight * a_low, weight * a_high);
        to += std::max(weight * a_low, weight * a_high);
        wrong += w * a_wrong + (std::abs(weight) * factor + tiny) * a_high;
        total += w * a;
      }
      largest = std::max(largest, total);
      next_low.push_back(from);
      next_high.push_back(to);
      next_error.push_back(wrong + terms * addition * total + tiny);
    }
    low.swap(next_low);
    high.swap(next_high);
    error.swap(next_error);
  }
  if (!(largest < 1e37)) return kInfinity;
  return error[0] * (1 + 1e-9);  // the rounding of this bound itself
}

}  // namespace oneproxy::detail
