// The CUDA twin of Scorer: models on a device, chunks whose scores stay in the L2 cache, reductions in rounds. What is
// decided here is in score_plan.h; what runs on the device in score_device.cuh, score_narrow.cuh, score_wide_cuda.cu.
#include <algorithm>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <variant>

#include "oneproxy/kernels/base/device_memory.cuh"
#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy/kernels/score/cuda/device.cuh"
#include "oneproxy/kernels/score/cuda/narrow.h"
#include "oneproxy/kernels/score/cuda/wide.h"
#include "oneproxy/kernels/score/scorer_detail.h"

namespace oneproxy::detail {
namespace {

constexpr std::int64_t largest_chunk = std::int64_t{1} << 21;  // architectures; 16 MiB of scores a model
constexpr std::int64_t smallest_chunk = std::int64_t{1} << 12;
constexpr std::int64_t base_rows = std::int64_t{1} << 16;         // first-layer rows at a time: 33 MB for 128
constexpr std::int64_t fp64_rows = std::int64_t{1} << 14;         // architectures of an fp64 MLP at a time
constexpr std::uint64_t most_survivors = std::uint64_t{1} << 20;  // 24 MiB
constexpr std::uint64_t largest_round = std::uint64_t{1} << 28;   // through chunks
constexpr std::uint64_t largest_table_round = std::uint64_t{1} << 31;
constexpr std::uint64_t worth_a_device = std::uint64_t{1} << 24;  // architectures
constexpr std::int64_t fleet_bytes = std::int64_t{256} << 20;     // of parameters, and of scores, at a time

struct Device {
  explicit Device(int number) : number(number) {
    ONEPROXY_CUDA_CHECK(cudaSetDevice(number));
    const auto attribute = [&](cudaDeviceAttr which) {
      int value = 0;
      ONEPROXY_CUDA_CHECK(cudaDeviceGetAttribute(&value, which, number));
      return value;
    };
    limits.multiprocessors = attribute(cudaDevAttrMultiProcessorCount);
    limits.shared_bytes = attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin);
    l2_bytes = attribute(cudaDevAttrL2CacheSize);
    std::size_t free = 0, total = 0;
    ONEPROXY_CUDA_CHECK(cudaMemGetInfo(&free, &total));
    table_bytes = static_cast<std::int64_t>(total / 4);
    ONEPROXY_CUDA_CHECK(cudaStreamCreate(&stream));  // waits for the default stream's uploads
  }
  ~Device() {
    (void)cudaSetDevice(number);
    (void)cudaStreamDestroy(stream);
  }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  unsigned blocks(std::uint64_t work, unsigned per_block) const {
    const std::uint64_t needed = (work + per_block - 1) / per_block;
    return static_cast<unsigned>(std::clamp<std::uint64_t>(needed, 1, 16ull * limits.multiprocessors));
  }
  void wait() const { ONEPROXY_CUDA_CHECK(cudaStreamSynchronize(stream)); }

  int number;
  DeviceLimits limits;
  std::int64_t l2_bytes = 0, table_bytes = 0;
  cudaStream_t stream = nullptr;
};

// The calling thread's device stays what it was.
class KeepDevice {
 public:
  KeepDevice() { ONEPROXY_CUDA_CHECK(cudaGetDevice(&device_)); }
  ~KeepDevice() { (void)cudaSetDevice(device_); }
  int number() const { return device_; }

 private:
  int device_ = 0;
};

template <class T>
DeviceBuffer<T> upload(const std::vector<T>& values) {
  return DeviceBuffer<T>(std::span<const T>(values));
}

// Grows when it must, so that steady work allocates nothing.
template <class T>
T* at_least(DeviceBuffer<T>& buffer, std::int64_t size) {
  if (buffer.size() < size) {
    buffer = DeviceBuffer<T>();  // first free, then allocate
    buffer = DeviceBuffer<T>(size);
  }
  return buffer.data();
}

template <class T>
void copy_async(T* to, const T* from, std::size_t n, cudaMemcpyKind kind, cudaStream_t stream) {
  if (n > 0) ONEPROXY_CUDA_CHECK(cudaMemcpyAsync(to, from, n * sizeof(T), kind, stream));
}

struct OwnedModel {
  explicit OwnedModel(const Model& of) {
    if (const auto* table = std::get_if<DigitTable>(&of)) {
      model = DigitTable{own(table->weights), own(table->bias)};
      return;
    }
    const Mlp& mlp = std::get<Mlp>(of);
    Mlp copy{mlp.first_width, own(mlp.rows), own(mlp.first_bias), {}};
    for (const auto& layer : mlp.layers)
      copy.layers.push_back({layer.inputs, layer.outputs, own(layer.weights), own(layer.bias)});
    model = std::move(copy);
  }
  OwnedModel(const OwnedModel&) = delete;  // `model` views `numbers`
  OwnedModel& operator=(const OwnedModel&) = delete;

