#pragma once
// All models on one device: scores and reductions in chunks whose scores stay in the L2 cache.
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/front/reduction.h"
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
  static constexpr std::int64_t kMaxChunk = std::int64_t{1} << 21;  // architectures; 16 MiB of scores a model
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
  void score_chunks(std::uint64_t count, std::span<double> scores, const MakeChunk& make_chunk);

  // Largest chunk for which there is memory.
  template <class Work>
  void with_memory(const Work& work) {
    for (;;) {
      try {
        return work(chunk_);
      } catch (const OutOfDeviceMemory& failure) {
        device_.wait();
        scores_ = {};
        list_ = {};
        for (auto& model : models_) model->release_scratch();
        if (chunk_ <= kMinChunk)
          throw Error("score: no device memory for chunks of " + std::to_string(chunk_) + " architectures and " +
                      std::to_string(models_.size()) + " models; free device memory or use backend = \"cpu\" (" +
                      failure.what() + ")");
        chunk_ /= 2;
      }
    }
  }

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
