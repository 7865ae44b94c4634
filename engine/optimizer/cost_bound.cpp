#include "oneproxy/engine/optimizer/cost_bound.h"

#include <algorithm>
#include <cmath>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

// The smallest range that holds both.
void include(CostBound::Range& range, const CostBound::Range& other) {
  range.least = std::min(range.least, other.least);
  range.most = std::max(range.most, other.most);
}

}  // namespace

StageRules::StageRules(const SearchSpace& space)
    : radices_(space.radices().begin(), space.radices().end()),
      places_(radices_.size()),
      selects_table_(!space.resolutions().empty()) {
  if (space.is_listed())
    throw Error("space " + space.name() +
                " is a list of networks, which no network decides choice by choice; `oneproxy search --method "
                "exhaustive` looks at all of them");
  for (const auto& stage : space.stages())
    for (int b = 0; b < stage.n_decisions; ++b)
      places_[stage.first_decision + b] = {true, b < stage.smallest_depth, b + 1 == stage.n_decisions};
}

CostBound::CostBound(const StageRules& rules, std::shared_ptr<const Predictor> predictor, const std::string& what)
    : rules_(&rules), predictor_(std::move(predictor)), what_(what) {
  const auto check_radices = [&](const std::vector<std::uint8_t>& radices) {
    if (!std::equal(radices.begin(), radices.end(), rules.radices().begin(), rules.radices().end()))
      throw Error(what + ": is of a space with other decisions than the optimizer's; take a predictor of its space");
  };
  if (const auto* table = std::get_if<IndexTable>(predictor_.get())) {
    check_radices(table->radices);
    bound_table(*table);
  } else if ((additive_ = std::get_if<AdditivePredictor>(predictor_.get()))) {
    check_radices(additive_->radices);
    if (additive_->rate)
      throw Error(what + ": predicts a rate, " + additive_->unit +
                  ", and an optimizer bounds a latency; adapt to the time of one item");
    ONEPROXY_ASSERT((additive_->n_tables() > 1) <= rules.selects_table());
    bound_sums();
  } else {
    throw Error(what +
                ": a multilayer perceptron tells nothing about a part of an architecture; fit a sum over "
                "decisions to it first (oneproxy adapt)");
  }
}

double CostBound::weight(std::size_t table, int decision, int choice) const {
  return additive_->table().weights_of(table)[offsets_[decision] + choice];
}

void CostBound::bound_sums() {
  const int n = rules_->n_decisions();
  std::size_t offset = 0;
  for (const auto radix : rules_->radices()) {
    offsets_.push_back(offset);
    offset += radix;
  }
  const auto n_tables = static_cast<std::size_t>(additive_->n_tables());
  rest_.resize(n_tables * (n + 1) * 2);
  double largest = 0;
  for (std::size_t t = 0; t < n_tables; ++t) {
    Range* rest = &rest_[t * (n + 1) * 2];
    rest[2 * n] = rest[2 * n + 1] = {0, 0};
    double total = std::isfinite(additive_->bias[t]) ? std::abs(additive_->bias[t]) : 0;
    for (int d = n - 1; d >= 0; --d) {
      double of_decision = 0;
      for (int choice = 0; choice < rules_->radices()[d]; ++choice) {
        const double w = weight(t, d, choice);
        if (std::isnan(w)) continue;
        of_decision = std::max(of_decision, std::abs(w));
        const Range& after = rest[2 * (d + 1) + rules_->closed_after(d, choice)];
        for (const bool closed : {false, true})
          if (rules_->open(d, closed, choice)) include(rest[2 * d + closed], {w + after.least, w + after.most});
      }
      total += of_decision;
    }
    largest = std::max(largest, total);
  }
  rounding_ = 1e-12 * largest;  // of sums of a few hundred numbers at most
}

void CostBound::bound_table(const IndexTable& table) {
  const int n = rules_->n_decisions();
  below_.resize(n + 1);
  for (const double value : table.values) below_[n].push_back({value, value});
  for (int d = n - 1; d >= 0; --d) {
    const std::size_t radix = rules_->radices()[d];
    below_[d].resize(below_[d + 1].size() / radix);
    for (std::size_t i = 0; i < below_[d + 1].size(); ++i) include(below_[d][i / radix], below_[d + 1][i]);
  }
}

CostBound::Range CostBound::range(const Prefix& prefix, int decision, int choice) const {
  if (!additive_) return below_[decision + 1][prefix.index * rules_->radices()[decision] + choice];
  const auto n = static_cast<std::size_t>(rules_->n_decisions());
  const Prefix now = extended(prefix, decision, choice);
  if (std::isnan(now.sum)) return {};
  const Range& rest =
      rest_[(now.table * (n + 1) + decision + 1) * 2 + (rules_->closed_after(decision, choice) ? 1 : 0)];
  return {now.sum + rest.least, now.sum + rest.most};
}

CostBound::Prefix CostBound::extended(const Prefix& prefix, int decision, int choice) const {
  Prefix now = prefix;
  if (!additive_) {
    now.index = prefix.index * rules_->radices()[decision] + choice;
    return now;
  }
  if (decision == 0 && rules_->selects_table()) {
    now.table = additive_->n_tables() > 1 ? choice : 0;
    now.sum = additive_->bias[now.table];
  }
  now.sum += weight(now.table, decision, choice);
  return now;
}

CostBound::Cheapest CostBound::cheapest() const {
  Cheapest found;
  Prefix prefix = begin();
  bool closed = false;
  for (int d = 0; d < rules_->n_decisions(); ++d) {
    int best = -1;
    for (int choice = 0; choice < rules_->radices()[d]; ++choice) {
      if (!rules_->open(d, closed, choice)) continue;
      const double least = range(prefix, d, choice).least;
      if (std::isinf(least) || (best >= 0 && !(least < found.value))) continue;
      best = choice;
      found.value = least;
    }
    if (best < 0) throw Error(what_ + ": has no entry for any whole architecture; import the table again");
    found.choices.push_back(static_cast<std::uint8_t>(best));
    prefix = extended(prefix, d, best);
    closed = rules_->closed_after(d, best);
  }
  return found;
}

}  // namespace oneproxy
