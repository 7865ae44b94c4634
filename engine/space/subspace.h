#pragma once
// A part of a space, in which some decisions have fewer choices: what a search runs over. Its digits are those of the
// space with fewer values each, so that it is a mixed radix of its own and the kernels need not know.
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/space/space.h"

namespace oneproxy {

class SubSpace {
 public:
  explicit SubSpace(const SearchSpace& space);  // all of it, whatever its file keeps; refers to `space`
  // The part that the space's file describes, all of it where that is a whole space: what searches, plans and scores
  // of a space mean. Error for what the file keeps and the space does not have.
  static SubSpace of(const SearchSpace& space);

  // Keeps some choices of one decision: "resolution=160|176", "layer 3=skip|k3_e1"; or, with * and ? for any letters
  // and for one, of several: "layer *=k*" keeps every layer, "layer 1?=k5*" wants kernel 5 in layers 10 to 19. Errors
  // name what is not known, and what would leave no network.
  void fix(const std::string& text);
  // Texts with which fix() makes this part of the whole space: one for each decision that lost choices. What the other
  // functions restrict is not in them.
  std::vector<std::string> fixes() const;
  // Keeps the stages whose active blocks are all the same: 27 of a stage's 7371 values in ofa_mbv3.
  void keep_uniform_stages();
  // Keeps the values (of the space) of one digit that `kept` says. Error where none is left, with `why`.
  void restrict_digit(int digit, const std::function<bool(std::uint32_t value)>& kept, const std::string& why);

  const SearchSpace& space() const { return *space_; }
  bool is_whole() const { return size_ == space_->size(); }
  ArchIndex size() const { return size_; }
  int n_digits() const { return static_cast<int>(radices_.size()); }
  std::span<const std::uint32_t> radices() const { return radices_; }
  const std::vector<std::uint32_t>& values(int digit) const { return values_[digit]; }  // of the space, ascending
  // Choices of one decision that some architecture here has, ascending.
  std::vector<std::uint8_t> choices_of_decision(int decision) const;
  DigitCode code() const;  // one row a (decision, choice) of the space; refers to this object

  // From this part's digits or index to choices. Order is kept: a lower index here is a lower index of the space.
  std::vector<std::uint8_t> choices(std::span<const std::uint32_t> digits) const;
  std::vector<std::uint8_t> choices(ArchIndex index) const;
  // Digits here of an architecture of the space; empty where it is not in this part.
  std::vector<std::uint32_t> digits(std::span<const std::uint8_t> choices) const;

  std::string describe()
      const;  // "all of fbnet", "phone, a part of fbnet", "ofa_mbv3 with resolution=160|176, stages alike"

 private:
  void rebuild();
  void keep_choices(int decision, const std::vector<char>& allowed, const std::string& why);

  const SearchSpace* space_;
  std::vector<std::vector<std::uint32_t>> values_;  // [n_digits]
  std::vector<std::uint32_t> radices_;
  std::vector<std::int32_t> rows_;
  ArchIndex size_ = 0;
  std::string name_;  // of the part's file
  std::string restrictions_;
};

}  // namespace oneproxy