  std::span<const double> own(std::span<const double> from) { return numbers.emplace_back(from.begin(), from.end()); }
  std::deque<std::vector<double>> numbers;
  Model model;
};

// What is scored at once: positions of a run, or a list on the device.
struct Chunk {
  ArchRun run;
  std::uint64_t position = 0;
  std::uint32_t count = 0;
  const std::uint32_t* list = nullptr;

  bool in_order() const { return list == nullptr && !run.shuffled; }
};

// A code on the device, shared by its models.
struct DeviceCode {
  explicit DeviceCode(const OwnedCode& of, const DigitSplit& split)
      : code(of),
        split(split),
        host_digits(group_digits(of.radices, split, 1, 1)),
        radices(upload(of.radices)),
        rows(upload(of.rows)),
        digits(upload(host_digits)) {}
  int n_digits() const { return static_cast<int>(code.radices.size()); }
  // The part of a chunk that begins at `offset`, rounded down to a multiple of `step`.
  Start start(const Chunk& chunk, std::uint32_t offset, std::uint64_t step) const {
    if (chunk.list == nullptr) return start_at(chunk.run, chunk.position + offset, split, step);
    Start start;
    start.places.list = chunk.list + std::size_t{offset} * n_digits();
    start.places.radices = radices.data();
    start.places.n_digits = n_digits();
    return start;
  }

  const OwnedCode& code;
  DigitSplit split;
  std::vector<DigitGroup> host_digits;
  DeviceBuffer<std::uint32_t> radices;
  DeviceBuffer<std::int32_t> rows;
  DeviceBuffer<DigitGroup> digits;
};

class ModelOnDevice {
 public:
  virtual ~ModelOnDevice() = default;
  // Enqueues scores [chunk.count].
  virtual void score(const Chunk& chunk, double* scores) = 0;
  virtual void release_scratch() = 0;
  virtual std::string path() const = 0;
  virtual const TableArgs* table() const { return nullptr; }
};

class TableOnDevice : public ModelOnDevice {
 public:
  TableOnDevice(const Device& device, const DeviceCode& code, const DigitTable& table, const Leaf& leaf)
      : device_(device),
        code_(code),
        weights_(table.weights),
        bias_(table.bias),
        args_{weights_.data(),
              bias_.data(),
              table.weights.size() / table.bias.size(),
              table.bias.size() > 1,
              code.digits.data(),
              code.n_digits(),
              leaf} {}

  void score(const Chunk& chunk, double* scores) override {
    const unsigned blocks = device_.blocks(chunk.count, kScoreThreads);
    if (!chunk.in_order()) {
      const Start start = code_.start(chunk, 0, 1);
      whole_kernel<<<blocks, kScoreThreads, 0, device_.stream>>>(args_, start.places, chunk.count, scores);
      ONEPROXY_CUDA_CHECK_LAUNCH();
      return;
    }
    const std::uint32_t size = args_.leaf.size;
    const Start start = code_.start(chunk, 0, size);
    const auto n = static_cast<std::uint32_t>((std::uint64_t{start.skip} + chunk.count + size - 1) / size);
    Prefix* prefixes = at_least(prefixes_, n);
    prefix_kernel<<<device_.blocks(n, kScoreThreads), kScoreThreads, 0, device_.stream>>>(args_, start.places, n,
                                                                                          prefixes);
    ONEPROXY_CUDA_CHECK_LAUNCH();
    leaf_kernel<<<blocks, kScoreThreads, 0, device_.stream>>>(args_, prefixes, start.skip, chunk.count, scores);
    ONEPROXY_CUDA_CHECK_LAUNCH();
  }
  void release_scratch() override { prefixes_ = {}; }
  std::string path() const override {
    return "cuda fp64 table, leaves of " + std::to_string(args_.leaf.size) + " architectures";
  }
  const TableArgs* table() const override { return &args_; }

