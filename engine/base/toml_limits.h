#pragma once
// What a TOML text may hold before a parser sees it. toml++ makes a table for each part of a dotted key, one within the
// other, and takes them apart by recursion: a key of 400,000 dots ends on the stack. A character outside of ASCII where
// a key or a value begins runs into its "unreachable" code (version 3.3).
#include <cstddef>
#include <string>
#include <string_view>

namespace oneproxy {

inline constexpr std::size_t kMaxTomlBytes = std::size_t{1} << 20;
inline constexpr int kMaxKeyParts = 32;  // "a.b.c" has 3

// Whether all characters outside of strings and comments are ASCII, as TOML wants it.
bool is_bare_ascii(std::string_view text);

// Error where the text is longer, a key of it has more parts, or it is not bare ASCII; `file` and the line stand in
// front. Linear in time.
void check_toml_limits(std::string_view text, const std::string& file);

}  // namespace oneproxy
