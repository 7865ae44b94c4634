#pragma once
// What an architecture costs at least, and at most, when its first choices are known: of predictors that are sums over
// decisions, or tables of a small space. A choice whose bound is beyond a limit can be left out before anything else is
// decided.
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/predictor/predictor.h"

namespace oneproxy {

// Decision after decision: which choices are open. In a stage the active blocks come first, so that a block without
// (choice 0) closes the stage.
class StageRules {
 public:
  explicit StageRules(const SearchSpace& space);

  int n_decisions() const { return static_cast<int>(radices_.size()); }
  std::span<const std::uint8_t> radices() const { return radices_; }
  bool selects_table() const { return selects_table_; }  // whether decision 0 is the resolution
  // closed: whether the stage of the decision has a block without before it.
  bool open(int decision, bool closed, int choice) const {
    const Place place = places_[decision];
    if (!place.in_stage) return true;
    return closed ? choice == 0 : choice != 0 || !place.active;
  }
  bool closed_after(int decision, int choice) const {
    return places_[decision].in_stage && !places_[decision].last && choice == 0;
  }

 private:
  struct Place {
    bool in_stage = false, active = false, last = false;  // active: the block may not be missing
  };
  std::vector<std::uint8_t> radices_;
  std::vector<Place> places_;
  bool selects_table_ = false;
};

class CostBound {
 public:
  // What is known of an architecture after its first choices.
  struct Prefix {
    std::size_t table = 0, index = 0;
    double sum = 0;
  };
  struct Range {
    double least = std::numeric_limits<double>::infinity(), most = -std::numeric_limits<double>::infinity();
  };

  // Keeps both. Errors, which begin with `what`: a predictor that is neither a table nor additive, or of other
  // decisions.
  CostBound(const StageRules& rules, std::shared_ptr<const Predictor> predictor, const std::string& what);

  Prefix begin() const { return {0, 0, additive_ && !rules_->selects_table() ? additive_->bias[0] : 0}; }
  // The architectures that go on with the choice, which the rules leave open: least is infinite where none can be
  // predicted. After the last decision both are the predictor's own value, to the bit.
  Range range(const Prefix& prefix, int decision, int choice) const;
  Prefix extended(const Prefix& prefix, int decision, int choice) const;
  // More than rounding can change in `range`.
  double rounding() const { return rounding_; }

  struct Cheapest {
    std::vector<std::uint8_t> choices;
    double value = 0;
  };
  Cheapest cheapest() const;  // Error where no architecture can be predicted

 private:
  void bound_sums();
  void bound_table(const IndexTable& table);
  double weight(std::size_t table, int decision, int choice) const;

  const StageRules* rules_;
  std::shared_ptr<const Predictor> predictor_;
  std::string what_;
  const AdditivePredictor* additive_ = nullptr;
  std::vector<std::size_t> offsets_;  // [n_decisions] of the decisions in a table
  std::vector<Range> rest_;           // [n_tables, n_decisions + 1, 2]: of the decisions from one on, open or closed
  std::vector<std::vector<Range>> below_;  // [n_decisions + 1][product of the first radices]
  double rounding_ = 0;
};

}  // namespace oneproxy