 private:
  const Device& device_;
  const DeviceCode& code_;
  DeviceBuffer<double> weights_, bias_;
  TableArgs args_;
  DeviceBuffer<Prefix> prefixes_;
};

// In the order of score_by_definition, to the bit.
class Fp64MlpOnDevice : public ModelOnDevice {
 public:
  Fp64MlpOnDevice(const Device& device, const DeviceCode& code, const Mlp& mlp)
      : device_(device), code_(code), rows_(mlp.rows), first_bias_(mlp.first_bias), widest_(mlp.first_width) {
    for (const auto& layer : mlp.layers) {
      std::vector<double> transposed(layer.weights.size());
      for (int o = 0; o < layer.outputs; ++o)
        for (int i = 0; i < layer.inputs; ++i)
          transposed[static_cast<std::size_t>(i) * layer.outputs + o] =
              layer.weights[static_cast<std::size_t>(o) * layer.inputs + i];
      layers_.push_back({layer.inputs, layer.outputs, upload(transposed), DeviceBuffer<double>(layer.bias)});
      widest_ = std::max(widest_, layer.outputs);
    }
  }

  void score(const Chunk& chunk, double* scores) override {
    for (auto& buffer : buffers_) at_least(buffer, fp64_rows * widest_);
    const FirstLayerArgs<double> first{code_.digits.data(), code_.n_digits(), rows_.data(),     first_bias_.data(),
                                       code_.rows.data(),   code_.code.parts, layers_[0].inputs};
    for (std::uint32_t at = 0; at < chunk.count; at += static_cast<std::uint32_t>(fp64_rows)) {
      const auto n = static_cast<std::uint32_t>(std::min<std::int64_t>(fp64_rows, chunk.count - at));
      const Start start = code_.start(chunk, at, 1);
      double *in = buffers_[0].data(), *out = buffers_[1].data();
      first_layer_kernel<double>
          <<<device_.blocks(n, kFirstLayerRows), kScoreThreads,
             kFirstLayerRows * sizeof(std::uint32_t) * first.n_groups, device_.stream>>>(first, start.places, 1, n, in);
      ONEPROXY_CUDA_CHECK_LAUNCH();
      for (std::size_t l = 0; l < layers_.size(); ++l) {
        const auto& layer = layers_[l];
        double* to = l + 1 < layers_.size() ? out : scores + at;
        dense_fp64_kernel<<<device_.blocks(std::uint64_t{n} * layer.outputs, kScoreThreads), kScoreThreads, 0,
                            device_.stream>>>(in, n, layer.inputs, layer.outputs, layer.weights.data(),
                                              layer.bias.data(), to);
        ONEPROXY_CUDA_CHECK_LAUNCH();
        std::swap(in, out);
      }
    }
  }
  void release_scratch() override { buffers_[0] = {}, buffers_[1] = {}; }
  std::string path() const override { return "cuda fp64, in the order of the definition"; }

 private:
  struct Layer {
    int inputs, outputs;
    DeviceBuffer<double> weights, bias;
  };
  const Device& device_;
  const DeviceCode& code_;
  DeviceBuffer<double> rows_, first_bias_;
  std::vector<Layer> layers_;
  int widest_;
  DeviceBuffer<double> buffers_[2];
};

struct LaunchShape {
  NarrowKernel kernel = nullptr;
  int blocks_on_device = 0;
};
LaunchShape narrow_launch(const NarrowPlan& plan, const Device& device) {
  LaunchShape shape;
  shape.kernel = plan.precision == Precision::bf16   ? narrow_bf16(plan)
                 : plan.precision == Precision::tf32 ? narrow_tf32(plan)
                                                     : narrow_fp32(plan);
  const auto* function = reinterpret_cast<const void*>(shape.kernel);
  ONEPROXY_CUDA_CHECK(cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize, plan.shared_bytes));
  int resident = 0;
  ONEPROXY_CUDA_CHECK(
      cudaOccupancyMaxActiveBlocksPerMultiprocessor(&resident, function, kNarrowThreads, plan.shared_bytes));
  ONEPROXY_ASSERT(resident > 0);
  shape.blocks_on_device = resident * device.limits.multiprocessors;
  return shape;
}

