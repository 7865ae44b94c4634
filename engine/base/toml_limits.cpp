#include "oneproxy/engine/base/toml_limits.h"

#include <algorithm>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

// The end of the string that begins at `at` with a quote: behind its closing quote, or at the end of the line or the
// text where it is not closed, which is an error of the parser's.
std::size_t behind_string(std::string_view text, std::size_t at) {
  const char quote = text[at];
  const bool escapes = quote == '"';
  const std::string three(3, quote);
  const bool multiline = text.substr(at, 3) == three;
  at += multiline ? 3 : 1;
  while (at < text.size()) {
    if (escapes && text[at] == '\\') {
      at += 2;
    } else if (multiline && text.substr(at, 3) == three) {
      at += 3;
      for (int more = 0; more < 2 && at < text.size() && text[at] == quote; ++more) ++at;  // two may be content
      return at;
    } else if (!multiline && (text[at] == quote || text[at] == '\n')) {
      return at + (text[at] == quote);
    } else {
      ++at;
    }
  }
  return text.size();
}

// visit(character, line) for what is in no string and no comment.
template <class Visit>
void each_bare(std::string_view text, const Visit& visit) {
  const std::string_view byte_order_mark = "\xEF\xBB\xBF";
  std::size_t line = 1;
  for (std::size_t at = text.starts_with(byte_order_mark) ? byte_order_mark.size() : 0; at < text.size();) {
    const char c = text[at];
    if (c == '"' || c == '\'') {
      const auto end = behind_string(text, at);
      line += static_cast<std::size_t>(std::count(text.begin() + at, text.begin() + end, '\n'));
      at = end;
    } else if (c == '#') {
      at = std::min(text.find('\n', at), text.size());
    } else {
      ++at;
      line += c == '\n';
      visit(c, line);
    }
  }
}

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

}  // namespace

bool is_bare_ascii(std::string_view text) {
  bool ascii = true;
  each_bare(text, [&](char c, std::size_t) { ascii = ascii && is_ascii(c); });
  return ascii;
}

void check_toml_limits(std::string_view text, const std::string& file) {
  if (text.size() > kMaxTomlBytes)
    throw Error(file + ": has more than " + std::to_string(kMaxTomlBytes) + " bytes; is it the right file?");
  int parts = 1;       // of the key that is being read
  bool in_key = true;  // dots of a value, such as 0.5, make no tables
  each_bare(text, [&](char c, std::size_t line) {
    const auto fault = [&](const std::string& what) { return Error(file + ":" + std::to_string(line) + ": " + what); };
    if (!is_ascii(c)) throw fault("a character that is not ASCII stands outside of quotes; write names in quotes");
    if (c == '=') in_key = false;
    if (std::string_view("\n,[]{}").find(c) != std::string_view::npos) {
      in_key = true;
      parts = 1;
    }
    if (c == '.' && in_key && ++parts > kMaxKeyParts)
      throw fault("a key of more than " + std::to_string(kMaxKeyParts) +
                  " parts between dots; put it in quotes if the dots belong to a name");
  });
}

}  // namespace oneproxy
