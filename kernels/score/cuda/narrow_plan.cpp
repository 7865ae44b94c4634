#include "oneproxy/kernels/score/cuda/narrow_plan.h"

#include <algorithm>
#include <bit>

#include "oneproxy/kernels/score/cuda/mma_layout.h"

namespace oneproxy::detail {
namespace {

int hidden_layers(const Mlp& mlp) { return static_cast<int>(mlp.layers.size()) - 1; }

int fixed_shared_bytes(const NarrowPlan& plan) {
  const int element = plan.precision == Precision::bf16 ? 2 : 4;
  return plan.layers * plan.width * plan.width * element + ((plan.layers + 1) * plan.width + 4) * 4;
}

}  // namespace

float weight_of(const DenseLayer& layer, int output, int input) {
  if (output >= layer.outputs || input >= layer.inputs) return 0;
  return static_cast<float>(layer.weights[static_cast<std::size_t>(output) * layer.inputs + input]);
}

std::string to_string(const NarrowPlan& plan) {
  return std::string("fused ") + oneproxy::to_string(plan.precision) + ", " + std::to_string(plan.width) + " wide x " +
         std::to_string(plan.layers) + ", tiles of " +
         (plan.precision == Precision::fp32 ? "1" : std::to_string(16 * plan.m_tiles)) + ", inner table of " +
         std::to_string(plan.inner) +
         (plan.place == TablePlace::l2_cache ? " in the L2 cache, " : " in shared memory, ") +
         std::to_string(plan.shared_bytes) + " B shared";
}

int narrow_width(const Mlp& mlp) {
  int widest = mlp.first_width;
  for (const auto& layer : mlp.layers) widest = std::max(widest, layer.outputs);
  if (mlp.layers.size() < 2 || widest > kNarrowMaxWidth) return 0;
  return widest <= 32 ? 32 : widest <= 64 ? 64 : 128;
}

bool plan_narrow(const Mlp& mlp, Precision precision, const DeviceLimits& device, NarrowPlan& plan) {
  plan = {};
  plan.precision = precision;
  plan.width = narrow_width(mlp);
  plan.layers = hidden_layers(mlp);
  plan.m_tiles = narrow_m_tiles(precision, plan.width);
  if (plan.width == 0 || precision == Precision::fp64) return false;
  // An architecture's activations, twice where layers follow each other, stay in one thread's registers.
  if (precision == Precision::fp32 && plan.width * (plan.layers > 1 ? 2 : 1) > 128) return false;
  plan.shared_bytes = fixed_shared_bytes(plan);
  plan.table_stride = narrow_table_stride(precision, plan.width);
  return plan.shared_bytes <= device.shared_bytes;
}

std::uint64_t narrow_max_inner(const NarrowPlan& plan) {
  constexpr int kMaxTableBytes = 80 * 1024;
  return static_cast<std::uint64_t>(kMaxTableBytes / (4 * plan.table_stride));
}

void place_table(NarrowPlan& plan, std::uint32_t inner, const DeviceLimits& device) {
  plan.inner = inner;
  const std::int64_t bytes = std::int64_t{inner} * plan.table_stride * 4;
  const bool fits = fixed_shared_bytes(plan) + bytes <= device.shared_bytes;
  plan.place = fits ? TablePlace::shared_memory : TablePlace::l2_cache;
  plan.shared_bytes = fixed_shared_bytes(plan) + (fits ? static_cast<int>(bytes) : 0);
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

}  // namespace oneproxy::detail