// fp32, tf32, bf16: the first layer from tables, then the fused kernel or the matrix products.
class FastMlpOnDevice : public ModelOnDevice {
 public:
  FastMlpOnDevice(const Device& device, const DeviceCode& code, const Mlp& mlp, Precision precision)
      : device_(device), code_(code) {
    NarrowPlan plan;
    const bool narrow = plan_narrow(mlp, precision, device.limits, plan);
    const int width = narrow ? plan.width : WideMlp::padded(mlp.first_width);
    constexpr std::uint64_t most_wide_inner = 4096;  // rows that stay in the L2 cache
    auto tables = first_layer_tables(mlp, code.code.view(), code.split, width,
                                     narrow ? narrow_most_inner(plan) : most_wide_inner, device.table_bytes);
    groups_ = upload(tables.groups);
    rows_ = upload(tables.rows);
    bias_ = upload(tables.bias);
    n_groups_ = static_cast<int>(tables.groups.size());
    inner_ = tables.inner();
    first_inner_row_ = tables.groups.back().offset;
    width_ = width;
    if (!narrow) {
      wide_ = std::make_unique<WideMlp>(mlp, precision, device.l2_bytes, device.limits.multiprocessors);
      return;
    }
    place_table(plan, inner_, device.limits);
    const NarrowWeights packed = pack_narrow(mlp, plan);
    fragments_ = upload(packed.fragments);
    vectors_ = upload(packed.vectors);
    launch_ = narrow_launch(plan, device);
    plan_ = plan;
  }

  void score(const Chunk& chunk, double* scores) override {
    const std::uint32_t inner = chunk.in_order() ? inner_ : 1;
    const std::int64_t step = std::min<std::int64_t>(base_rows * inner, chunk.count);
    for (std::int64_t at = 0; at < chunk.count; at += step) {
      const auto offset = static_cast<std::uint32_t>(at);
      const auto n = static_cast<std::uint32_t>(std::min<std::int64_t>(step, chunk.count - at));
      const Start start = code_.start(chunk, offset, inner);
      const auto n_base = static_cast<std::uint32_t>((std::uint64_t{start.skip} + n + inner - 1) / inner);
      float* base = at_least(base_, std::int64_t{n_base} * width_);
      const FirstLayerArgs<float> first{
          groups_.data(), chunk.in_order() ? n_groups_ - 1 : n_groups_, rows_.data(), bias_.data(), nullptr, 1, width_};
      first_layer_kernel<float><<<device_.blocks(n_base, kFirstLayerRows), kScoreThreads,
                                  kFirstLayerRows * sizeof(std::uint32_t) * n_groups_, device_.stream>>>(
          first, start.places, inner, n_base, base);
      ONEPROXY_CUDA_CHECK_LAUNCH();
      const float* table = chunk.in_order() ? rows_.data() + std::size_t{first_inner_row_} * width_ : nullptr;
      if (wide_) {
        wide_->score(device_.stream, base, table, inner, start.skip, n, scores + at);
        continue;
      }
      NarrowArgs args;
      args.base = base;
      args.table = table;
      args.fragments = fragments_.data();
      args.vectors = vectors_.data();
      args.layers = plan_.layers;
      args.inner = inner;
      args.skip = start.skip;
      args.table_in_shared = plan_.table_in_shared;
      args.table_stride = plan_.table_stride;
      args.count = n;
      args.scores = scores + at;
      const int rows = plan_.precision == Precision::fp32 ? kNarrowThreads : kNarrowThreads / 32 * 16 * plan_.m_tiles;
      const auto blocks = std::min<std::int64_t>((std::int64_t{n} + rows - 1) / rows, launch_.blocks_on_device);
      launch_.kernel<<<static_cast<unsigned>(blocks), kNarrowThreads, plan_.shared_bytes, device_.stream>>>(args);
      ONEPROXY_CUDA_CHECK_LAUNCH();
    }
  }
  void release_scratch() override { base_ = {}; }
  std::string path() const override { return "cuda " + (wide_ ? wide_->path() : to_string(plan_)); }

