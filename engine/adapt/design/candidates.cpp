#include "oneproxy/engine/adapt/design/candidates.h"

#include "oneproxy/engine/base/streams.h"

namespace oneproxy {
namespace {

constexpr ArchIndex kSmallSpace = 1 << 16;  // architectures up to which all indices are shuffled

}  // namespace

SpaceCandidates::SpaceCandidates(const SearchSpace& space, std::uint64_t seed, std::uint32_t number)
    : SpaceCandidates(SubSpace::of(space), seed, number) {}

SpaceCandidates::SpaceCandidates(SubSpace part, std::uint64_t seed, std::uint32_t number)
    : part_(std::move(part)), random_(random_stream(seed, Draws::design_pool, number)) {
  if (part_.size() <= kSmallSpace) order_ = random_permutation(static_cast<std::int64_t>(part_.size()), random_);
}

std::optional<std::vector<std::uint8_t>> SpaceCandidates::next() {
  if (!order_.empty()) {
    if (drawn_ == order_.size()) return std::nullopt;
    return part_.choices(static_cast<ArchIndex>(order_[drawn_++]));
  }
  while (true) {
    std::vector<std::uint32_t> digits;
    for (const auto radix : part_.radices())
      digits.push_back(static_cast<std::uint32_t>(random_.below(draw_++, radix)));
    auto choices = part_.choices(digits);
    if (seen_.insert(choices).second) return choices;
  }
}

RowCandidates::RowCandidates(std::span<const std::uint8_t> choices, std::size_t n_decisions, std::uint64_t seed,
                             std::uint32_t number)
    : choices_(choices),
      decisions_(n_decisions),
      order_(random_permutation(static_cast<std::int64_t>(choices.size() / n_decisions),
                                random_stream(seed, Draws::design_pool, number))) {}

std::optional<std::vector<std::uint8_t>> RowCandidates::next() {
  if (drawn_ == order_.size()) return std::nullopt;
  const auto one = choices_.subspan(order_[drawn_++] * decisions_, decisions_);
  return std::vector<std::uint8_t>(one.begin(), one.end());
}

}  // namespace oneproxy
