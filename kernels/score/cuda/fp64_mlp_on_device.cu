#include <algorithm>

#include "oneproxy/kernels/score/cuda/first_layer_kernel.cuh"
#include "oneproxy/kernels/score/cuda/layer_kernels.cuh"
#include "oneproxy/kernels/score/cuda/model_on_device.cuh"

namespace oneproxy::detail {
namespace {

constexpr std::int64_t kMaxRows = std::int64_t{1} << 14;  // architectures of an fp64 MLP at a time

class Fp64MlpOnDevice : public ModelOnDevice {
 public:
  Fp64MlpOnDevice(const Device& device, const DeviceCode& code, const Mlp& mlp)
      : device_(device), code_(code), rows_(mlp.rows), first_bias_(mlp.first_bias), widest_(mlp.first_width) {
    for (const auto& layer : mlp.layers) {
      std::vector<double> transposed(layer.weights.size());
      for (int o = 0; o < layer.outputs; ++o)
        for (int i = 0; i < layer.inputs; ++i)
          transposed[static_cast<std::size_t>(i) * layer.outputs + o] =
              layer.weights[static_cast<std::size_t>(o) * layer.inputs + i];
      layers_.push_back({layer.inputs, layer.outputs, upload(transposed), DeviceBuffer<double>(layer.bias)});
      widest_ = std::max(widest_, layer.outputs);
    }
  }

  void score(const Chunk& chunk, double* scores) override {
    for (auto& buffer : buffers_) reserve(buffer, kMaxRows * widest_);
    const FirstLayerArgs<double> first{code_.digits.data(), code_.n_digits(), rows_.data(),     first_bias_.data(),
                                       code_.rows.data(),   code_.code.parts, layers_[0].inputs};
    for (std::uint32_t at = 0; at < chunk.count; at += static_cast<std::uint32_t>(kMaxRows)) {
      const auto n = static_cast<std::uint32_t>(std::min<std::int64_t>(kMaxRows, chunk.count - at));
      const Start start = code_.start(chunk, at, 1);
      double *in = buffers_[0].data(), *out = buffers_[1].data();
      first_layer_kernel<double>
          <<<device_.blocks(n, first.block_rows), kScoreThreads, first.shared_bytes(), device_.stream>>>(
              first, start.places, 1, n, in);
      ONEPROXY_CUDA_CHECK_LAUNCH();
      for (std::size_t l = 0; l < layers_.size(); ++l) {
        const auto& layer = layers_[l];
        double* to = l + 1 < layers_.size() ? out : scores + at;
        dense_fp64_kernel<<<device_.blocks(std::uint64_t{n} * layer.outputs, kScoreThreads), kScoreThreads, 0,
                            device_.stream>>>(in, n, layer.inputs, layer.outputs, layer.weights.data(),
                                              layer.bias.data(), to);
        ONEPROXY_CUDA_CHECK_LAUNCH();
        std::swap(in, out);
      }
    }
  }
  void release_scratch() override { buffers_[0] = {}, buffers_[1] = {}; }
  std::string path() const override { return "cuda fp64, in the order of the definition"; }

 private:
  struct Layer {
    int inputs, outputs;
    DeviceBuffer<double> weights, bias;
  };
  const Device& device_;
  const DeviceCode& code_;
  DeviceBuffer<double> rows_, first_bias_;
  std::vector<Layer> layers_;
  int widest_;
  DeviceBuffer<double> buffers_[2];
};

}  // namespace

std::unique_ptr<ModelOnDevice> make_fp64_mlp_on_device(const Device& device, const DeviceCode& code, const Mlp& mlp) {
  return std::make_unique<Fp64MlpOnDevice>(device, code, mlp);
}

}  // namespace oneproxy::detail
