#pragma once
// All models on one device: scores and reductions in chunks.
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/front/reduction.h"
#include "oneproxy/kernels/score/cuda/less_memory.h"
#include "oneproxy/kernels/score/cuda/model_on_device.cuh"

namespace oneproxy::detail {

struct ReduceArgs;

// Calls come one at a time. Its device is current while it is made, and again after each call what it was before.
class ScorerOnDevice {
 public:
  ScorerOnDevice(int number, const OwnedCode& code, const DigitSplit& split, const std::deque<OwnedModel>& models,
                 Precision precision);

  void score(const IndexRange& run, std::span<double> scores);
  void score_list(std::span<const std::uint32_t> digits, std::span<double> scores);
  // Positions begin .. end-1 of the run, in rounds.
  void reduce(const IndexRange& run, std::uint64_t begin, std::uint64_t end, Reduction& reduction);
  std::vector<std::string> paths() const;

 private:
  // Architectures: 64 MiB of scores a model. At 25e9 a second that is 0.3 ms, so that launches and the last blocks of a
  // chunk cost little; the memory could take ten times the scores.
  static constexpr std::int64_t kMaxChunk = std::int64_t{1} << 23;
  static constexpr std::int64_t kMaxListChunk = std::int64_t{1} << 21;  // whose digits are copied to the device as well
  static constexpr std::int64_t kMinChunk = std::int64_t{1} << 12;

  struct ReducePlan {
    bool tables_alone = false;
    std::vector<int> models;  // that are scored, in the order of the chunk's rows
    int quality = 0;          // row; latency is row 0
  };
  ReducePlan plan_reduction(const IndexRange& run, const ReductionSettings& settings) const;
  void reduce_chunks(const ReduceArgs& args, const ReducePlan& plan, const IndexRange& run, std::uint64_t begin,
                     std::uint64_t count);
  void reduce_tables(const ReduceArgs& args, const ReducePlan& plan, const IndexRange& run, std::uint64_t begin,
                     std::uint64_t count);
  template <class MakeChunk>
  void score_chunks(std::uint64_t count, std::int64_t most, std::span<double> scores, const MakeChunk& make_chunk);

  // work(size) with the largest size for which there is memory; of `what`, for the error where there is none.
  template <class Work>
  void with_memory(std::int64_t& size, const char* what, const Work& work) {
    try {
      with_less_memory<OutOfDeviceMemory>(
          size, kMinChunk, [this] { release_scratch(); }, work);
    } catch (const OutOfDeviceMemory& failure) {
      throw OutOfDeviceMemory("score: no device memory for " + std::to_string(size) + " " + what + " at a time and " +
                              std::to_string(models_.size()) +
                              " models; free device memory or use backend = \"cpu\" (" + failure.what() + ")");
    }
  }
  void release_scratch();

  Device device_;
  DeviceCode code_;
  Leaf leaf_;
  std::vector<std::unique_ptr<ModelOnDevice>> models_;
  std::int64_t chunk_ = kMaxChunk;
  DeviceBuffer<double> scores_;  // of a chunk
  DeviceBuffer<std::uint32_t> list_;
  std::mutex mutex_;
};

}  // namespace oneproxy::detail
