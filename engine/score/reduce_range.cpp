#include "oneproxy/engine/score/reduce_range.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>

#include "oneproxy/engine/base/checkpoint.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/progress.h"
#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/base/sha256.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {
namespace fs = std::filesystem;

constexpr std::uint64_t kFirstPiece = std::uint64_t{1} << 14;
constexpr double kPieceSeconds = 0.5;  // so that an interrupt is soon heard

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

CheckpointKind kind_of(const CheckpointSettings& checkpoint) { return {"oneproxy-checkpoint-3", checkpoint.identity}; }

void save(const CheckpointSettings& checkpoint, std::uint64_t done, const Reduction& reduction) {
  const auto state = reduction.state();
  write_checkpoint(checkpoint.path, kind_of(checkpoint), [&](H5File& file) {
    const std::int64_t progress[] = {static_cast<std::int64_t>(done), static_cast<std::int64_t>(state.n_scored),
                                     std::int64_t{state.gave_up_margins}};
    file.write("progress", std::span(progress));
    write_candidates(file, "front", state.front);
    for (std::size_t i = 0; i < state.best.size(); ++i)
      write_candidates(file, "best/" + std::to_string(i), state.best[i]);
  });
}

// How far the checkpoint had come; fills the reduction.
std::uint64_t load(const CheckpointSettings& checkpoint, const IndexRange& run, Reduction& reduction) {
  std::uint64_t done = 0;
  read_checkpoint(checkpoint.path, kind_of(checkpoint), [&](const H5File& file) {
    const auto progress = file.read_integers("progress");
    if (progress.size() != 3 || static_cast<std::uint64_t>(progress[0]) > run.count)
      throw Error(checkpoint.path + ": says that more was scored than there is");
    done = static_cast<std::uint64_t>(progress[0]);
    Reduction::State state;
    state.n_scored = static_cast<std::uint64_t>(progress[1]);
    state.gave_up_margins = progress[2] != 0;
    state.front = read_candidates(file, "front");
    for (std::size_t i = 0; i < reduction.settings().limits.size(); ++i)
      state.best.push_back(read_candidates(file, "best/" + std::to_string(i)));
    reduction.restore(state);
  });
  return done;
}

}  // namespace

Reduction reduce_range(const Scorer& scorer, const IndexRange& run, const ReductionSettings& settings,
                       const CheckpointSettings& checkpoint, const std::string& what) {
  using Clock = std::chrono::steady_clock;
  const auto seconds_since = [](Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  Reduction reduction(settings);
  std::uint64_t done = 0;
  if (!checkpoint.path.empty() && file_exists(checkpoint.path)) {
    done = load(checkpoint, run, reduction);
    log_info("going on from " + checkpoint.path + ": " + std::to_string(done) + " of " + std::to_string(run.count) +
             " architectures are scored");
  } else if (!checkpoint.path.empty()) {
    log_info("a checkpoint every " + plain(checkpoint.seconds) + " s: " + checkpoint.path);
  }
  Progress progress(what, static_cast<std::int64_t>(run.count - done), "architectures");
  auto saved = Clock::now();
  // Pieces of about half a second; their ends do not show in the result.
  for (std::uint64_t piece = kFirstPiece; done < run.count;) {
    const auto start = Clock::now();
    IndexRange part = run;
    part.begin += done;
    part.count = std::min(piece, run.count - done);
    scorer.reduce(part, reduction);
    done += part.count;
    progress.advance(static_cast<std::int64_t>(part.count));
    const double spent = seconds_since(start);
    piece = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(piece * std::min(4.0, kPieceSeconds / spent)),
                                      kFirstPiece, std::uint64_t{1} << 40);
    if (checkpoint.path.empty()) {
      check_interrupt();
      continue;
    }
    try {
      check_interrupt();
    } catch (const Interrupted&) {
      save(checkpoint, done, reduction);
      throw Interrupted("interrupted: " + checkpoint.path + " holds " + std::to_string(done) + " of " +
                        std::to_string(run.count) + " architectures; the same command goes on from there");
    }
    if (done < run.count && seconds_since(saved) >= checkpoint.seconds) {
      save(checkpoint, done, reduction);
      saved = Clock::now();
    }
  }
  return reduction;
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
