#include "oneproxy/kernels/score/cuda/model_on_device.cuh"
#include "oneproxy/kernels/score/cuda/table_kernels.cuh"

namespace oneproxy::detail {
namespace {

class TableOnDevice : public ModelOnDevice {
 public:
  TableOnDevice(const Device& device, const DeviceCode& code, const AdditiveTable<double>& table, const Leaf& leaf)
      : device_(device),
        code_(code),
        weights_(table.weights),
        bias_(table.bias),
        args_{weights_.data(),
              bias_.data(),
              table.weights.size() / table.bias.size(),
              table.bias.size() > 1,
              code.digits.data(),
              code.n_digits(),
              leaf} {}

  void score(const Chunk& chunk, double* scores) override {
    const unsigned blocks = device_.blocks(chunk.count, kScoreThreads);
    if (!chunk.in_order()) {
      const Start start = code_.start(chunk, 0, 1);
      whole_kernel<<<blocks, kScoreThreads, 0, device_.stream>>>(args_, start.places, chunk.count, scores);
      ONEPROXY_CUDA_CHECK_LAUNCH();
      return;
    }
    const std::uint32_t size = args_.leaf.size;
    const Start start = code_.start(chunk, 0, size);
    const auto n = static_cast<std::uint32_t>((std::uint64_t{start.skip} + chunk.count + size - 1) / size);
    Prefix* prefixes = reserve(prefixes_, n);
    prefix_kernel<<<device_.blocks(n, kScoreThreads), kScoreThreads, 0, device_.stream>>>(args_, start.places, n,
                                                                                          prefixes);
    ONEPROXY_CUDA_CHECK_LAUNCH();
    leaf_kernel<<<blocks, kScoreThreads, 0, device_.stream>>>(args_, prefixes, start.skip, chunk.count, scores);
    ONEPROXY_CUDA_CHECK_LAUNCH();
  }
  void release_scratch() override { prefixes_ = {}; }
  std::string path() const override {
    return "cuda fp64 table, leaves of " + std::to_string(args_.leaf.size) + " architectures";
  }
  const TableArgs* table() const override { return &args_; }

 private:
  const Device& device_;
  const DeviceCode& code_;
  DeviceBuffer<double> weights_, bias_;
  TableArgs args_;
  DeviceBuffer<Prefix> prefixes_;
};

}  // namespace

std::unique_ptr<ModelOnDevice> make_table_on_device(const Device& device, const DeviceCode& code,
                                                    const AdditiveTable<double>& table, const Leaf& leaf) {
  return std::make_unique<TableOnDevice>(device, code, table, leaf);
}

}  // namespace oneproxy::detail
