#pragma once
// Numbers and texts as bytes, for messages between processes of the same build.
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

class Packer {
 public:
  template <class T>
  void add(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void add(const std::string& text) {
    add(static_cast<std::uint64_t>(text.size()));
    bytes_ += text;
  }
  template <class T>
  void add(const std::vector<T>& values) {
    add(static_cast<std::uint64_t>(values.size()));
    for (const auto& value : values) add(value);
  }
  std::string bytes() && { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// What was added, in the same order.
class Unpacker {
 public:
  explicit Unpacker(const std::string& bytes) : bytes_(bytes) {}
  template <class T>
  T get() {
    if constexpr (std::is_same_v<T, std::string>) {
      const auto size = get<std::uint64_t>();
      ONEPROXY_ASSERT(size <= bytes_.size() - at_);
      at_ += size;
      return bytes_.substr(at_ - size, size);
    } else {
      static_assert(std::is_trivially_copyable_v<T>);
      ONEPROXY_ASSERT(sizeof(T) <= bytes_.size() - at_);
      T value;
      std::memcpy(&value, bytes_.data() + at_, sizeof value);
      at_ += sizeof value;
      return value;
    }
  }
  template <class T>
  std::vector<T> vector() {
    std::vector<T> values(get<std::uint64_t>());
    for (auto& value : values) value = get<T>();
    return values;
  }
  bool at_end() const { return at_ == bytes_.size(); }

 private:
  const std::string& bytes_;
  std::size_t at_ = 0;
};

}  // namespace oneproxy
