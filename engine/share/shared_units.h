#pragma once
// Independent pieces of work with a small result each, as the trials of an experiment, done by whoever shares the run:
// by the threads of this process, by shards, by ranks. A run that was stopped goes on with those that are left.
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "oneproxy/engine/share/sharing.h"

namespace oneproxy {

// What a unit leaves behind; another process reads it to the same bits.
struct UnitResult {
  std::vector<double> numbers;
  std::string text = {};
};

// Units of one kind. All stages of a run have other names.
struct UnitStage {
  std::string name;            // "trials of fbnet"
  std::string doing, counted;  // of its progress: "adapting", "trials"
  std::int64_t n = 0;
  // Shards take every n-th unit, so that each has some of every sort; else neighbours stay together, which may share
  // preparations.
  bool in_turn = false;
  bool side_by_side = true;  // false: not to run in several threads
};

class SharedUnits {
 public:
  // Reads what is done already. `identity`: of all that decides the results. `sharing` must live as long.
  // Errors: a state of another identity, a broken one.
  SharedUnits(const Sharing& sharing, const std::string& identity);

  // Those that this process may have to do: nobody has done them, and no other shard has them.
  std::vector<std::int64_t> open(const UnitStage& stage) const;

  // Does them, in any order and in any thread; returns the results of all units [n], of a shard those of its own, the
  // others without numbers. Errors: what `compute` throws; a shard to merge that is not finished. An interrupt saves
  // the state first, where one is kept.
  std::vector<UnitResult> run(const UnitStage& stage, const std::function<UnitResult(std::int64_t unit)>& compute);

 private:
  using Results = std::map<std::int64_t, UnitResult>;  // by unit

  void load(const StateFile& file);
  void save() const;
  void require_finished(const UnitStage& stage, const Results& results) const;

  const Sharing& sharing_;
  std::string identity_;
  std::map<std::string, Results> own_;  // by stage: done by this process, or before it by those that it took over
  std::map<std::string, std::set<std::int64_t>> elsewhere_;  // done before by other ranks, which hold the results
};

}  // namespace oneproxy
