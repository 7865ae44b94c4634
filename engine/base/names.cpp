#include "oneproxy/engine/base/names.h"

#include <algorithm>
#include <cctype>
#include <numeric>
#include <tuple>
#include <utility>

namespace oneproxy {
namespace {

// Of a name, where the nearest is looked for: the time of a distance is the product of the lengths, and a file may hold
// a name of a megabyte.
constexpr std::size_t kCompared = 64;

// Words that people use for one another where a setting is named.
const std::vector<std::vector<std::string_view>> kSynonyms = {
    {"n", "k", "num", "number", "count", "size", "sample", "total"},
    {"limit", "bound", "constraint", "threshold", "max"},
    {"budget", "evaluation", "eval", "iteration", "step", "generation", "epoch"},
    {"second", "time", "timeout", "duration"},
    {"seed", "random", "rng"},
    {"target", "device", "hardware", "platform"},
    {"proxy", "source", "reference"},
    {"algorithm", "method", "searcher", "strategy", "optimizer"},
    {"accuracy", "quality", "metric", "score"},
    {"space", "searchspace", "supernet"},
    {"store", "data", "dataset", "database"},
    {"trial", "repeat", "repetition", "run"},
    {"backend", "cuda", "gpu", "cpu"},
    {"rate", "lr"},
    {"train", "training", "fit"},
    {"validation", "val", "valid"},
    {"out", "output", "path", "file"},
};

char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// In small letters, without the s of a plural.
std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words(1);
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)))
      words.back() += lower(c);
    else if (!words.back().empty())
      words.emplace_back();
  }
  if (words.back().empty()) words.pop_back();
  for (auto& word : words)
    if (word.size() > 3 && word.ends_with('s') && !word.ends_with("ss")) word.pop_back();
  return words;
}

bool same_word(const std::string& a, const std::string& b) {
  if (a == b) return true;
  return std::any_of(kSynonyms.begin(), kSynonyms.end(), [&](const auto& group) {
    const auto has = [&](const std::string& word) {
      return std::find(group.begin(), group.end(), word) != group.end();
    };
    return has(a) && has(b);
  });
}

}  // namespace

bool same_meaning(std::string_view name, std::string_view other) {
  const auto words = words_of(name.substr(0, kCompared)), others = words_of(other.substr(0, kCompared));
  return !words.empty() && std::all_of(words.begin(), words.end(), [&](const std::string& word) {
    return std::any_of(others.begin(), others.end(), [&](const std::string& known) { return same_word(word, known); });
  });
}

bool natural_less(std::string_view a, std::string_view b) {
  const auto number_at = [](std::string_view text, std::size_t at) {
    std::size_t end = at;
    while (end < text.size() && is_digit(text[end])) ++end;
    while (at + 1 < end && text[at] == '0') ++at;  // 007 is 7
    return std::pair(text.substr(at, end - at), end);
  };
  std::size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (is_digit(a[i]) && is_digit(b[j])) {
      const auto [first, behind_first] = number_at(a, i);
      const auto [second, behind_second] = number_at(b, j);
      if (first.size() != second.size()) return first.size() < second.size();
      if (first != second) return first < second;
      i = behind_first;
      j = behind_second;
    } else {
      if (lower(a[i]) != lower(b[j])) return lower(a[i]) < lower(b[j]);
      ++i;
      ++j;
    }
  }
  if ((i < a.size()) != (j < b.size())) return j < b.size();
  return a < b;  // "a1" and "a01", "A" and "a": any order, but always the same
}

int edit_distance(std::string_view a, std::string_view b) {
  std::vector<int> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
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
    bool differs;  // in meaning, and by more than a slip of the finger
    int distance;
    const std::string* name;
  };
  std::vector<Candidate> candidates;
  for (const auto& one : valid) {
    const int distance = edit_distance(name.substr(0, kCompared), std::string_view(one).substr(0, kCompared));
    const bool slip = distance <= 1 && name.size() > 3;
    candidates.push_back({!slip && !same_meaning(name, one), distance, &one});
  }
  std::stable_sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return std::tie(a.differs, a.distance) < std::tie(b.differs, b.distance);
  });
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
