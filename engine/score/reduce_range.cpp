#include "oneproxy/engine/score/reduce_range.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "oneproxy/engine/base/checkpoint.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/progress.h"
#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/base/sha256.h"
#include "oneproxy/engine/share/packed.h"
#include "oneproxy/engine/share/piece_size.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

void append(std::string& bytes, const void* data, std::size_t size) {
  bytes.append(static_cast<const char*>(data), size);
}
template <class T>
void append(std::string& bytes, std::span<const T> values) {
  const std::uint64_t n = values.size();
  append(bytes, &n, sizeof n);
  append(bytes, values.data(), values.size_bytes());
}

// Indices are 128 bit: two numbers.
void write_candidates(H5File& file, const std::string& group, const std::vector<Candidate>& candidates) {
  std::vector<std::int64_t> indices;
  std::vector<double> values;
  for (const auto& candidate : candidates) {
    indices.push_back(static_cast<std::int64_t>(static_cast<std::uint64_t>(candidate.index >> 64)));
    indices.push_back(static_cast<std::int64_t>(static_cast<std::uint64_t>(candidate.index)));
    values.insert(values.end(), {candidate.latency, candidate.quality, candidate.third});
  }
  file.write(group + "/indices", std::span<const std::int64_t>(indices));
  file.write(group + "/values", std::span<const double>(values));
}

std::vector<Candidate> read_candidates(const H5File& file, const std::string& group) {
  const auto indices = file.read_integers(group + "/indices");
  const auto values = file.read_doubles(group + "/values");
  if (indices.size() % 2 || values.size() != indices.size() / 2 * 3)
    throw Error(file.path() + ": " + group + " has another number of values than of indices");
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < indices.size() / 2; ++i)
    candidates.push_back({(static_cast<ArchIndex>(static_cast<std::uint64_t>(indices[2 * i])) << 64) |
                              static_cast<std::uint64_t>(indices[2 * i + 1]),
                          values[3 * i], values[3 * i + 1], values[3 * i + 2]});
  return candidates;
}

CheckpointKind kind_of(const std::string& identity) { return {"oneproxy-checkpoint-4", identity}; }

// What a process has scored, and what it found there.
class Progressed {
 public:
  Progressed(const IndexRange& run, const ReductionSettings& settings, const std::string& identity,
             const Sharing& sharing)
      : reduction(settings), run_(run), identity_(identity), sharing_(sharing) {}

  // Takes over what states hold. What others have done counts too: returns the places that nobody has scored yet.
  Intervals load() {
    const auto files = states_of(sharing_);
    bool foreign = false;
    for (std::size_t i = 0; i < files.size(); ++i) {
      if (!takes_over(sharing_, files[i])) continue;
      const Intervals found = load(files[i]);
      if (sharing_.is_merge()) {
        const Interval part = part_of(sharing_.merged[i].shard, run_.count);
        if (const auto left = length(without(part, found)); left > 0)
          throw_unfinished(sharing_.merged[i], part.length() - left, part.length());
      }
      done.insert(done.end(), found.begin(), found.end());
      foreign |= files[i].path != own_state(sharing_);
    }
    done = united(std::move(done));
    if (foreign && !sharing_.is_merge()) {
      save();
      remove_taken_over(sharing_, files);
    }
    Intervals all = done;
    if (sharing_.processes) {
      const auto add = [&](const std::string& bytes) {
        const auto theirs = Unpacker(bytes).vector<Interval>();
        all.insert(all.end(), theirs.begin(), theirs.end());
        all = united(std::move(all));
      };
      reduce_to_first(
          *sharing_.processes, [&] { return packed(all); }, add);
      all = Unpacker(broadcast(*sharing_.processes, packed(all))).vector<Interval>();
    }
    return without(part_of(sharing_.shard, run_.count), all);
  }

