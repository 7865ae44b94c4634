// Reductions on one device, in rounds: what survives the filter of a round comes to the host and sharpens the next one.
#include <algorithm>

#include "oneproxy/kernels/score/cuda/reduce_kernels.cuh"
#include "oneproxy/kernels/score/cuda/rounds.h"
#include "oneproxy/kernels/score/cuda/scorer_on_device.cuh"

namespace oneproxy::detail {
namespace {

constexpr std::int64_t kMaxSurvivors = std::int64_t{1} << 20;  // 24 MiB
constexpr std::uint64_t kMaxRound = std::uint64_t{1} << 28;    // through chunks
constexpr std::uint64_t kMaxTableRound = std::uint64_t{1} << 31;

}  // namespace

ScorerOnDevice::ReducePlan ScorerOnDevice::plan_reduction(const IndexRange& run,
                                                          const ReductionSettings& settings) const {
  ReducePlan plan;
  plan.models.push_back(settings.latency);
  if (settings.quality != settings.latency) plan.models.push_back(settings.quality);
  plan.quality = static_cast<int>(plan.models.size()) - 1;
  plan.tables_alone = !run.shuffled;
  for (const int model : plan.models) plan.tables_alone = plan.tables_alone && models_[model]->table() != nullptr;
  return plan;
}

void ScorerOnDevice::reduce_chunks(const ReduceArgs& args, const ReducePlan& plan, const IndexRange& run,
                                   std::uint64_t begin, std::uint64_t count) {
  for (std::uint64_t done = 0; done < count;)
    with_memory(chunk_, "architectures", [&](std::int64_t max_count) {
      const auto n = static_cast<std::uint32_t>(std::min<std::uint64_t>(max_count, count - done));
      double* scores = reserve(scores_, static_cast<std::int64_t>(plan.models.size()) * n);
      const Chunk chunk{run, begin + done, n, nullptr};
      for (std::size_t m = 0; m < plan.models.size(); ++m) models_[plan.models[m]]->score(chunk, scores + m * n);
      reduce_kernel<<<device_.blocks(n, kScoreThreads), kScoreThreads, 0, device_.stream>>>(
          args, scores, n, 0, plan.quality, begin + done, n);
      ONEPROXY_CUDA_CHECK_LAUNCH();
      done += n;
    });
}

void ScorerOnDevice::reduce_tables(const ReduceArgs& args, const ReducePlan& plan, const IndexRange& run,
                                   std::uint64_t begin, std::uint64_t count) {
  const Start start = start_at(run, begin, code_.split, leaf_.size);
  const auto n = static_cast<std::uint32_t>((start.skip + count + leaf_.size - 1) / leaf_.size);
  reduce_tables_kernel<<<device_.blocks(std::uint64_t{n} * leaf_.segments, kScoreThreads), kScoreThreads, 0,
                         device_.stream>>>(args, *models_[plan.models[0]]->table(),
                                           *models_[plan.models[plan.quality]]->table(), start.places, n, start.skip,
                                           begin, count);
  ONEPROXY_CUDA_CHECK_LAUNCH();
}

void ScorerOnDevice::reduce(const IndexRange& run, std::uint64_t begin, std::uint64_t end, Reduction& reduction) {
  const std::scoped_lock lock(mutex_);
  const DeviceGuard current(device_.number);
  const ReductionSettings& settings = reduction.settings();
  const ReducePlan plan = plan_reduction(run, settings);
  const auto n_limits = static_cast<std::int64_t>(settings.limits.size());
  std::int64_t most = std::clamp<std::int64_t>(static_cast<std::int64_t>(end - begin), 1, kMaxSurvivors);
  DeviceBuffer<Survivor> points;
  DeviceBuffer<unsigned long long> survived;
  DeviceBuffer<double> reached, limits, edges;
  with_memory(most, "survivors", [&](std::int64_t n) {
    survived = DeviceBuffer<unsigned long long>(1);
    reached = DeviceBuffer<double>(kFilterBins);
    limits = DeviceBuffer<double>(n_limits);
    edges = DeviceBuffer<double>(n_limits);
    points = DeviceBuffer<Survivor>(n);
  });
  const auto capacity = static_cast<std::uint64_t>(most);
  ReduceArgs args;
  args.survivors = {survived.data(), points.data(), capacity};

  std::vector<Survivor> host_points;
  Rounds rounds(capacity, plan.tables_alone ? kMaxTableRound : kMaxRound, reduction.n_scored());
  bool filter_is_old = true;
  std::uint64_t since_filter = 0, held = 0;
  for (std::uint64_t at = begin; at < end;) {
    const std::uint64_t n = std::min(rounds.size(), end - at);
    FilterArrays filter;
    if (filter_is_old) {
      filter = make_filter(reduction);
      args.filter = filter.filter;
      args.filter.reached = reached.data();
      args.filter.limits = limits.data();
      args.filter.edges = edges.data();
      copy_async(reached.data(), filter.reached.data(), filter.reached.size(), cudaMemcpyHostToDevice, device_.stream);
      copy_async(limits.data(), filter.limits.data(), filter.limits.size(), cudaMemcpyHostToDevice, device_.stream);
      copy_async(edges.data(), filter.edges.data(), filter.edges.size(), cudaMemcpyHostToDevice, device_.stream);
      held = filter.points;
      since_filter = 0;
      filter_is_old = false;
    }
    ONEPROXY_CUDA_CHECK(cudaMemsetAsync(survived.data(), 0, survived.bytes(), device_.stream));
    if (plan.tables_alone)
      reduce_tables(args, plan, run, at, n);
    else
      reduce_chunks(args, plan, run, at, n);
    unsigned long long count = 0;
    copy_async(&count, survived.data(), 1, cudaMemcpyDeviceToHost, device_.stream);
    device_.wait();
    if (!rounds.survived(count)) continue;  // the round is repeated, in smaller ones

    host_points.resize(count);
    copy_async(host_points.data(), points.data(), count, cudaMemcpyDeviceToHost, device_.stream);
    device_.wait();
    add_survivors(host_points, run, code_.split, reduction);
    reduction.add_scored(n);
    at += n;
    since_filter += count;
    filter_is_old = 4 * since_filter > held;  // building it costs about a pass over the points held
  }
}

}  // namespace oneproxy::detail
