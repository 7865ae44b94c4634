#include "oneproxy/engine/share/sharing.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "oneproxy/engine/share/packed.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace fs = std::filesystem;
namespace {

std::string state_of(const std::string& state, int rank) {
  return rank == 0 ? state : state + "." + std::to_string(rank);
}

// Those of ranks, in their order.
std::vector<StateFile> found_states(const std::string& state) {
  const fs::path path(state);
  const std::string name = path.filename().string();
  std::vector<StateFile> found;
  std::error_code error;
  for (fs::directory_iterator at(path.parent_path().empty() ? fs::path(".") : path.parent_path(), error), end;
       !error && at != end; at.increment(error)) {
    const std::string own = at->path().filename().string();
    if (!own.starts_with(name)) continue;
    int rank = 0;
    if (own.size() > name.size()) {
      const char* begin = own.data() + name.size();
      const char* last = own.data() + own.size();
      if (*begin != '.') continue;
      const auto [stop, failure] = std::from_chars(begin + 1, last, rank);
      if (failure != std::errc() || stop != last || state_of(name, rank) != own || rank < 1) continue;
    }
    found.push_back({state_of(state, rank), "remove this checkpoint to begin anew", rank});
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.rank < b.rank; });
  return found;
}

}  // namespace

std::string own_state(const Sharing& sharing) {
  if (sharing.state.empty()) return "";
  return state_of(sharing.state, sharing.processes ? sharing.processes->rank() : 0);
}

std::vector<StateFile> states_of(const Sharing& sharing) {
  std::vector<StateFile> files;
  for (const auto& one : sharing.merged) files.push_back({one.path, "run shard " + to_string(one.shard) + " again", 0});
  if (sharing.is_merge() || sharing.state.empty()) return files;
  if (!sharing.processes) return found_states(sharing.state);
  // What rank 0 sees: a file that appears meanwhile would be one to some and none to others.
  Packer packer;
  for (const auto& file : found_states(sharing.state)) packer.add(file.rank);
  const std::string ranks = broadcast(*sharing.processes, std::move(packer).bytes());
  for (Unpacker unpacker(ranks); !unpacker.at_end();) {
    const int rank = unpacker.get<int>();
    files.push_back({state_of(sharing.state, rank), "remove this checkpoint to begin anew", rank});
  }
  return files;
}

bool takes_over(const Sharing& sharing, const StateFile& file) {
  return !sharing.processes || file.rank % sharing.processes->size() == sharing.processes->rank();
}

void remove_taken_over(const Sharing& sharing, const std::vector<StateFile>& files) {
  std::error_code ignored;
  for (const auto& file : files)
    if (takes_over(sharing, file) && file.path != own_state(sharing)) fs::remove(file.path, ignored);
}

void remove_states(const Sharing& sharing) {
  std::error_code ignored;
  if (!sharing.state.empty())
    for (const auto& file : found_states(sharing.state)) fs::remove(file.path, ignored);
}

void throw_unfinished(const ShardFile& file, std::uint64_t done, std::uint64_t of) {
  throw Error(file.path + ": shard " + to_string(file.shard) + " is not finished (" + std::to_string(done) + " of " +
              std::to_string(of) + "); run it again, it goes on from there");
}

}  // namespace oneproxy