 private:
  const Device& device_;
  const DeviceCode& code_;
  NarrowPlan plan_;
  LaunchShape launch_;
  std::unique_ptr<WideMlp> wide_;  // instead of the plan
  DeviceBuffer<DigitGroup> groups_;
  DeviceBuffer<float> rows_, bias_, vectors_;
  DeviceBuffer<std::uint32_t> fragments_;
  int n_groups_ = 0, width_ = 0;
  std::uint32_t inner_ = 1, first_inner_row_ = 0;
  DeviceBuffer<float> base_;
};

// All models on one device. Calls come one at a time.
class ScorerOnDevice {
 public:
  ScorerOnDevice(int number, const OwnedCode& code, const DigitSplit& split, const std::deque<OwnedModel>& models,
                 Precision precision)
      : device_(number), code_(code, split) {
    bool selects = false;
    for (const auto& own : models)
      if (const auto* table = std::get_if<DigitTable>(&own.model)) selects = selects || table->bias.size() > 1;
    leaf_ = leaf_digits(code.radices, split, selects);
    for (const auto& own : models) {
      if (const auto* table = std::get_if<DigitTable>(&own.model))
        models_.push_back(std::make_unique<TableOnDevice>(device_, code_, *table, leaf_));
      else if (precision == Precision::fp64)
        models_.push_back(std::make_unique<Fp64MlpOnDevice>(device_, code_, std::get<Mlp>(own.model)));
      else
        models_.push_back(std::make_unique<FastMlpOnDevice>(device_, code_, std::get<Mlp>(own.model), precision));
    }
  }

  void score(const ArchRun& run, std::span<double> scores) {
    const std::scoped_lock lock(mutex_);
    score_chunks(run.count, scores, [&](std::uint64_t at, std::uint32_t n) { return Chunk{run, at, n, nullptr}; });
  }

  void score_list(std::span<const std::uint32_t> digits, std::span<double> scores) {
    const std::scoped_lock lock(mutex_);
    const auto width = static_cast<std::size_t>(code_.n_digits());
    score_chunks(digits.size() / width, scores, [&](std::uint64_t at, std::uint32_t n) {
      std::uint32_t* list = at_least(list_, static_cast<std::int64_t>(n * width));
      copy_async(list, digits.data() + at * width, n * width, cudaMemcpyHostToDevice, device_.stream);
      return Chunk{{}, 0, n, list};
    });
  }

