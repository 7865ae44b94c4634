#include "oneproxy/engine/space/subspace.h"

#include <fnmatch.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <set>

#include "oneproxy/engine/base/names.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator)
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

// As fix() takes them: of the resolution the pixels alone.
std::vector<std::string> choice_names(const SearchSpace& space, int decision) {
  std::vector<std::string> names;
  for (const auto& choice : space.decisions()[decision].choices) names.push_back(choice.operation.name);
  if (decision == 0 && !space.resolutions().empty())
    std::transform(space.resolutions().begin(), space.resolutions().end(), names.begin(),
                   [](int pixels) { return std::to_string(pixels); });
  return names;
}

// The names that a text means: the one that it is, else those that it matches as a pattern with * and ?.
std::vector<std::size_t> matches(const std::string& text, const std::vector<std::string>& names) {
  if (const auto found = std::find(names.begin(), names.end(), text); found != names.end())
    return {static_cast<std::size_t>(found - names.begin())};
  std::vector<std::size_t> matched;
  if (text.find_first_of("*?") != std::string::npos)
    for (std::size_t i = 0; i < names.size(); ++i)
      if (fnmatch(text.c_str(), names[i].c_str(), FNM_NOESCAPE) == 0) matched.push_back(i);
  return matched;
}

}  // namespace

SubSpace::SubSpace(const SearchSpace& space) : space_(&space) {
  for (const auto& digit : space.digits()) {
    values_.emplace_back(digit.radix);
    std::iota(values_.back().begin(), values_.back().end(), 0u);
  }
  rebuild();
}

SubSpace SubSpace::of(const SearchSpace& space) {
  SubSpace part(space);
  if (space.kept().empty()) return part;
  for (const auto& text : space.kept()) {
    try {
      part.fix(text);
    } catch (const Error& error) {
      throw Error(space.reference() + ": " + error.what());
    }
  }
  part.restrictions_.clear();  // the file says them
  part.name_ = std::filesystem::path(space.reference()).stem().string();
  return part;
}

void SubSpace::rebuild() {
  const DigitCode whole = space_->code();
  radices_.clear();
  rows_.clear();
  size_ = 1;
  std::size_t offset = 0;
  for (std::size_t d = 0; d < values_.size(); ++d) {
    radices_.push_back(static_cast<std::uint32_t>(values_[d].size()));
    size_ *= values_[d].size();
    for (const auto value : values_[d])
      for (int part = 0; part < whole.parts; ++part) rows_.push_back(whole.rows[(offset + value) * whole.parts + part]);
    offset += whole.radices[d];
  }
}

DigitCode SubSpace::code() const {
  const DigitCode whole = space_->code();
  return {radices_, whole.parts, rows_, whole.n_rows};
}

void SubSpace::restrict_digit(int digit, const std::function<bool(std::uint32_t)>& kept, const std::string& why) {
  auto& values = values_.at(digit);
  std::vector<std::uint32_t> left;
  std::copy_if(values.begin(), values.end(), std::back_inserter(left), kept);
  if (left.empty())
    throw Error(why + " leaves no choice for " + space_->digits()[digit].name + " of space " + space_->name());
  if (left.size() == values.size()) return;
  values = std::move(left);
  rebuild();
}

void SubSpace::fix(const std::string& text) {
  const auto equal = text.find('=');
  std::vector<std::string> names;
  for (const auto& decision : space_->decisions()) names.push_back(decision.name);
  const std::string what = "fix \"" + text + "\"";
  if (equal == std::string::npos)
    throw Error(what + " should be \"DECISION=CHOICE\" or \"DECISION=CHOICE|CHOICE\", for example \"" + names.front() +
                "=" + space_->decisions().front().choices.front().operation.name + "\"");
  const auto decisions = matches(text.substr(0, equal), names);
  if (decisions.empty()) throw Error(unknown_name("decision", text.substr(0, equal), what, names));
  for (const auto decision : decisions) {
    const auto choices = choice_names(*space_, static_cast<int>(decision));
    std::vector<char> allowed(choices.size(), 0);
    for (const auto& part : split(text.substr(equal + 1), '|')) {
      const auto found = matches(part, choices);
      if (found.empty()) throw Error(unknown_name("choice", part, what, choices));
      for (const auto choice : found) allowed[choice] = 1;
    }
    keep_choices(static_cast<int>(decision), allowed, what);
  }
  restrictions_ += (restrictions_.empty() ? "" : ", ") + text;
}

