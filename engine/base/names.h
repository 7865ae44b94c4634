#pragma once
// "Did you mean": the valid names closest to a misspelt one.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace oneproxy {

// Levenshtein distance, case-insensitive. Time: the product of the lengths.
int edit_distance(std::string_view a, std::string_view b);

// Whether each word of `name` means what a word of `other` does: "limit" and "limits_ms", "n" and "count". Words stand
// between characters that are no letter or digit; "s" of a plural does not tell.
bool same_meaning(std::string_view name, std::string_view other);

// Numbers within names as numbers: pixel3 before pixel10, 1080ti_32 before 1080ti_256. A strict weak order.
bool natural_less(std::string_view a, std::string_view b);

// The `max_names` nearest of `valid`, nearest first: those that mean the same, then by the distance of their first 64
// bytes.
std::vector<std::string> nearest_names(std::string_view name, std::span<const std::string> valid, int max_names = 3);

// "a, b, c"
std::string join(std::span<const std::string> parts, std::string_view separator = ", ");

// A word of a command line as a shell takes it: in single quotes where it would split or interpret it.
std::string shell_word(std::string_view text);

// "1 line", "2 lines"
std::string count_of(std::int64_t n, const std::string& noun);

// "unknown device 'rice_fgpa' in PLACE; nearest: rice_fpga, ..." ; `where` may be empty.
std::string unknown_name(std::string_view what, std::string_view name, std::string_view where,
                         std::span<const std::string> valid);

}  // namespace oneproxy
