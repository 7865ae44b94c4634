#include <algorithm>
#include <vector>

#include "oneproxy/kernels/base/cublas.cuh"
#include "oneproxy/kernels/base/device_memory.cuh"
#include "oneproxy/kernels/score/cuda/chunks.h"
#include "oneproxy/kernels/score/cuda/device.cuh"
#include "oneproxy/kernels/score/cuda/layer_kernels.cuh"
#include "oneproxy/kernels/score/cuda/wide.h"

namespace oneproxy::detail {
namespace {

void lt_check(cublasStatus_t status, const char* what) {
  if (status != CUBLAS_STATUS_SUCCESS)
    throw Error(std::string("cuBLASLt error '") + cublas_lt().status_string(status) + "' in " + what +
                "; use backend = \"cpu\"");
}

// One handle a process and device, made when the first wide model comes: it loads the library's kernels.
class Handle {
 public:
  Handle() { lt_check(cublas_lt().create(&handle_), "cublasLtCreate"); }
  ~Handle() { cublas_lt().destroy(handle_); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  operator cublasLtHandle_t() const { return handle_; }

 private:
  cublasLtHandle_t handle_ = nullptr;
};

class Layout {
 public:
  Layout(cudaDataType type, std::int64_t rows, std::int64_t columns) {
    lt_check(cublas_lt().layout_create(&layout_, type, static_cast<std::uint64_t>(rows),
                                       static_cast<std::uint64_t>(columns), rows),
             "cublasLtMatrixLayoutCreate");
  }
  ~Layout() { cublas_lt().layout_destroy(layout_); }
  Layout(const Layout&) = delete;
  Layout& operator=(const Layout&) = delete;
  operator cublasLtMatrixLayout_t() const { return layout_; }

 private:
  cublasLtMatrixLayout_t layout_ = nullptr;
};

constexpr std::int64_t kWorkspaceBytes = std::int64_t{32} << 20;

// relu(W x + bias) for a fixed number of rows: the plan of one product. In cuBLAS's column-major words: D [outputs, n]
// = W^T [inputs, outputs]^T * X [inputs, n]; our row-major activations [n, width] are just that.
//
// Its algorithm is chosen once, here, and runs always: lists, ranges and reductions, whole chunks and their rests. It
// does not split the sum over inputs among blocks, so that an architecture's score does not depend on its place.
class Product {
 public:
  Product(cublasLtHandle_t handle, Precision precision, int inputs, int outputs, std::int64_t n, const void* bias)
      : type_(precision == Precision::bf16 ? CUDA_R_16BF : CUDA_R_32F),
        weights_(type_, inputs, outputs),
        in_(type_, inputs, n),
        out_(type_, outputs, n) {
    const auto compute = precision == Precision::tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
    lt_check(cublas_lt().desc_create(&product_, compute, CUDA_R_32F), "cublasLtMatmulDescCreate");
    const cublasOperation_t transposed = CUBLAS_OP_T;
    const cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_RELU_BIAS;
    set(CUBLASLT_MATMUL_DESC_TRANSA, transposed);
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue);
    set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
    cublasLtMatmulPreference_t preference = nullptr;
    lt_check(cublas_lt().preference_create(&preference), "cublasLtMatmulPreferenceCreate");
    const std::size_t max_bytes = kWorkspaceBytes;
    const std::uint32_t no_split = CUBLASLT_REDUCTION_SCHEME_NONE;
    int found = 0;
    auto status =
        cublas_lt().preference_set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &max_bytes, sizeof(max_bytes));
    if (status == CUBLAS_STATUS_SUCCESS)
      status = cublas_lt().preference_set(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &no_split,
                                          sizeof(no_split));
    if (status == CUBLAS_STATUS_SUCCESS)
      status = cublas_lt().heuristic(handle, product_, weights_, in_, out_, out_, preference, 1, &algorithm_, &found);
    cublas_lt().preference_destroy(preference);
    lt_check(status != CUBLAS_STATUS_SUCCESS || found > 0 ? status : CUBLAS_STATUS_NOT_SUPPORTED,
             "cublasLtMatmulAlgoGetHeuristic");
  }
  ~Product() { cublas_lt().desc_destroy(product_); }
  Product(const Product&) = delete;
  Product& operator=(const Product&) = delete;

  void run(cublasLtHandle_t handle, cudaStream_t stream, const void* weights, const void* in, void* out,
           void* workspace) const {  // workspace [workspace_bytes()]
    const float one = 1, zero = 0;
    lt_check(cublas_lt().matmul(handle, product_, &one, weights, weights_, in, in_, &zero, out, out_, out, out_,
                                &algorithm_.algo, workspace, workspace_bytes(), stream),
             "cublasLtMatmul");
  }
  std::size_t workspace_bytes() const { return algorithm_.workspaceSize; }

 private:
  template <class T>
  void set(cublasLtMatmulDescAttributes_t attribute, const T& value) {
    lt_check(cublas_lt().desc_set(product_, attribute, &value, sizeof(value)), "cublasLtMatmulDescSetAttribute");
  }

  cudaDataType type_;
  Layout weights_, in_, out_;
  cublasLtMatmulDesc_t product_ = nullptr;
  cublasLtMatmulHeuristicResult_t algorithm_{};
};

}  // namespace

