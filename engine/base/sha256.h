#pragma once
// SHA-256, as lower-case hex: checksums of stored columns, names of result folders.
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace oneproxy {

std::string sha256_hex(std::string_view bytes);

// Over the bytes of the values as they lie in memory (little-endian, as in the store).
template <class T>
std::string sha256_of(std::span<const T> values) {
  return sha256_hex({reinterpret_cast<const char*>(values.data()), values.size_bytes()});
}

// Over texts one after another, each ended by a zero byte.
std::string sha256_of_texts(std::span<const std::string> texts);

// Of bytes that come in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  void add(std::string_view bytes);
  std::string hex();  // once, after the last piece

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace oneproxy
