#include "oneproxy/engine/base/names.h"

#include <algorithm>
#include <cctype>
#include <numeric>

namespace oneproxy {
namespace {

// Of a name, where the nearest is looked for: the time of a distance is the product of the lengths, and a file may hold
// a name of a megabyte.
constexpr std::size_t kCompared = 64;

}  // namespace

int edit_distance(std::string_view a, std::string_view b) {
  std::vector<int> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  for (std::size_t i = 1; i <= a.size(); ++i) {
    int diagonal = row[0];
    row[0] = static_cast<int>(i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const int replace = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));
      diagonal = row[j];
      row[j] = std::min({replace, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

std::vector<std::string> nearest_names(std::string_view name, std::span<const std::string> valid, int max_names) {
  struct Candidate {
    int distance;
    const std::string* name;
  };
  std::vector<Candidate> candidates;
  for (const auto& one : valid)
    candidates.push_back({edit_distance(name.substr(0, kCompared), std::string_view(one).substr(0, kCompared)), &one});
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.distance < b.distance; });
  candidates.resize(std::min<std::size_t>(candidates.size(), max_names));
  std::vector<std::string> nearest;
  for (const auto& candidate : candidates) nearest.push_back(*candidate.name);
  return nearest;
}

std::string join(std::span<const std::string> parts, std::string_view separator) {
  std::string text;
  for (const auto& part : parts) {
    if (!text.empty()) text += separator;
    text += part;
  }
  return text;
}

std::string shell_word(std::string_view text) {
  auto plain = [](unsigned char c) {
    return std::isalnum(c) || std::string_view("_./:=,+@%-").find(static_cast<char>(c)) != std::string_view::npos;
  };
  if (!text.empty() && std::all_of(text.begin(), text.end(), plain)) return std::string(text);
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? "'\\''" : std::string(1, c);
  return word + "'";
}

std::string count_of(std::int64_t n, const std::string& noun) {
  return std::to_string(n) + " " + noun + (n == 1 ? "" : "s");
}

std::string unknown_name(std::string_view what, std::string_view name, std::string_view where,
                         std::span<const std::string> valid) {
  std::string text = "unknown " + std::string(what) + " '" + std::string(name) + "'";
  if (!where.empty()) text += " in " + std::string(where);
  return text + (valid.empty() ? "; there is none" : "; nearest: " + join(nearest_names(name, valid)));
}

}  // namespace oneproxy
