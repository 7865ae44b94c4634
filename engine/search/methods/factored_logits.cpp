#include "oneproxy/engine/search/methods/factored_logits.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

// Of each choice what it may have in common with others, as far as choices differ in it; with its name where that does
// not tell all of them apart. [n_choices][n_attributes]
std::vector<std::vector<std::string>> attributes_of(const Decision& decision) {
  const std::size_t n = decision.choices.size();
  std::vector<std::vector<std::string>> columns(6), attributes(n);
  std::vector<std::string> names;
  for (const auto& choice : decision.choices) {
    const Operation& o = choice.operation;
    columns[0].push_back(o.kind);
    columns[1].push_back(std::to_string(o.kernel));
    columns[2].push_back(std::to_string(o.expansion));
    columns[3].push_back(std::to_string(o.groups));
    columns[4].push_back(std::to_string(o.repeats));
    columns[5].push_back(o.squeeze_excitation ? "1" : "0");
    names.push_back(o.name);
  }
  const auto add = [&](const std::vector<std::string>& column) {
    for (std::size_t c = 0; c < n; ++c) attributes[c].push_back(column[c]);
  };
  for (const auto& column : columns)
    if (std::any_of(column.begin(), column.end(), [&](const auto& own) { return own != column[0]; })) add(column);
  const std::set<std::vector<std::string>> distinct(attributes.begin(), attributes.end());
  if (distinct.size() < n || attributes[0].empty()) add(names);
  return attributes;
}

}  // namespace

FactoredLogits::FactoredLogits(const SubSpace& part, Factoring factoring, std::optional<std::uint32_t> first_digit)
    : first_digit_(first_digit) {
  for (int d = 0; d < part.n_digits(); ++d) {
    const Digit& digit = part.space().digits()[d];
    DigitFactors own;
    own.radix = part.radices()[d];
    std::vector<std::vector<std::string>> levels(own.radix);  // [radix][n_factors]
    const auto choice_of = [&](std::size_t v, int i) {
      return digit.values[static_cast<std::size_t>(part.values(d)[v]) * digit.n_decisions + i];
    };
    if (factoring == Factoring::joint) {
      own.decisions = {-1};
      for (std::size_t v = 0; v < own.radix; ++v) levels[v] = {std::to_string(v)};
    } else {
      for (int i = 0; i < digit.n_decisions; ++i) {
        const auto attributes = attributes_of(part.space().decisions()[digit.first_decision + i]);
        const std::size_t n = factoring == Factoring::attributes ? attributes.front().size() : 1;
        own.decisions.insert(own.decisions.end(), n, i);
        for (std::size_t v = 0; v < own.radix; ++v) {
          const auto choice = choice_of(v, i);
          if (factoring == Factoring::attributes)
            levels[v].insert(levels[v].end(), attributes[choice].begin(), attributes[choice].end());
          else
            levels[v].push_back(std::to_string(choice));
        }
      }
    }
    std::map<std::pair<std::size_t, std::string>, std::uint32_t> parameters;
    for (const auto& of_value : levels)
      for (std::size_t f = 0; f < of_value.size(); ++f) {
        const auto next = static_cast<std::uint32_t>(n_parameters_ + parameters.size());
        own.parameter_of.push_back(parameters.try_emplace({f, of_value[f]}, next).first->second);
      }
    n_parameters_ += parameters.size();
    digits_.push_back(std::move(own));
  }
}

void FactoredLogits::logits(int digit, std::span<const double> parameters, std::span<double> logits) const {
  const DigitFactors& own = digits_[digit];
  const std::size_t n = own.decisions.size();
  const std::uint32_t* at = own.parameter_of.data();
  for (std::size_t v = 0; v < own.radix; ++v, at += n) {
    double sum = 0;
    for (std::size_t f = 0; f < n; ++f) sum += parameters[at[f]];
    logits[v] = sum;
  }
  if (digit == 0 && first_digit_)
    for (std::size_t v = 0; v < own.radix; ++v)
      if (v != *first_digit_) logits[v] = -std::numeric_limits<double>::infinity();
}

void FactoredLogits::add_gradient(int digit, std::span<const double> by_logits, std::span<double> gradient) const {
  const DigitFactors& own = digits_[digit];
  const std::size_t n = own.decisions.size();
  const std::uint32_t* at = own.parameter_of.data();
  for (std::size_t v = 0; v < own.radix; ++v, at += n) {
    if (by_logits[v] == 0) continue;
    for (std::size_t f = 0; f < n; ++f) gradient[at[f]] += by_logits[v];
  }
}

std::vector<double> FactoredLogits::refine(const FactoredLogits& coarse, std::span<const double> parameters) const {
  ONEPROXY_ASSERT(coarse.digits_.size() == digits_.size() && parameters.size() == coarse.n_parameters_);
  std::vector<double> fine(n_parameters_, 0.0);
  for (std::size_t d = 0; d < digits_.size(); ++d) {
    const DigitFactors& own = digits_[d];
    const DigitFactors& from = coarse.digits_[d];
    for (std::size_t v = 0; v < own.radix; ++v)
      for (std::size_t f = 0; f < own.decisions.size(); ++f) {
        double sum = 0;  // the same for all values that share this level
        for (std::size_t g = 0; g < from.decisions.size(); ++g)
          if (own.decisions[f] < 0 || own.decisions[f] == from.decisions[g])
            sum += parameters[from.parameter_of[v * from.decisions.size() + g]];
        fine[own.parameter_of[v * own.decisions.size() + f]] = sum;
      }
  }
  return fine;
}

double softmax(std::span<double> logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0, weighted = 0;
  for (double& logit : logits) {
    const double centred = logit - largest, e = std::exp(centred);
    sum += e;
    if (e > 0) weighted += e * centred;  // a logit of minus infinity: impossible
    logit = e;
  }
  for (double& logit : logits) logit /= sum;
  return std::max(0.0, std::log(sum) - weighted / sum);
}

}  // namespace oneproxy
