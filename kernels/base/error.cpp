#include "oneproxy/kernels/base/error.h"

#include <array>
#include <cstdio>

namespace oneproxy {
namespace {

constexpr std::size_t kMaxWord = 200, kMaxLine = 2000;

// Bytes of the UTF-8 character at the text's begin; 0 where there is none (overlong, surrogate, cut off).
std::size_t character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool overlong = first == 0xE0 && byte(1) < 0xA0, surrogate = first == 0xED && byte(1) > 0x9F;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool overlong = first == 0xF0 && byte(1) < 0x90, beyond = first == 0xF4 && byte(1) > 0x8F;
    return follows(1) && follows(2) && follows(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

std::string escape(unsigned char byte) {
  if (byte == '\n') return "\\n";
  if (byte == '\t') return "\\t";
  if (byte == '\r') return "\\r";
  std::array<char, 5> text{};
  std::snprintf(text.data(), text.size(), "\\x%02X", byte);
  return text.data();
}

bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  // C0, DEL; C1 is C2 80 to C2 9F.
  return first < 0x20 || first == 0x7F || (first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0);
}

// The place, moved back to where a character begins.
std::size_t boundary(std::string_view text, std::size_t at) {
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
  return at;
}

// Begin and end of a text that is too long: the end of a path says more than its middle.
std::string cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  const std::size_t head = boundary(text, most * 3 / 4), tail = boundary(text, text.size() - most / 4);
  return std::string(text.substr(0, head)) + "[" + std::to_string(tail - head) + " more bytes]" +
         std::string(text.substr(tail));
}

}  // namespace

std::string one_line(std::string_view text) {
  std::string line, word;
  const auto end_word = [&] {
    line += cut(word, kMaxWord);
    word.clear();
  };
  while (!text.empty()) {
    const std::size_t size = character(text);
    const std::string_view now = text.substr(0, size ? size : 1);
    if (now == " ") {
      end_word();
      line += ' ';
    } else if (size == 0 || is_control(now)) {
      for (const char byte : now) word += escape(static_cast<unsigned char>(byte));
    } else {
      word += now;
    }
    text.remove_prefix(now.size());
  }
  end_word();
  return cut(line, kMaxLine);
}

}  // namespace oneproxy
