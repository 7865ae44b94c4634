#pragma once
// The fp64 scores that decide between a device's candidates, on the calling thread. Private to kernels/.
#include <memory>

#include "oneproxy/kernels/base/isa.h"
#include "oneproxy/kernels/score/cpu/row_lists.h"
#include "oneproxy/kernels/score/fleet_candidates.h"
#include "oneproxy/kernels/score/score_function.h"

namespace oneproxy::detail {

class MlpOnTiles;

class FleetExact {
 public:
  // Views the model; packs it when the first scores are wanted.
  FleetExact(const Mlp& model, std::shared_ptr<const RowLists> lists, Isa isa);
  ~FleetExact();
  // digits [n, n_digits] -> scores [n].
  void score(const std::uint32_t* digits, std::int64_t n, double* scores);
  // Scores what is kept, to the answers.
  void settle(FleetCandidates& candidates, const QualityOrder& order, FleetAnswers& answers);

 private:
  const Mlp& model_;
  std::shared_ptr<const RowLists> lists_;
  Isa isa_;
  std::unique_ptr<MlpOnTiles> tiles_;
};

}  // namespace oneproxy::detail
