#pragma once
// The fields of a message in the wire form of Protocol Buffers (protobuf.dev/programming-guides/encoding), one after
// another, read where they lie.
#include <cstdint>
#include <string>
#include <string_view>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

class ProtobufFields {
 public:
  explicit ProtobufFields(std::string_view message) : rest_(message) {}

  // Goes to the next field; false behind the last. Error for bytes that are no field.
  bool next() {
    if (rest_.empty()) return false;
    const std::uint64_t key = varint(rest_);
    number_ = static_cast<int>(key >> 3 & 0x1fffffff);
    wire_ = static_cast<int>(key & 7);
    if (number_ == 0) throw Error("damaged: it has a field without a number");
    if (wire_ == kVarint)
      whole_ = varint(rest_);
    else if (wire_ == kBytes)
      bytes_ = take(varint(rest_));
    else if (wire_ == kFixed64 || wire_ == kFixed32)
      bytes_ = take(wire_ == kFixed64 ? 8 : 4);
    else
      throw Error("damaged: it has a field of the unknown kind " + std::to_string(wire_));
    return true;
  }

  int number() const { return number_; }
  // Of the field; Error where it is of another kind.
  std::int64_t whole() const {
    require(wire_ == kVarint);
    return static_cast<std::int64_t>(whole_);
  }
  std::string_view bytes() const {  // text, message or packed numbers
    require(wire_ == kBytes);
    return bytes_;
  }
  std::string_view fixed() const {  // numbers of 4 or 8 bytes, one or packed
    require(wire_ != kVarint);
    return bytes_;
  }
  // Whether it is one number of a list that is not packed.
  bool is_one_whole() const { return wire_ == kVarint; }

  // Off the front of packed numbers.
  static std::uint64_t varint(std::string_view& from) {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      if (from.empty()) throw Error("is truncated");
      const auto byte = static_cast<unsigned char>(from.front());
      from.remove_prefix(1);
      if (shift < 64) value |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    throw Error("damaged: it has a number of more than ten bytes");
  }

 private:
  static constexpr int kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5;

  std::string_view take(std::uint64_t size) {
    if (size > rest_.size()) throw Error("is truncated");
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  void require(bool kind_fits) const {
    if (!kind_fits) throw Error("damaged: field " + std::to_string(number_) + " is of another kind");
  }

  std::string_view rest_, bytes_;
  std::uint64_t whole_ = 0;
  int number_ = 0, wire_ = 0;
};

}  // namespace oneproxy
