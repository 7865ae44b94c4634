// Architectures as strings: reading and writing them in the form that the space declares.
#include <algorithm>

#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/space/space.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

std::vector<std::string> split(const std::string& text, const std::string& separators) {
  std::vector<std::string> parts;
  std::string part;
  for (char c : text) {
    if (separators.find(c) == std::string::npos) {
      part += c;
    } else if (!part.empty()) {
      parts.push_back(part);
      part.clear();
    }
  }
  if (!part.empty()) parts.push_back(part);
  return parts;
}

const std::string kNumbers = "0123456789,;|-/ []()";
const std::string kResolution = "r=";

}  // namespace

std::string SearchSpace::to_string(std::span<const std::uint8_t> choices) const {
  ONEPROXY_ASSERT(choices.size() == radices_.size());
  if (is_listed()) return list_.names[row_of(list_.choices, choices)];
  if (string_form_ == "stages") return stages_to_string(choices);
  std::string text;
  if (string_form_ == "named") {
    for (int d = 0; d < n_decisions(); ++d)
      text += (d ? "|" : "") + decisions_[d].name + "=" + decisions_[d].choices[choices[d]].operation.name;
    return text;
  }
  for (int d = 0; d < n_decisions(); ++d) {
    const auto& op = decisions_[d].choices[choices[d]].operation.name;
    if (string_form_ == "list") {
      text += (d ? "|" : "") + op;
    } else {
      if (d == 0)
        text += "|";
      else if (decisions_[d].to != decisions_[d - 1].to)
        text += "+|";
      text += op + "~" + std::to_string(decisions_[d].from) + "|";
    }
  }
  return text;
}

// Resolution, then the active blocks of each stage.
std::string SearchSpace::stages_to_string(std::span<const std::uint8_t> choices) const {
  std::string text = resolutions_.empty() ? "" : decisions_[0].choices[choices[0]].operation.name;
  for (const auto& stage : stages_) {
    std::string blocks;
    for (const auto choice : choices.subspan(stage.first_decision, stage.n_decisions))
      if (choice != 0) blocks += (blocks.empty() ? "" : " ") + operations_[choice].name;
    text += (text.empty() ? "" : "|") + blocks;
  }
  return text;
}

int SearchSpace::operation_of(const std::string& op, std::size_t decision, const std::string& text) const {
  const auto& at = decisions_[std::min(decision, decisions_.size() - 1)];  // what is too long is told by its length
  std::vector<std::string> names;
  for (const auto& choice : at.choices) names.push_back(choice.operation.name);
  const auto found = std::find(names.begin(), names.end(), op);
  if (found == names.end())
    throw Error(unknown_name("operation of " + at.name, op, "architecture '" + text + "'", names));
  return static_cast<int>(found - names.begin());
}

std::vector<std::uint8_t> SearchSpace::parse_numbers(const std::string& text) const {
  std::vector<std::uint8_t> choices;
  for (const auto& part : split(text, ",;|-/ []()")) {
    const bool number = part.size() <= 3 && part.find_first_not_of("0123456789") == std::string::npos;
    const int value = number ? std::stoi(part) : -1;
    const std::size_t d = choices.size();
    if (d < radices_.size() && (value < 0 || value >= radices_[d]))
      throw Error("architecture '" + text + "': choice '" + part + "' of " + decisions_[d].name +
                  " should be a number from 0 to " + std::to_string(radices_[d] - 1) + " in space " + name_);
    choices.push_back(static_cast<std::uint8_t>(value));
  }
  return choices;
}

int SearchSpace::resolution_of(const std::string& part, const std::string& text) const {
  std::vector<std::string> known;
  for (const int pixels : resolutions_) known.push_back(kResolution + std::to_string(pixels));
  const auto found = std::find(known.begin(), known.end(), part);
  if (found != known.end()) return static_cast<int>(found - known.begin());
  const std::string number = part.rfind(kResolution, 0) == 0 ? part.substr(kResolution.size()) : "";
  if (number.empty() || number.size() > 6 || number.find_first_not_of("0123456789") != std::string::npos)
    throw Error("architecture '" + text + "' should begin with its resolution, for example " + known.back() +
                ", and has '" + part + "' there");
  const int asked = std::stoi(number);
  const auto nearest = std::min_element(resolutions_.begin(), resolutions_.end(),
                                        [&](int a, int b) { return std::abs(a - asked) < std::abs(b - asked); });
  throw Error("architecture '" + text + "': space " + name_ + " has no resolution " + number +
              "; nearest: " + std::to_string(*nearest) + " (it has " + std::to_string(resolutions_.size()) + " from " +
              std::to_string(resolutions_.front()) + " to " + std::to_string(resolutions_.back()) + ")");
}

