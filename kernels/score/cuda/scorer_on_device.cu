#include <algorithm>
#include <variant>

#include "oneproxy/kernels/score/cuda/scorer_on_device.cuh"

namespace oneproxy::detail {

ScorerOnDevice::ScorerOnDevice(int number, const OwnedCode& code, const DigitSplit& split,
                               const std::deque<OwnedModel>& models, Precision precision)
    : device_(number), code_(code, split) {
  bool selects = false;
  for (const auto& own : models)
    if (const auto* table = std::get_if<AdditiveTable<double>>(&own.model)) selects = selects || table->bias.size() > 1;
  leaf_ = leaf_digits(code.radices, split, selects);
  for (const auto& own : models) {
    if (const auto* table = std::get_if<AdditiveTable<double>>(&own.model))
      models_.push_back(make_table_on_device(device_, code_, *table, leaf_));
    else if (precision == Precision::fp64)
      models_.push_back(make_fp64_mlp_on_device(device_, code_, std::get<Mlp>(own.model)));
    else
      models_.push_back(make_fast_mlp_on_device(device_, code_, std::get<Mlp>(own.model), precision));
  }
}

void ScorerOnDevice::release_scratch() {
  device_.wait();
  scores_ = {};
  list_ = {};
  for (auto& model : models_) model->release_scratch();
}

template <class MakeChunk>
void ScorerOnDevice::score_chunks(std::uint64_t count, std::int64_t most, std::span<double> scores,
                                  const MakeChunk& make_chunk) {
  const DeviceGuard current(device_.number);
  for (std::uint64_t at = 0; at < count;)
    with_memory(chunk_, "architectures", [&](std::int64_t max_count) {
      const auto n = static_cast<std::uint32_t>(std::min<std::uint64_t>(std::min(max_count, most), count - at));
      double* on_device = reserve(scores_, static_cast<std::int64_t>(models_.size()) * n);
      const Chunk chunk = make_chunk(at, n);
      for (std::size_t m = 0; m < models_.size(); ++m) {
        models_[m]->score(chunk, on_device + m * n);
        copy_async(scores.data() + m * count + at, on_device + m * n, n, cudaMemcpyDeviceToHost, device_.stream);
      }
      device_.wait();
      at += n;
    });
}

void ScorerOnDevice::score(const IndexRange& run, std::span<double> scores) {
  const std::scoped_lock lock(mutex_);
  score_chunks(run.count, kMaxChunk, scores, [&](std::uint64_t at, std::uint32_t n) {
    return Chunk{run, at, n, nullptr};
  });
}

void ScorerOnDevice::score_list(std::span<const std::uint32_t> digits, std::span<double> scores) {
  const std::scoped_lock lock(mutex_);
  const auto width = static_cast<std::size_t>(code_.n_digits());
  score_chunks(digits.size() / width, kMaxListChunk, scores, [&](std::uint64_t at, std::uint32_t n) {
    std::uint32_t* list = reserve(list_, static_cast<std::int64_t>(n * width));
    copy_async(list, digits.data() + at * width, n * width, cudaMemcpyHostToDevice, device_.stream);
    return Chunk{{}, 0, n, list};
  });
}

std::vector<std::string> ScorerOnDevice::paths() const {
  std::vector<std::string> paths;
  for (const auto& model : models_) paths.push_back(model->path());
  return paths;
}

}  // namespace oneproxy::detail
