#pragma once
// A run of architectures, piece after piece, each in the order of descending quality. The first architecture that keeps
// a device's limit is then its answer, ties aside, and what comes behind it need not be scored. Private to kernels/.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "oneproxy/kernels/base/digits.h"
#include "oneproxy/kernels/score/fleet.h"
#include "oneproxy/kernels/score/scorer.h"

namespace oneproxy::detail {

struct QualityOrder {
  std::vector<double> quality;        // [n], descending, no NaN
  std::vector<ArchIndex> index;       // [n], ascending where the quality is equal
  std::vector<std::uint32_t> digits;  // [n, n_digits]

  std::int64_t size() const { return static_cast<std::int64_t>(quality.size()); }
  // [n] Behind the last place of the same quality.
  std::vector<std::uint32_t> group_ends() const;
  // How many have at least this quality.
  std::int64_t end_of(double least) const {
    return std::upper_bound(quality.begin(), quality.end(), least, std::greater<>()) - quality.begin();
  }
};

class QualityPieces {
 public:
  // Views the code and given values.
  QualityPieces(const DigitCode& code, const FleetQuality& quality, const IndexRange& run, Backend backend);
  const IndexRange& run() const { return run_; }
  // Architectures of a piece, 1 .. 2^31.
  void set_piece(std::uint64_t piece) { piece_ = piece; }
  // The next piece, of which what is below `least` is left out; false where the run is over.
  bool next(double least, QualityOrder& order);

 private:
  std::span<const double> qualities(std::uint64_t count);  // of the next `count` positions

  DigitCode code_;
  IndexRange run_;
  DigitSplit split_;
  std::uint64_t piece_ = std::uint64_t{1} << 17;  // what is kept of it stays in the cache
  std::uint64_t done_ = 0;
  std::unique_ptr<const Scorer> scorer_;  // none where values are given
  std::span<const double> given_;
  std::vector<double> scored_;
};

}  // namespace oneproxy::detail
