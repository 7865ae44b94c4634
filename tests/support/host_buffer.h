#pragma once
// Host memory in the shape of DeviceBuffer, for the Thrust code of the kernels under Thrust's sequential back end.
#include <cstdint>
#include <vector>

namespace oneproxy::test {

template <typename T>
class HostBuffer {
 public:
  explicit HostBuffer(std::int64_t size) : values_(static_cast<std::size_t>(size)) {}
  T* data() { return values_.data(); }
  const T* data() const { return values_.data(); }

 private:
  std::vector<T> values_;
};

}  // namespace oneproxy::test
