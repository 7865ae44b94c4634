#include <cublas_v2.h>

#include <algorithm>

#include "oneproxy/kernels/base/device_memory.cuh"
#include "tests/bench/device_peak.h"

namespace oneproxy::bench {
namespace {

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
  DeviceBuffer<float> a(std::int64_t{n} * n), b(std::int64_t{n} * n), c(std::int64_t{n} * n);
  a.fill_zero();
  b.fill_zero();
  cublasHandle_t handle;
  if (cublasCreate(&handle) != CUBLAS_STATUS_SUCCESS) throw Error("cuBLAS does not start; check the driver");
  const float one = 1, zero = 0;
  const auto rate = [&](cudaDataType type, cublasComputeType_t compute) {
    bool fine = true;
    const double seconds = best_seconds([&] {
      fine = cublasGemmEx(handle, CUBLAS_OP_T, CUBLAS_OP_N, n, n, n, &one, a.data(), type, n, b.data(), type, n, &zero,
                          c.data(), type, n, compute, CUBLAS_GEMM_DEFAULT) == CUBLAS_STATUS_SUCCESS &&
             fine;
    });
    return fine ? 2.0 * n * n * n / seconds : 0.0;
  };
  peak.bf16 = rate(CUDA_R_16BF, CUBLAS_COMPUTE_32F);
  peak.tf32 = rate(CUDA_R_32F, CUBLAS_COMPUTE_32F_FAST_TF32);
  peak.fp32 = rate(CUDA_R_32F, CUBLAS_COMPUTE_32F);
  cublasDestroy(handle);
  peak.bytes = 2.0 * static_cast<double>(a.bytes()) / best_seconds([&] {
                 ONEPROXY_CUDA_CHECK(cudaMemcpyAsync(c.data(), a.data(), a.bytes(), cudaMemcpyDeviceToDevice));
               });
  return peak;
}

}  // namespace oneproxy::bench
