#pragma once
// One CUDA device and what is done with its memory, from the host.
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "oneproxy/kernels/base/device_memory.cuh"
#include "oneproxy/kernels/score/cuda/narrow_plan.h"

namespace oneproxy::detail {

inline constexpr int kScoreThreads = 256;  // of a block of all kernels but the fused ones

// The calling thread's device is what it was when this goes; meanwhile it is `number`, where one is given.
class DeviceGuard {
 public:
  DeviceGuard() { ONEPROXY_CUDA_CHECK(cudaGetDevice(&before_)); }
  explicit DeviceGuard(int number) : DeviceGuard() { ONEPROXY_CUDA_CHECK(cudaSetDevice(number)); }
  ~DeviceGuard() { (void)cudaSetDevice(before_); }
  DeviceGuard(const DeviceGuard&) = delete;
  DeviceGuard& operator=(const DeviceGuard&) = delete;
  int number() const { return before_; }

 private:
  int before_ = 0;
};

// Its stream and limits. Whoever works on it makes it the current device first (DeviceGuard).
struct Device {
  explicit Device(int number) : number(number) {
    const DeviceGuard current(number);
    const auto attribute = [&](cudaDeviceAttr which) {
      int value = 0;
      ONEPROXY_CUDA_CHECK(cudaDeviceGetAttribute(&value, which, number));
      return value;
    };
    limits.multiprocessors = attribute(cudaDevAttrMultiProcessorCount);
    limits.shared_bytes = attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin);
    l2_bytes = attribute(cudaDevAttrL2CacheSize);
    std::size_t free = 0, total = 0;
    ONEPROXY_CUDA_CHECK(cudaMemGetInfo(&free, &total));
    table_bytes = static_cast<std::int64_t>(total / 4);
    ONEPROXY_CUDA_CHECK(cudaStreamCreate(&stream));  // waits for the default stream's uploads
  }
  ~Device() { (void)cudaStreamDestroy(stream); }  // of whatever device is current
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  unsigned blocks(std::uint64_t work, unsigned per_block) const {
    const std::uint64_t needed = (work + per_block - 1) / per_block;
    return static_cast<unsigned>(std::clamp<std::uint64_t>(needed, 1, 16ull * limits.multiprocessors));
  }
  void wait() const { ONEPROXY_CUDA_CHECK(cudaStreamSynchronize(stream)); }

  int number;
  DeviceLimits limits;
  std::int64_t l2_bytes = 0, table_bytes = 0;
  cudaStream_t stream = nullptr;
};

template <class T>
DeviceBuffer<T> upload(const std::vector<T>& values) {
  return DeviceBuffer<T>(std::span<const T>(values));
}

// Grows where it must, so that repeated work allocates nothing.
template <class T>
T* reserve(DeviceBuffer<T>& buffer, std::int64_t size) {
  if (buffer.size() < size) {
    buffer = DeviceBuffer<T>();  // first free, then allocate
    buffer = DeviceBuffer<T>(size);
  }
  return buffer.data();
}

template <class T>
void copy_async(T* to, const T* from, std::size_t n, cudaMemcpyKind kind, cudaStream_t stream) {
  if (n > 0) ONEPROXY_CUDA_CHECK(cudaMemcpyAsync(to, from, n * sizeof(T), kind, stream));
}

}  // namespace oneproxy::detail