  // Positions begin .. end-1 of the run.
  void reduce(const ArchRun& run, std::uint64_t begin, std::uint64_t end, Reduction& reduction) {
    const std::scoped_lock lock(mutex_);
    ONEPROXY_CUDA_CHECK(cudaSetDevice(device_.number));
    const ReductionSettings& settings = reduction.settings();
    const ReducePlan plan = plan_reduction(run, settings);
    const std::uint64_t capacity = std::min(most_survivors, std::max<std::uint64_t>(end - begin, 1));
    DeviceBuffer<Survivor> points(static_cast<std::int64_t>(capacity));
    DeviceBuffer<unsigned long long> survived(1);
    DeviceBuffer<double> reached(kFilterBins), limits(static_cast<std::int64_t>(settings.limits.size())),
        edges(static_cast<std::int64_t>(settings.limits.size()));
    ReduceArgs args;
    args.survivors = {survived.data(), points.data(), capacity};

    std::vector<Survivor> host_points;
    Rounds rounds(capacity, plan.tables_alone ? largest_table_round : largest_round, reduction.n_scored());
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
        copy_async(reached.data(), filter.reached.data(), filter.reached.size(), cudaMemcpyHostToDevice,
                   device_.stream);
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
      for (const auto& point : host_points)
        reduction.add(Candidate{run_index(run, point.position, code_.split), point.latency, point.quality});
      reduction.add_scored(n);
      at += n;
      since_filter += count;
      filter_is_old = 4 * since_filter > held;  // building it costs about a pass over the points held
    }
  }

  std::vector<std::string> paths() const {
    std::vector<std::string> paths;
    for (const auto& model : models_) paths.push_back(model->path());
    return paths;
  }

 private:
  struct ReducePlan {
    bool tables_alone = false;
    std::vector<int> models;  // that are scored, in the order of the chunk's rows
    int quality = 0;          // row; latency is row 0
  };
  ReducePlan plan_reduction(const ArchRun& run, const ReductionSettings& settings) const {
    ReducePlan plan;
    plan.models.push_back(settings.latency);
    if (settings.quality != settings.latency) plan.models.push_back(settings.quality);
    plan.quality = static_cast<int>(plan.models.size()) - 1;
    plan.tables_alone = !run.shuffled;
    for (const int model : plan.models) plan.tables_alone = plan.tables_alone && models_[model]->table() != nullptr;
    return plan;
  }

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
        if (chunk_ <= smallest_chunk)
          throw Error("score: no device memory for chunks of " + std::to_string(chunk_) + " architectures and " +
                      std::to_string(models_.size()) + " models; free device memory or use backend = \"cpu\" (" +
                      failure.what() + ")");
        chunk_ /= 2;
      }
    }
  }

  template <class MakeChunk>
  void score_chunks(std::uint64_t count, std::span<double> scores, const MakeChunk& make_chunk) {
    ONEPROXY_CUDA_CHECK(cudaSetDevice(device_.number));
    for (std::uint64_t at = 0; at < count;)
      with_memory([&](std::int64_t most) {
        const auto n = static_cast<std::uint32_t>(std::min<std::uint64_t>(most, count - at));
        double* on_device = at_least(scores_, static_cast<std::int64_t>(models_.size()) * n);
        const Chunk chunk = make_chunk(at, n);
        for (std::size_t m = 0; m < models_.size(); ++m) {
          models_[m]->score(chunk, on_device + m * n);
          copy_async(scores.data() + m * count + at, on_device + m * n, n, cudaMemcpyDeviceToHost, device_.stream);
        }
        device_.wait();
        at += n;
      });
  }

  void reduce_chunks(const ReduceArgs& args, const ReducePlan& plan, const ArchRun& run, std::uint64_t begin,
                     std::uint64_t count) {
    for (std::uint64_t done = 0; done < count;)
      with_memory([&](std::int64_t most) {
        const auto n = static_cast<std::uint32_t>(std::min<std::uint64_t>(most, count - done));
        double* scores = at_least(scores_, static_cast<std::int64_t>(plan.models.size()) * n);
        const Chunk chunk{run, begin + done, n, nullptr};
        for (std::size_t m = 0; m < plan.models.size(); ++m) models_[plan.models[m]]->score(chunk, scores + m * n);
        reduce_kernel<<<device_.blocks(n, kScoreThreads), kScoreThreads, 0, device_.stream>>>(
            args, scores, n, 0, plan.quality, begin + done, n);
        ONEPROXY_CUDA_CHECK_LAUNCH();
        done += n;
      });
  }

  void reduce_tables(const ReduceArgs& args, const ReducePlan& plan, const ArchRun& run, std::uint64_t begin,
                     std::uint64_t count) {
    const Start start = start_at(run, begin, code_.split, leaf_.size);
    const auto n = static_cast<std::uint32_t>((start.skip + count + leaf_.size - 1) / leaf_.size);
    reduce_tables_kernel<<<device_.blocks(std::uint64_t{n} * leaf_.segments, kScoreThreads), kScoreThreads, 0,
                           device_.stream>>>(args, *models_[plan.models[0]]->table(),
                                             *models_[plan.models[plan.quality]]->table(), start.places, n, start.skip,
                                             begin, count);
    ONEPROXY_CUDA_CHECK_LAUNCH();
  }

  Device device_;
  DeviceCode code_;
  Leaf leaf_;
  std::vector<std::unique_ptr<ModelOnDevice>> models_;
  std::int64_t chunk_ = largest_chunk;
  DeviceBuffer<double> scores_;  // of a chunk
  DeviceBuffer<std::uint32_t> list_;
  std::mutex mutex_;
};

// body(i, device) on a host thread for each device; the first failure is rethrown.
template <class Body>
void each_device(const std::vector<int>& devices, const Body& body) {
  std::vector<std::exception_ptr> failures(devices.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < devices.size(); ++i)
    threads.emplace_back([&, i] {
      try {
        ONEPROXY_CUDA_CHECK(cudaSetDevice(devices[i]));
        body(i, devices[i]);
      } catch (...) {
        failures[i] = std::current_exception();
      }
    });
  for (auto& thread : threads) thread.join();
  for (const auto& failure : failures)
    if (failure) std::rethrow_exception(failure);
}

std::vector<int> all_devices() {
  int count = 0;
  ONEPROXY_CUDA_CHECK(cudaGetDeviceCount(&count));
  std::vector<int> devices(count);
  for (int i = 0; i < count; ++i) devices[i] = i;
  return devices;
}