  void save() const {
    const auto state = reduction.state();
    write_checkpoint(own_state(sharing_), kind_of(identity_), [&](H5File& file) {
      for (const auto& [name, value] : sharing_.about) file.set_attribute("/", name, value);
      std::vector<std::int64_t> places;
      for (const auto& one : done)
        places.insert(places.end(), {static_cast<std::int64_t>(one.begin), static_cast<std::int64_t>(one.end)});
      file.write("done", std::span<const std::int64_t>(places));
      const std::int64_t gave_up[] = {std::int64_t{state.gave_up_margins}};
      file.write("gave_up_margins", std::span(gave_up));
      write_candidates(file, "front", state.front);
      for (std::size_t i = 0; i < state.best.size(); ++i)
        write_candidates(file, "best/" + std::to_string(i), state.best[i]);
    });
  }

  // Of all ranks together, at each of them.
  void bring_together() {
    Processes& processes = *sharing_.processes;
    const auto pack = [&] {
      const auto state = reduction.state();
      Packer packer;
      packer.add(state.front);
      for (const auto& best : state.best) packer.add(best);
      packer.add(state.gave_up_margins);
      return std::move(packer).bytes();
    };
    reduce_to_first(processes, pack, [&](const std::string& bytes) { reduction.merge(unpacked(bytes)); });
    const std::string all = broadcast(processes, processes.rank() == 0 ? pack() : "");
    if (processes.rank() != 0) reduction = unpacked(all);
  }

  // Places may have been scored twice, before and after a kill: what counts is how many there are.
  void set_scored(std::uint64_t count) {
    auto state = reduction.state();
    state.n_scored = count;
    reduction.restore(state);
  }

  Reduction reduction;
  Intervals done;  // by this process, and before it by those that it took over

 private:
  static std::string packed(const Intervals& intervals) {
    Packer packer;
    packer.add(intervals);
    return std::move(packer).bytes();
  }

  Reduction unpacked(const std::string& bytes) const {
    Unpacker unpacker(bytes);
    Reduction::State state;
    state.front = unpacker.vector<Candidate>();
    for (std::size_t i = 0; i < reduction.settings().limits.size(); ++i)
      state.best.push_back(unpacker.vector<Candidate>());
    state.gave_up_margins = unpacker.get<bool>();
    Reduction other(reduction.settings());
    other.restore(state);
    return other;
  }

  Intervals load(const StateFile& from) {
    Intervals found;
    auto kind = kind_of(identity_);
    kind.remedy = from.remedy;
    read_checkpoint(from.path, kind, [&](const H5File& file) {
      const auto places = file.read_integers("done");
      for (std::size_t i = 0; i + 1 < places.size(); i += 2)
        found.push_back({static_cast<std::uint64_t>(places[i]), static_cast<std::uint64_t>(places[i + 1])});
      if (places.size() % 2 || united(found) != found || (!found.empty() && found.back().end > run_.count))
        throw Error(from.path + ": says that more was scored than there is");
      const auto gave_up = file.read_integers("gave_up_margins");
      if (gave_up.size() != 1) throw Error(from.path + ": gave_up_margins should be one number");
      Reduction::State state;
      state.gave_up_margins = gave_up[0] != 0;
      state.front = read_candidates(file, "front");
      for (std::size_t i = 0; i < reduction.settings().limits.size(); ++i)
        state.best.push_back(read_candidates(file, "best/" + std::to_string(i)));
      Reduction other(reduction.settings());
      other.restore(state);
      reduction.merge(other);
    });
    return found;
  }

  const IndexRange& run_;
  const std::string& identity_;
  const Sharing& sharing_;
};

}  // namespace