struct WideMlp::State {
  struct Layer {
    int inputs, outputs;  // padded
    DeviceBuffer<unsigned char> weights, bias;
    std::unique_ptr<Product> product;
  };
  Precision precision;
  int multiprocessors, first_width = 0;
  std::int64_t rows = 0, activation_bytes = 0, workspace_bytes = 0;
  std::unique_ptr<Handle> handle;  // none where there is no product
  std::vector<Layer> layers;
  DeviceBuffer<float> last_weights;
  float last_bias = 0;
  DeviceBuffer<unsigned char> activations[2], workspace;  // when they are first used

  // Each with its own store: bf16 or fp32.
  template <class Stored>
  DeviceBuffer<unsigned char> upload(const std::vector<float>& values) {
    std::vector<Stored> stored(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      if constexpr (sizeof(Stored) == 2)
        stored[i].bits = static_cast<std::uint16_t>(bf16_bits(values[i]));
      else
        stored[i] = values[i];
    }
    return DeviceBuffer<unsigned char>(std::span<const unsigned char>(
        reinterpret_cast<const unsigned char*>(stored.data()), stored.size() * sizeof(Stored)));
  }

  template <class Stored>
  void score(cudaStream_t stream, const float* base, const float* table, std::uint32_t inner, std::uint32_t skip,
             std::uint32_t n, double* scores) {
    for (auto& buffer : activations)
      if (buffer.size() == 0) {
        reserve(buffer, activation_bytes);
        buffer.fill_zero();  // rows that no architecture fills are multiplied too
      }
    reserve(workspace, workspace_bytes);
    const auto blocks = static_cast<unsigned>(8 * multiprocessors);
    for (std::uint32_t at = 0; at < n; at += static_cast<std::uint32_t>(rows)) {
      const auto count = static_cast<std::uint32_t>(std::min<std::int64_t>(rows, n - at));
      auto* in = reinterpret_cast<Stored*>(activations[0].data());
      auto* out = reinterpret_cast<Stored*>(activations[1].data());
      activation_kernel<Stored>
          <<<blocks, kScoreThreads, 0, stream>>>(base, table, inner, skip + at, count, first_width, in);
      ONEPROXY_CUDA_CHECK_LAUNCH();
      int width = first_width;
      for (const auto& layer : layers) {
        // Always whole chunks, so that there is one plan; rows past the end hold what was there before.
        layer.product->run(*handle, stream, layer.weights.data(), in, out, workspace.data());
        std::swap(in, out);
        width = layer.outputs;
      }
      last_layer_kernel<Stored>
          <<<blocks, kScoreThreads, 0, stream>>>(in, count, width, last_weights.data(), last_bias, scores + at);
      ONEPROXY_CUDA_CHECK_LAUNCH();
    }
  }
};

WideMlp::WideMlp(const Mlp& mlp, Precision precision, std::int64_t l2_bytes, int multiprocessors)
    : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.precision = precision;
  state.multiprocessors = multiprocessors;
  state.first_width = padded(mlp.first_width);
  int widest = state.first_width;
  for (const auto& layer : mlp.layers) widest = std::max(widest, padded(layer.outputs));
  const bool half = precision == Precision::bf16;
  state.rows = wide_rows(widest, half ? 2 : 4, l2_bytes);
  state.activation_bytes = state.rows * widest * (half ? 2 : 4);
  if (mlp.layers.size() > 1) state.handle = std::make_unique<Handle>();
  const auto upload = [&](const std::vector<float>& values) {
    return half ? state.upload<Bf16>(values) : state.upload<float>(values);
  };
  for (std::size_t l = 0; l + 1 < mlp.layers.size(); ++l) {
    const DenseLayer& layer = mlp.layers[l];
    const int inputs = padded(layer.inputs), outputs = padded(layer.outputs);
    std::vector<float> weights(static_cast<std::size_t>(outputs) * inputs, 0), bias(outputs, 0);
    for (int o = 0; o < layer.outputs; ++o) {
      bias[o] = static_cast<float>(layer.bias[o]);
      for (int i = 0; i < layer.inputs; ++i)
        weights[static_cast<std::size_t>(o) * inputs + i] =
            static_cast<float>(layer.weights[static_cast<std::size_t>(o) * layer.inputs + i]);
    }
    State::Layer own{inputs, outputs, upload(weights), upload(bias), nullptr};
    own.product = std::make_unique<Product>(*state.handle, precision, inputs, outputs, state.rows, own.bias.data());
    state.workspace_bytes = std::max(state.workspace_bytes, static_cast<std::int64_t>(own.product->workspace_bytes()));
    state.layers.push_back(std::move(own));
  }
  const DenseLayer& last = mlp.layers.back();
  std::vector<float> weights(padded(last.inputs), 0);
  for (int i = 0; i < last.inputs; ++i) weights[i] = static_cast<float>(last.weights[i]);
  state.last_weights = DeviceBuffer<float>(std::span<const float>(weights));
  state.last_bias = static_cast<float>(last.bias[0]);
}

WideMlp::~WideMlp() = default;

void WideMlp::release_scratch() {
  for (auto& buffer : state_->activations) buffer = {};
  state_->workspace = {};
}

void WideMlp::score(cudaStream_t stream, const float* base, const float* table, std::uint32_t inner, std::uint32_t skip,
                    std::uint32_t n, double* scores) {
  if (state_->precision == Precision::bf16)
    state_->score<Bf16>(stream, base, table, inner, skip, n, scores);
  else
    state_->score<float>(stream, base, table, inner, skip, n, scores);
}

std::string WideMlp::path() const {
  return std::string("general (cuBLASLt) ") + to_string(state_->precision) + ", chunks of " +
         std::to_string(state_->rows) + " in the L2 cache";
}

}  // namespace oneproxy::detail
