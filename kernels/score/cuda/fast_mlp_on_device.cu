#include <algorithm>

#include "oneproxy/kernels/score/cuda/first_layer.h"
#include "oneproxy/kernels/score/cuda/first_layer_kernel.cuh"
#include "oneproxy/kernels/score/cuda/model_on_device.cuh"
#include "oneproxy/kernels/score/cuda/narrow_launch.cuh"
#include "oneproxy/kernels/score/cuda/wide.h"

namespace oneproxy::detail {
namespace {

constexpr std::int64_t kMaxBaseRows = std::int64_t{1} << 16;  // first-layer rows at a time: 33 MB for 128
constexpr std::uint64_t kMaxWideInner = 4096;                 // rows that stay in the L2 cache

class FastMlpOnDevice : public ModelOnDevice {
 public:
  FastMlpOnDevice(const Device& device, const DeviceCode& code, const Mlp& mlp, Precision precision)
      : device_(device), code_(code) {
    NarrowPlan plan;
    const bool narrow = plan_narrow(mlp, precision, device.limits, plan);
    const int width = narrow ? plan.width : WideMlp::padded(mlp.first_width);
    auto tables = first_layer_tables(mlp, code.code.view(), code.split, width,
                                     narrow ? narrow_max_inner(plan) : kMaxWideInner, device.table_bytes);
    groups_ = upload(tables.groups);
    rows_ = upload(tables.rows);
    bias_ = upload(tables.bias);
    n_groups_ = static_cast<int>(tables.groups.size());
    inner_ = tables.inner();
    first_inner_row_ = tables.groups.back().offset;
    width_ = width;
    zeros_ = upload(std::vector<float>(width, 0.0f));
    if (!narrow) {
      wide_ = std::make_unique<WideMlp>(mlp, precision, std::int64_t{4} * inner_ * width, device.l2_bytes,
                                        device.limits.multiprocessors);
      return;
    }
    place_table(plan, inner_, device.limits);
    const NarrowWeights packed = pack_narrow(mlp, plan);
    fragments_ = upload(packed.fragments);
    vectors_ = upload(packed.vectors);
    launch_ = narrow_launch(plan, device);
    plan_ = plan;
  }

  void score(const Chunk& chunk, double* scores) override {
    const std::uint32_t inner = chunk.in_order() ? inner_ : 1;
    const std::int64_t step = std::min<std::int64_t>(kMaxBaseRows * inner, chunk.count);
    for (std::int64_t at = 0; at < chunk.count; at += step) {
      const auto offset = static_cast<std::uint32_t>(at);
      const auto n = static_cast<std::uint32_t>(std::min<std::int64_t>(step, chunk.count - at));
      const Start start = code_.start(chunk, offset, inner);
      const auto n_base = static_cast<std::uint32_t>((std::uint64_t{start.skip} + n + inner - 1) / inner);
      float* base = reserve(base_, std::int64_t{n_base} * width_);
      const FirstLayerArgs<float> first{
          groups_.data(), chunk.in_order() ? n_groups_ - 1 : n_groups_, rows_.data(), bias_.data(), nullptr, 1, width_};
      first_layer_kernel<float>
          <<<device_.blocks(n_base, first.block_rows), kScoreThreads, first.shared_bytes(), device_.stream>>>(
              first, start.places, inner, n_base, base);
      ONEPROXY_CUDA_CHECK_LAUNCH();
      const float* table = chunk.in_order() ? rows_.data() + std::size_t{first_inner_row_} * width_ : zeros_.data();
      if (wide_) {
        wide_->score(device_.stream, base, table, Divider(inner), start.skip, n, scores + at);
        continue;
      }
      NarrowArgs args;
      args.base = base;
      args.table = table;
      args.fragments = fragments_.data();
      args.vectors = vectors_.data();
      args.layers = plan_.layers;
      args.inner = Divider(inner);
      args.skip = start.skip;
      args.count = n;
      args.scores = scores + at;
      const int rows = plan_.precision == Precision::fp32 ? kNarrowThreads : kNarrowThreads / 32 * 16 * plan_.m_tiles;
      const auto blocks = std::min<std::int64_t>((std::int64_t{n} + rows - 1) / rows, launch_.blocks_on_device);
      launch_.kernel<<<static_cast<unsigned>(blocks), kNarrowThreads, plan_.shared_bytes, device_.stream>>>(args);
      ONEPROXY_CUDA_CHECK_LAUNCH();
    }
  }
  void release_scratch() override {
    base_ = {};
    if (wide_) wide_->release_scratch();
  }
  std::string path() const override { return "cuda " + (wide_ ? wide_->path() : to_string(plan_)); }

 private:
  const Device& device_;
  const DeviceCode& code_;
  NarrowPlan plan_;
  LaunchShape launch_;
  std::unique_ptr<WideMlp> wide_;  // instead of the plan
  DeviceBuffer<PlaceGroup> groups_;
  DeviceBuffer<float> rows_, bias_, vectors_, zeros_;
  DeviceBuffer<std::uint32_t> fragments_;
  int n_groups_ = 0, width_ = 0;
  std::uint32_t inner_ = 1, first_inner_row_ = 0;
  DeviceBuffer<float> base_;
};

}  // namespace

std::unique_ptr<ModelOnDevice> make_fast_mlp_on_device(const Device& device, const DeviceCode& code, const Mlp& mlp,
                                                       Precision precision) {
  return std::make_unique<FastMlpOnDevice>(device, code, mlp, precision);
}

}  // namespace oneproxy::detail