DigitSplit split_for_device(std::span<const std::uint32_t> radices) {
  try {
    return split_digits(radices);
  } catch (const Error&) {
    throw Error(
        "score: on CUDA an index is two parts below 2^64, and this space's digits do not split so; fix some "
        "decisions or use backend = \"cpu\"");
  }
}

class ScorerCuda : public Scorer::Implementation {
 public:
  ScorerCuda(const DigitCode& code, std::span<const Model> models, Precision precision)
      : code_(code), split_(split_for_device(code_.radices)), precision_(precision) {
    for (const auto& model : models) {
      models_.emplace_back(model);
      const auto* mlp = std::get_if<Mlp>(&model);
      bounds_.push_back(mlp ? mlp_error_bound_cuda(*mlp, code, precision) : 0.0);
    }
    const KeepDevice device;
    first_ = device.number();
    on(first_);
  }

  void score(const ArchRun& run, std::span<double> scores) const override {
    const KeepDevice device;
    on(first_).score(run, scores);
  }
  void score_list(std::span<const std::uint32_t> digits, std::span<double> scores) const override {
    const KeepDevice device;
    on(first_).score_list(digits, scores);
  }

  void reduce(const ArchRun& run, Reduction& reduction) const override {
    const KeepDevice device;
    const std::vector<int> devices = all_devices();
    if (devices.size() < 2 || run.count < worth_a_device * devices.size()) {
      on(first_).reduce(run, 0, run.count, reduction);
      return;
    }
    const auto borders = piece_borders(run.count, static_cast<int>(devices.size()));
    std::vector<Reduction> parts(devices.size(), Reduction(reduction.settings()));
    each_device(devices,
                [&](std::size_t i, int number) { on(number).reduce(run, borders[i], borders[i + 1], parts[i]); });
    for (const auto& part : parts) reduction.merge(part);
  }

  double error_bound(int model) const override { return bounds_[model]; }
  std::vector<std::string> paths() const override { return on(first_).paths(); }

 private:
  // Made when it is first needed; there is one a device.
  ScorerOnDevice& on(int number) const {
    const std::scoped_lock lock(mutex_);
    auto& scorer = scorers_[number];
    if (!scorer) scorer = std::make_unique<ScorerOnDevice>(number, code_, split_, models_, precision_);
    return *scorer;
  }

  OwnedCode code_;
  DigitSplit split_;
  Precision precision_;
  std::deque<OwnedModel> models_;
  std::vector<double> bounds_;
  int first_ = 0;
  mutable std::mutex mutex_;
  mutable std::map<int, std::unique_ptr<ScorerOnDevice>> scorers_;
};

