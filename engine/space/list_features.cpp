#include "oneproxy/engine/space/list_features.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr std::size_t kMostColumns = 256, kMostValues = std::size_t{1} << 23;
constexpr std::size_t kMostSizes = 64;  // columns of the group "size"
constexpr std::int64_t kFewest = 3;     // networks that a pair of words needs

using Column = std::vector<double>;

struct NamedColumn {
  std::string name;
  Column values;
};

// A word, or a pair of words, and the networks that have it.
struct Words {
  std::string name;
  Column has;  // 0 or 1
  std::int64_t count;
};

Words make_words(const std::string& name, Column has) {
  const auto count = static_cast<std::int64_t>(std::accumulate(has.begin(), has.end(), 0.0));
  return {name, std::move(has), count};
}

Column times(const Column& a, const Column& b) {
  Column product(a.size());
  std::transform(a.begin(), a.end(), b.begin(), product.begin(), std::multiplies<>());
  return product;
}

// Around 1, so that products of any two are of one size.
Column scaled(Column values) {
  double largest = 0;
  for (const double v : values) largest = std::max(largest, std::abs(v));
  if (largest > 0)
    for (double& v : values) v /= largest;
  return values;
}

// Each decision of words alone: one entry a word.
std::vector<std::vector<Words>> words_of(const SearchSpace& space) {
  const auto& list = space.list();
  const std::size_t n = list.names.size(), width = space.n_decisions();
  std::vector<std::vector<Words>> all;
  for (std::size_t d = 0; d < width; ++d) {
    if (list.feature_of_decision[d] >= 0) continue;
    auto& own = all.emplace_back();
    const auto& decision = space.decisions()[d];
    for (std::size_t c = 0; c < decision.choices.size(); ++c) {
      Column has(n);
      for (std::size_t i = 0; i < n; ++i) has[i] = list.choices[i * width + d] == c;
      own.push_back(make_words(decision.name + "=" + decision.choices[c].operation.name, std::move(has)));
    }
  }
  return all;
}

// Pairs of words of two decisions that some networks share and that is not the same as one of the two.
std::vector<Words> pairs_of(const std::vector<std::vector<Words>>& words) {
  std::vector<Words> pairs;
  for (std::size_t i = 0; i < words.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      for (const auto& a : words[i])
        for (const auto& b : words[j]) {
          if (a.count < kFewest || b.count < kFewest) continue;
          Words both = make_words(b.name + "," + a.name, times(a.has, b.has));
          if (both.count >= kFewest && both.count < a.count && both.count < b.count) pairs.push_back(std::move(both));
        }
  std::stable_sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) { return a.count > b.count; });
  return pairs;
}

}  // namespace

ListFeatures list_features(const SearchSpace& space) {
  ONEPROXY_ASSERT(space.is_listed());
  const auto& list = space.list();
  const std::size_t n = list.names.size(), n_numbers = list.features.size();
  std::vector<NamedColumn> size, factors;
  for (std::size_t f = 0; f < n_numbers; ++f) {
    Column values(n);
    for (std::size_t i = 0; i < n; ++i) values[i] = list.values[i * n_numbers + f];
    values = scaled(std::move(values));
    const auto& name = list.features[f];
    const bool decides = std::count(list.feature_of_decision.begin(), list.feature_of_decision.end(), f) > 0;
    const NamedColumn square{name + "^2", times(values, values)};
    size.push_back({name, values});
    size.push_back(square);
    factors.push_back(decides ? square : NamedColumn{name, values});
  }
  for (std::size_t i = 0; i < n_numbers; ++i)
    for (std::size_t j = 0; j < i && size.size() < kMostSizes; ++j)
      size.push_back({factors[j].name + "*" + factors[i].name, times(factors[j].values, factors[i].values)});

  const auto words = words_of(space);
  const std::size_t most = std::min(kMostColumns, kMostValues / n);
  std::vector<NamedColumn> of_words, of_pairs;
  const auto full = [&](std::size_t more) { return size.size() + of_words.size() + of_pairs.size() + more > most; };
  const auto add_products = [&](const Words& one, std::vector<NamedColumn>& to) {
    for (const auto& factor : factors) to.push_back({one.name + "*" + factor.name, times(one.has, factor.values)});
  };
  for (const auto& decision : words)
    for (const auto& word : decision)
      if (word.count >= kFewest && !full(n_numbers)) add_products(word, of_words);
  for (const auto& pair : pairs_of(words)) {
    if (full(1 + n_numbers)) break;
    of_pairs.push_back({pair.name, pair.has});
    add_products(pair, of_pairs);
  }

  ListFeatures features;
  std::vector<const Column*> columns;
  for (const auto& [name, group] :
       {std::pair("size", &size), std::pair("words", &of_words), std::pair("pairs", &of_pairs)}) {
    if (group->empty()) continue;
    features.groups.push_back({name, {}});
    for (const auto& column : *group) {
      features.groups.back().columns.push_back(column.name);
      columns.push_back(&column.values);
    }
  }
  features.values.resize(n * columns.size());
  for (std::size_t j = 0; j < columns.size(); ++j)
    for (std::size_t i = 0; i < n; ++i) features.values[i * columns.size() + j] = (*columns[j])[i];
  return features;
}

}  // namespace oneproxy
