#pragma once
// How a run shares its work with other processes, and where it keeps what is done: alone, as a shard, as one of the
// ranks of mpirun, or to merge what shards have done.
#include <string>
#include <vector>

#include "oneproxy/engine/base/checkpoint.h"
#include "oneproxy/engine/share/processes.h"
#include "oneproxy/engine/share/shard.h"

namespace oneproxy {

// What a shard has done.
struct ShardFile {
  std::string path;
  Shard shard;
};

struct Sharing {
  std::string state = {};              // file for the state of the work: a checkpoint, or a shard's; "": none is kept
  double seconds = 30;                 // between two savings of it
  Shard shard = {};                    // does this part alone, and keeps its state when it is done
  H5Attributes about = {};             // what a shard's file says of itself
  std::vector<ShardFile> merged = {};  // all of a run: nothing is left to do
  Processes* processes = nullptr;      // null: alone

  bool is_part() const { return !shard.is_whole(); }
  bool is_merge() const { return !merged.empty(); }
};

// The file that this process writes: `state`, of a rank R above 0 state.R.
std::string own_state(const Sharing& sharing);

// The files that hold what is done already: those of any number of earlier ranks, or of the merged shards. The same at
// every rank.
struct StateFile {
  std::string path, remedy;  // remedy: against a damaged one
  int rank = 0;              // that wrote it
};
std::vector<StateFile> states_of(const Sharing& sharing);

// Of these, the ones that this process takes over: its own, and those of ranks that there are no more.
bool takes_over(const Sharing& sharing, const StateFile& file);

// Removes those that this process has taken over from other ranks, once they are in its own.
void remove_taken_over(const Sharing& sharing, const std::vector<StateFile>& files);

// After the result is safe: the states of all ranks.
void remove_states(const Sharing& sharing);

// A shard that is not done: which one, how far it is, and the remedy.
[[noreturn]] void throw_unfinished(const ShardFile& file, std::uint64_t done, std::uint64_t of);

}  // namespace oneproxy