Reduction reduce_range(const Scorer& scorer, const IndexRange& run, const ReductionSettings& settings,
                       const std::string& identity, const Sharing& sharing, const std::string& what) {
  using Clock = std::chrono::steady_clock;
  const auto seconds_since = [](Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  Progressed own(run, settings, identity, sharing);
  const Intervals open = own.load();
  const std::uint64_t part = part_of(sharing.shard, run.count).length(), left = length(open);
  Processes* const processes = sharing.processes;
  const bool keeps = !sharing.state.empty() && !sharing.is_merge(), speaks = !processes || processes->rank() == 0;
  if (keeps && speaks) {
    if (left < part)
      log_info("going on from " + sharing.state + ": " + std::to_string(part - left) + " of " + std::to_string(part) +
               " architectures are scored");
    else if (!sharing.is_part())
      log_info("a checkpoint every " + plain(sharing.seconds) + " s: " + sharing.state);
  }
  const std::uint64_t counter = processes ? processes->new_counter() : 0;
  std::uint64_t taken = 0;
  const auto take = [&](std::uint64_t step) {
    if (processes) return processes->take(counter, step);
    return std::exchange(taken, taken + step);
  };
  std::optional<Progress> progress;  // of all processes together
  if (speaks && !sharing.is_merge()) progress.emplace(what, static_cast<std::int64_t>(left), "architectures");
  std::uint64_t shown = 0;
  const auto show = [&] {
    if (!progress) return;
    const auto dealt = std::min(take(0), left);
    progress->advance(static_cast<std::int64_t>(dealt - shown));
    shown = dealt;
  };
  auto saved = Clock::now();
  PieceSize pieces(processes ? processes->size() : 1, left);
  std::uint64_t known = 0;
  std::size_t told = 0;  // of the devices that take no part any more
  while (left > 0) {
    const std::uint64_t step = pieces.next(known);
    const std::uint64_t from = take(step);
    if (from >= left) break;
    known = from;
    const auto start = Clock::now();
    for (const auto& places : slice(open, from, step)) {
      IndexRange range = run;
      range.begin += places.begin;
      range.count = places.length();
      try {
        scorer.reduce(range, own.reduction);
      } catch (const Error&) {  // a device may fail where others would go on
        if (keeps) own.save();
        throw;
      }
      unite(own.done, places);
    }
    for (; told < scorer.left_out().size(); ++told)
      log_warning(scorer.left_out()[told] + "; the others go on without it");
    show();
    pieces.took(step, seconds_since(start));
    if (!keeps) {
      check_interrupt();
      continue;
    }
    try {
      check_interrupt();
    } catch (const Interrupted&) {
      own.save();
      throw Interrupted("interrupted: " + own_state(sharing) + " holds " + std::to_string(length(own.done)) + " of " +
                        std::to_string(part) + " architectures; the same command goes on from there");
    }
    if (from + step < left && seconds_since(saved) >= sharing.seconds) {
      own.save();
      saved = Clock::now();
    }
  }
  if (sharing.is_part() && keeps && (left > 0 || !file_exists(own_state(sharing)))) own.save();
  if (processes) own.bring_together();
  own.set_scored(part);
  return std::move(own.reduction);
}

Precision parse_precision(const std::string& name) {
  for (const auto precision : {Precision::fp64, Precision::fp32, Precision::tf32, Precision::bf16})
    if (name == to_string(precision)) return precision;
  throw Error("precision " + name + " should be fp64, fp32, tf32 or bf16");
}

std::string identity_of(const DigitCode& code, std::span<const ScoreFunction> models, Precision precision) {
  std::string bytes = to_string(precision);
  append(bytes, code.radices);
  append(bytes, code.rows);
  for (const auto& model : models) {
    if (const auto* table = std::get_if<AdditiveTable<double>>(&model)) {
      append(bytes, table->weights);
      append(bytes, table->bias);
      continue;
    }
    const auto& mlp = std::get<Mlp>(model);
    append(bytes, mlp.rows);
    append(bytes, mlp.first_bias);
    for (const auto& layer : mlp.layers) {
      append(bytes, layer.weights);
      append(bytes, layer.bias);
    }
  }
  return sha256_hex(bytes);
}

}  // namespace oneproxy