class Stopwatch {
 public:
  Stopwatch() {
    ONEPROXY_CUDA_CHECK(cudaEventCreate(&begin_));
    ONEPROXY_CUDA_CHECK(cudaEventCreate(&end_));
  }
  ~Stopwatch() {
    (void)cudaEventDestroy(begin_);
    (void)cudaEventDestroy(end_);
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;
  void start(cudaStream_t stream) { ONEPROXY_CUDA_CHECK(cudaEventRecord(begin_, stream)); }
  void stop(cudaStream_t stream) { ONEPROXY_CUDA_CHECK(cudaEventRecord(end_, stream)); }
  double seconds() const {  // once the stream is done
    float milliseconds = 0;
    ONEPROXY_CUDA_CHECK(cudaEventElapsedTime(&milliseconds, begin_, end_));
    return milliseconds * 1e-3;
  }

 private:
  cudaEvent_t begin_ = nullptr, end_ = nullptr;
};

// A fleet on one device; returns the seconds of the kernels.
double score_fleet_on(int number, const DigitCode& code, std::span<const Mlp> models, const ArchRun& run,
                      const FleetPlan& plan, std::span<float> scores) {
  const Device device(number);
  const LaunchShape launch = narrow_launch(plan.narrow, device);
  const auto base = upload(plan.base_rows), inner = upload(plan.inner_rows);
  const auto n_models = static_cast<std::int64_t>(models.size());
  const std::int64_t each = std::max<std::int64_t>(
      1, fleet_bytes / static_cast<std::int64_t>(4 * std::max<std::uint64_t>(plan.stride, run.count)));
  const std::int64_t batch = std::min(n_models, each);
  std::vector<float> host(static_cast<std::size_t>(batch) * plan.stride);
  DeviceBuffer<float> parameters(static_cast<std::int64_t>(host.size()));
  DeviceBuffer<float> on_device(batch * static_cast<std::int64_t>(run.count));
  const std::int64_t tile_rows = kNarrowThreads / 32 * 16 * plan.narrow.m_tiles;
  Stopwatch stopwatch;
  double seconds = 0;
  const auto most_slices = (static_cast<std::int64_t>(run.count) + tile_rows - 1) / tile_rows;
  for (std::int64_t first = 0; first < n_models; first += batch) {
    const std::int64_t n = std::min(batch, n_models - first);
    parallel_for(n, [&](std::int64_t m) {
      fleet_parameters(models[first + m], code, plan, host.data() + m * static_cast<std::int64_t>(plan.stride));
    });
    copy_async(parameters.data(), host.data(), static_cast<std::size_t>(n) * plan.stride, cudaMemcpyHostToDevice,
               device.stream);
    NarrowArgs args;
    args.layers = plan.narrow.layers;
    args.inner = plan.narrow.inner;
    args.skip = plan.skip;
    args.table_in_shared = true;
    args.table_stride = plan.narrow.table_stride;
    args.count = run.count;
    args.scores_f32 = on_device.data();
    args.fleet = {parameters.data(),
                  plan.stride,
                  plan.n_values,
                  plan.n_base,
                  1,
                  base.data(),
                  inner.data(),
                  plan.first_inner,
                  code.n_digits() - plan.first_inner};
    // Few models share the device; many take a block each, which makes a model's tables only once.
    args.fleet.slices = static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(2 * launch.blocks_on_device / n, 1, std::max<std::int64_t>(most_slices, 1)));
    stopwatch.start(device.stream);
    launch.kernel<<<static_cast<unsigned>(n * args.fleet.slices), kNarrowThreads, plan.narrow.shared_bytes,
                    device.stream>>>(args);
    ONEPROXY_CUDA_CHECK_LAUNCH();
    stopwatch.stop(device.stream);
    copy_async(scores.data() + first * static_cast<std::int64_t>(run.count), on_device.data(),
               static_cast<std::size_t>(n) * run.count, cudaMemcpyDeviceToHost, device.stream);
    device.wait();
    seconds += stopwatch.seconds();
  }
  return seconds;
}

}  // namespace

std::unique_ptr<Scorer::Implementation> make_scorer_cuda(const DigitCode& code, std::span<const Model> models,
                                                         Precision precision) {
  return std::make_unique<ScorerCuda>(code, models, precision);
}

double score_fleet_cuda_timed(const DigitCode& code, std::span<const Mlp> models, const ArchRun& run,
                              std::span<float> scores, Precision precision) {
  const KeepDevice current;
  FleetPlan plan;
  const bool fits = plan_fleet(models[0], code, run, precision, Device(current.number()).limits, plan);
  if (!fits) {  // shapes without a kernel of their own, and long runs: one model after another
    std::vector<double> own(run.count);
    for (std::size_t m = 0; m < models.size(); ++m) {
      const Model model = models[m];
      ScorerCuda(code, std::span(&model, 1), precision).score(run, own);
      std::copy(own.begin(), own.end(), scores.begin() + static_cast<std::ptrdiff_t>(m * run.count));
    }
    return 0;
  }
  std::vector<int> devices = all_devices();
  if (models.size() < 64 * devices.size()) devices = {current.number()};
  const auto borders = piece_borders(models.size(), static_cast<int>(devices.size()));
  std::vector<double> seconds(devices.size(), 0);
  each_device(devices, [&](std::size_t i, int number) {
    const std::size_t first = borders[i], n = borders[i + 1] - first;
    if (n > 0)
      seconds[i] = score_fleet_on(number, code, models.subspan(first, n), run, plan,
                                  scores.subspan(first * run.count, n * run.count));
  });
  return *std::max_element(seconds.begin(), seconds.end());
}

void score_fleet_cuda(const DigitCode& code, std::span<const Mlp> models, const ArchRun& run, std::span<float> scores,
                      Precision precision) {
  score_fleet_cuda_timed(code, models, run, scores, precision);
}

}  // namespace oneproxy::detail
