#include <cublas_v2.h>
#include <cuda_bf16.h>

#include <algorithm>

#include "oneproxy/kernels/base/device_memory.cuh"
#include "oneproxy/kernels/base/random.h"
#include "tests/bench/device_peak.h"

namespace oneproxy::bench {
namespace {

// Random numbers in [-1, 1): with zeros the chip switches less and clocks higher, which flatters products by 13 %
// (bf16 on an H200).
template <class Number>
__global__ void fill_random_kernel(Number* numbers, std::int64_t n, std::uint64_t seed) {
  const Philox random{seed, 0};
  const std::int64_t step = std::int64_t{gridDim.x} * blockDim.x;
  for (std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < n; i += step)
    numbers[i] = Number(static_cast<float>(2 * random.uniform(i) - 1));
}

template <class Number>
void fill_random(Number* numbers, std::int64_t n, std::uint64_t seed) {
  fill_random_kernel<<<1024, 256>>>(numbers, n, seed);
  ONEPROXY_CUDA_CHECK(cudaGetLastError());
}

template <class Work>
double best_seconds(const Work& work) {
  cudaEvent_t begin, end;
  ONEPROXY_CUDA_CHECK(cudaEventCreate(&begin));
  ONEPROXY_CUDA_CHECK(cudaEventCreate(&end));
  float best = 1e30f;
  for (int repeat = 0; repeat < 12; ++repeat) {  // the first ones warm up
    ONEPROXY_CUDA_CHECK(cudaEventRecord(begin));
    work();
    ONEPROXY_CUDA_CHECK(cudaEventRecord(end));
    ONEPROXY_CUDA_CHECK(cudaEventSynchronize(end));
    float milliseconds = 0;
    ONEPROXY_CUDA_CHECK(cudaEventElapsedTime(&milliseconds, begin, end));
    best = std::min(best, milliseconds);
  }
  ONEPROXY_CUDA_CHECK(cudaEventDestroy(begin));
  ONEPROXY_CUDA_CHECK(cudaEventDestroy(end));
  return best * 1e-3;
}

}  // namespace

DevicePeak measure_device_peak() {
  DevicePeak peak;
  cudaDeviceProp properties{};
  int device = 0;
  ONEPROXY_CUDA_CHECK(cudaGetDevice(&device));
  ONEPROXY_CUDA_CHECK(cudaGetDeviceProperties(&properties, device));
  ONEPROXY_CUDA_CHECK(cudaDriverGetVersion(&peak.driver));
  peak.name = properties.name;
  constexpr int n = 8192;
  constexpr std::int64_t kElements = std::int64_t{n} * n;
  DeviceBuffer<float> a(kElements), b(kElements), c(kElements);
  DeviceBuffer<__nv_bfloat16> a_bf16(kElements), b_bf16(kElements);
  fill_random(a.data(), kElements, 1);
  fill_random(b.data(), kElements, 2);
  fill_random(a_bf16.data(), kElements, 1);
  fill_random(b_bf16.data(), kElements, 2);
  cublasHandle_t handle;
  if (cublasCreate(&handle) != CUBLAS_STATUS_SUCCESS) throw Error("cuBLAS does not start; check the driver");
  const float one = 1, zero = 0;
  const auto rate = [&](cudaDataType type, cublasComputeType_t compute, const void* left, const void* right) {
    bool fine = true;
    const double seconds = best_seconds([&] {
      fine = cublasGemmEx(handle, CUBLAS_OP_T, CUBLAS_OP_N, n, n, n, &one, left, type, n, right, type, n, &zero,
                          c.data(), type, n, compute, CUBLAS_GEMM_DEFAULT) == CUBLAS_STATUS_SUCCESS &&
             fine;
    });
    return fine ? 2.0 * n * n * n / seconds : 0.0;
  };
  peak.bf16 = rate(CUDA_R_16BF, CUBLAS_COMPUTE_32F, a_bf16.data(), b_bf16.data());
  peak.tf32 = rate(CUDA_R_32F, CUBLAS_COMPUTE_32F_FAST_TF32, a.data(), b.data());
  peak.fp32 = rate(CUDA_R_32F, CUBLAS_COMPUTE_32F, a.data(), b.data());
  cublasDestroy(handle);
  // A gibibyte each way, many times the L2 cache.
  DeviceBuffer<float> from(std::int64_t{1} << 28), to(std::int64_t{1} << 28);
  fill_random(from.data(), from.size(), 3);
  peak.bytes = 2.0 * static_cast<double>(from.bytes()) / best_seconds([&] {
                 ONEPROXY_CUDA_CHECK(cudaMemcpyAsync(to.data(), from.data(), from.bytes(), cudaMemcpyDeviceToDevice));
               });
  return peak;
}

}  // namespace oneproxy::bench