void SubSpace::keep_choices(int decision, const std::vector<char>& allowed, const std::string& why) {
  const auto& digits = space_->digits();
  for (std::size_t d = 0; d < digits.size(); ++d) {
    const auto& digit = digits[d];
    const int at = decision - digit.first_decision;
    if (at < 0 || at >= digit.n_decisions) continue;
    restrict_digit(
        static_cast<int>(d),
        [&](std::uint32_t value) { return allowed[digit.values[value * digit.n_decisions + at]] != 0; }, why);
  }
}

std::vector<std::string> SubSpace::fixes() const {
  std::vector<std::string> texts;
  for (int d = 0; d < space_->n_decisions(); ++d) {
    const auto names = choice_names(*space_, d);
    const auto kept = choices_of_decision(d);
    if (kept.size() == names.size()) continue;
    std::vector<std::string> own;
    for (const auto choice : kept) own.push_back(names[choice]);
    texts.push_back(space_->decisions()[d].name + "=" + join(own, "|"));
  }
  return texts;
}

void SubSpace::keep_uniform_stages() {
  const auto& digits = space_->digits();
  for (std::size_t d = 0; d < digits.size(); ++d) {
    const auto& digit = digits[d];
    if (digit.n_decisions == 1) continue;
    // An inactive block of a composite digit has no part in the network: choice 0.
    const auto uniform = [&](std::uint32_t value) {
      const auto* choices = digit.values.data() + static_cast<std::size_t>(value) * digit.n_decisions;
      return std::all_of(choices, choices + digit.n_decisions,
                         [&](std::uint8_t choice) { return choice == 0 || choice == choices[0]; });
    };
    restrict_digit(static_cast<int>(d), uniform, "uniform_stages");
  }
  restrictions_ += std::string(restrictions_.empty() ? "" : ", ") + "all blocks of a stage alike";
}

std::vector<std::uint8_t> SubSpace::choices(std::span<const std::uint32_t> digits) const {
  ONEPROXY_ASSERT(digits.size() == radices_.size());
  std::vector<std::uint32_t> of_space(digits.size());
  for (std::size_t d = 0; d < digits.size(); ++d) of_space[d] = values_[d].at(digits[d]);
  return space_->choices_of(of_space);
}

std::vector<std::uint8_t> SubSpace::choices(ArchIndex index) const {
  std::vector<std::uint32_t> digits(radices_.size());
  decode_digits(index, radices_.data(), n_digits(), digits.data());
  return choices(digits);
}

std::vector<std::uint8_t> SubSpace::choices_of_decision(int decision) const {
  std::set<std::uint8_t> found;
  for (std::size_t d = 0; d < values_.size(); ++d) {
    const Digit& digit = space_->digits()[d];
    const int at = decision - digit.first_decision;
    if (at < 0 || at >= digit.n_decisions) continue;
    for (const auto value : values_[d]) found.insert(digit.values[std::size_t{value} * digit.n_decisions + at]);
  }
  return {found.begin(), found.end()};
}

std::vector<std::uint32_t> SubSpace::digits(std::span<const std::uint8_t> choices) const {
  auto digits = space_->digits_of(choices);
  for (std::size_t d = 0; d < digits.size(); ++d) {
    const auto found = std::lower_bound(values_[d].begin(), values_[d].end(), digits[d]);
    if (found == values_[d].end() || *found != digits[d]) return {};
    digits[d] = static_cast<std::uint32_t>(found - values_[d].begin());
  }
  return digits;
}

std::string SubSpace::describe() const {
  const std::string whole = name_.empty() ? space_->name() : name_ + ", a part of " + space_->name();
  if (!restrictions_.empty()) return whole + " with " + restrictions_;
  return name_.empty() ? "all of " + whole : whole;
}

}  // namespace oneproxy
