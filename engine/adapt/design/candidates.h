#pragma once
// Architectures among which a design chooses, in a random order.
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "oneproxy/engine/space/subspace.h"
#include "oneproxy/kernels/base/random.h"

namespace oneproxy {

class Candidates {
 public:
  virtual ~Candidates() = default;
  // Choices [n_decisions] of the next one; nothing after the last.
  virtual std::optional<std::vector<std::uint8_t>> next() = 0;
};

// Architectures of a space (of the part that its file describes) or of another part of it, each once: all of a small
// space, without end of a large one. `number` counts independent orders of one seed.
class SpaceCandidates : public Candidates {
 public:
  SpaceCandidates(const SearchSpace& space, std::uint64_t seed, std::uint32_t number);  // refers to the space
  SpaceCandidates(SubSpace part, std::uint64_t seed, std::uint32_t number);             // likewise
  std::optional<std::vector<std::uint8_t>> next() override;

 private:
  SubSpace part_;
  Philox random_;
  std::vector<std::int64_t> order_;  // of a small space: its indices
  std::size_t drawn_ = 0;            // of them
  std::uint64_t draw_ = 0;
  std::set<std::vector<std::uint8_t>> seen_;  // of a large space
};

// Rows of a set.
class RowCandidates : public Candidates {
 public:
  // choices [n, n_decisions]: referred to.
  RowCandidates(std::span<const std::uint8_t> choices, std::size_t n_decisions, std::uint64_t seed,
                std::uint32_t number);
  std::optional<std::vector<std::uint8_t>> next() override;
  const std::vector<std::int64_t>& order() const { return order_; }  // all rows, as next() gives them

 private:
  std::span<const std::uint8_t> choices_;
  std::size_t decisions_;
  std::vector<std::int64_t> order_;
  std::size_t drawn_ = 0;
};

}  // namespace oneproxy
