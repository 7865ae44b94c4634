#pragma once
// Work on several CUDA devices at once.
#include <exception>
#include <thread>
#include <vector>

#include "oneproxy/kernels/base/cuda_check.cuh"

namespace oneproxy::detail {

// body(i, device) on a host thread for each device; the first failure is rethrown.
template <class Body>
void each_device(const std::vector<int>& devices, const Body& body) {
  std::vector<std::exception_ptr> failures(devices.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < devices.size(); ++i)
    threads.emplace_back([&, i] {
      try {
        ONEPROXY_CUDA_CHECK(cudaSetDevice(devices[i]));
        body(i, devices[i]);
      } catch (...) {
        failures[i] = std::current_exception();
      }
    });
  for (auto& thread : threads) thread.join();
  for (const auto& failure : failures)
    if (failure) std::rethrow_exception(failure);
}

}  // namespace oneproxy::detail