std::vector<std::uint8_t> SearchSpace::parse_stages(const std::string& text) const {
  std::vector<std::string> parts = split(text, "|");
  std::vector<std::uint8_t> choices;
  if (!resolutions_.empty()) {
    const auto first = parts.empty() ? std::vector<std::string>{} : split(parts[0], " ");
    choices.push_back(static_cast<std::uint8_t>(resolution_of(first.size() == 1 ? first[0] : text, text)));
    parts.erase(parts.begin());
  }
  if (parts.size() != stages_.size()) {  // every block by name
    for (const auto& part : parts)
      for (const auto& op : split(part, " "))
        choices.push_back(static_cast<std::uint8_t>(operation_of(op, choices.size(), text)));
    if (choices.size() != radices_.size())
      throw Error("architecture '" + text + "' has " + std::to_string(parts.size()) + " parts behind its resolution, " +
                  "space " + name_ + " has " + std::to_string(stages_.size()) + " stages; for example " +
                  to_string(this->choices(0)));
    return choices;
  }
  for (std::size_t s = 0; s < parts.size(); ++s) {
    const auto& stage = stages_[s];
    const auto blocks = split(parts[s], " ");
    if (static_cast<int>(blocks.size()) > stage.n_decisions)
      throw Error("architecture '" + text + "': " + stage.name + " has " + std::to_string(blocks.size()) +
                  " blocks; it has at most " + std::to_string(stage.n_decisions));
    for (int b = 0; b < stage.n_decisions; ++b)
      choices.push_back(b < static_cast<int>(blocks.size())
                            ? static_cast<std::uint8_t>(operation_of(blocks[b], choices.size(), text))
                            : std::uint8_t{0});
  }
  return choices;
}

// "decision=choice" for each decision, in any order.
std::vector<std::uint8_t> SearchSpace::parse_named(const std::string& text) const {
  std::vector<std::string> names;
  for (const auto& decision : decisions_) names.push_back(decision.name);
  const std::string where = "architecture '" + text + "'";
  std::vector<int> chosen(decisions_.size(), -1);
  for (const auto& part : split(text, "| ")) {
    const auto equal = part.find('=');
    const auto found = std::find(names.begin(), names.end(), part.substr(0, equal));
    if (equal == std::string::npos)
      throw Error(where + ": '" + part + "' should be DECISION=CHOICE; for example " + to_string(this->choices(0)));
    if (found == names.end()) throw Error(unknown_name("decision", part.substr(0, equal), where, names));
    const auto d = found - names.begin();
    if (chosen[d] >= 0) throw Error(where + ": decides " + *found + " twice");
    std::vector<std::string> known;
    for (const auto& choice : decisions_[d].choices) known.push_back(choice.operation.name);
    const auto choice = std::find(known.begin(), known.end(), part.substr(equal + 1));
    if (choice == known.end()) throw Error(unknown_name("choice of " + *found, part.substr(equal + 1), where, known));
    chosen[d] = static_cast<int>(choice - known.begin());
  }
  const auto missing = std::find(chosen.begin(), chosen.end(), -1);
  if (missing != chosen.end()) throw Error(where + ": does not decide " + names[missing - chosen.begin()]);
  return {chosen.begin(), chosen.end()};
}

std::vector<std::uint8_t> SearchSpace::parse_cell(const std::string& text) const {
  std::vector<std::uint8_t> choices;
  const std::string node_separator = "+";
  std::size_t node = 0;
  for (const auto& inputs : split(text, node_separator)) {
    ++node;
    for (const auto& part : split(inputs, "| ")) {
      const auto tilde = part.find('~');
      const std::size_t d = choices.size();
      const std::string op = part.substr(0, tilde);
      const int choice = operation_of(op, d, text);
      if (d < decisions_.size() &&
          (tilde == std::string::npos || part.substr(tilde + 1) != std::to_string(decisions_[d].from) ||
           static_cast<int>(node) != decisions_[d].to))
        throw Error("architecture '" + text + "': '" + part + "' stands where " + decisions_[d].name +
                    " is expected, as " + op + "~" + std::to_string(decisions_[d].from) + " of node " +
                    std::to_string(decisions_[d].to));
      choices.push_back(static_cast<std::uint8_t>(choice));
    }
  }
  return choices;
}

std::vector<std::uint8_t> SearchSpace::parse_listed(const std::string& text) const {
  const auto row = row_of(list_, text);
  if (row < 0) throw Error(unknown_name("network", text, list_.file, list_.names));
  return this->choices(static_cast<ArchIndex>(row));
}

std::vector<std::uint8_t> SearchSpace::parse(const std::string& text) const {
  std::vector<std::uint8_t> choices;
  const bool name = is_listed() && row_of(list_, text) >= 0;  // which may consist of digits
  if (!name && text.find_first_not_of(kNumbers) == std::string::npos) {
    choices = parse_numbers(text);
  } else if (is_listed()) {
    choices = parse_listed(text);
  } else if (string_form_ == "stages") {
    choices = parse_stages(text);
  } else if (string_form_ == "named") {
    choices = parse_named(text);
  } else if (string_form_ == "list") {
    for (const auto& part : split(text, "| "))
      choices.push_back(static_cast<std::uint8_t>(operation_of(part, choices.size(), text)));
  } else {
    choices = parse_cell(text);
  }
  if (choices.size() != radices_.size())
    throw Error("architecture '" + text + "' has " + std::to_string(choices.size()) + " decisions, space " + name_ +
                " has " + std::to_string(radices_.size()) + "; for example " + to_string(this->choices(0)));
  if (const auto what = fault(choices); !what.empty()) throw Error("architecture '" + text + "': " + what);
  return choices;
}

}  // namespace oneproxy
