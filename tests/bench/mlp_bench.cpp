// MLPs over whole spaces on the CPU. mlp_baseline.py adds PyTorch's rate in the same run.
//   mlp_bench [--filter REGEX] [--list]        every case in every precision
//   mlp_bench --measure CASE PRECISION SECONDS  one of them, for about so long
// One JSON object a line. share_of_peak: multiply-adds of the hidden layers alone, by those that the same instruction
// set does in registers, measured in between. Rates and peaks are those of the best slice of some milliseconds, because
// others may load the machine; mlp_torch.cpp does the same.
#include <cmath>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <optional>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/isa.h"
#include "oneproxy/kernels/base/random.h"
#include "oneproxy/kernels/score/cpu/mlp_on_tiles.h"
#include "oneproxy/kernels/score/cpu/shuffled_digits.h"
#include "oneproxy/kernels/score/fleet_detail.h"
#include "tests/bench/bench.h"

namespace oneproxy::bench {
namespace {

struct Shape {
  std::string predictor;
  std::vector<std::uint32_t> radices;
  int parts, n_rows;
  std::vector<int> widths;
};

const Shape kNasBench201{"30-64-64-1", std::vector<std::uint32_t>(6, 5), 1, 30, {64, 64}};
const Shape kFbnet{"198-128-128-1", std::vector<std::uint32_t>(22, 9), 1, 198, {128, 128}};
const Shape kOfa{"128-400-400-400-1", {25, 7371, 7371, 7371, 7371, 7371}, 4, 128, {400, 400, 400}};

// Weights as of a trained predictor: each layer keeps the size of its inputs.
class RandomPredictor {
 public:
  RandomPredictor(const Shape& shape, std::uint64_t seed) : shape_(shape) {
    const Philox random{seed, 5};
    std::uint64_t draw = 0;
    const auto numbers = [&](std::size_t n, double fan_in) {
      std::vector<double> values(n);
      for (double& value : values) value = (random.uniform(draw++) * 2 - 1) * std::sqrt(6.0 / fan_in);
      return values;
    };
    const int width = shape.widths[0];
    rows_ = numbers(static_cast<std::size_t>(shape.n_rows) * width, shape.radices.size() * shape.parts);
    first_bias_ = numbers(width, 100);
    for (std::size_t l = 0; l < shape.widths.size(); ++l) {
      const int inputs = shape.widths[l], outputs = l + 1 < shape.widths.size() ? shape.widths[l + 1] : 1;
      weights_.push_back(numbers(static_cast<std::size_t>(inputs) * outputs, inputs));
      biases_.push_back(numbers(outputs, 100));
    }
  }
  Mlp model() const {
    Mlp mlp{shape_.widths[0], rows_, first_bias_, {}};
    for (std::size_t l = 0; l < weights_.size(); ++l)
      mlp.layers.push_back({shape_.widths[l], static_cast<int>(biases_[l].size()), weights_[l], biases_[l]});
    return mlp;
  }

 private:
  const Shape& shape_;
  std::vector<double> rows_, first_bias_;
  std::vector<std::vector<double>> weights_, biases_;
};

class Code {
 public:
  explicit Code(const Shape& shape) : shape_(shape) {
    const auto values = std::accumulate(shape.radices.begin(), shape.radices.end(), 0u);
    const Philox random{3, 6};
    for (std::uint32_t i = 0; i < values * shape.parts; ++i)
      rows_.push_back(shape.parts == 1 ? static_cast<std::int32_t>(i)
                                       : static_cast<std::int32_t>(random.below(i, shape.n_rows)));
  }
  DigitCode view() const { return {shape_.radices, shape_.parts, rows_, shape_.n_rows}; }

 private:
  const Shape& shape_;
  std::vector<std::int32_t> rows_;
};

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Multiply-adds a second of all threads together.
double peak(Precision precision, Isa isa) {
  std::vector<double> done(thread_count());
  constexpr std::int64_t kRounds = 1'000'000;
  const double seconds = seconds_of([&] {
    parallel_for(thread_count(),
                 [&](std::int64_t t) { done[t] = detail::spin_multiply_adds(precision, isa, kRounds); });
  });
  return std::accumulate(done.begin(), done.end(), 0.0) / seconds;
}

enum class Way { range, shuffled, list, fleet };  // list: digits that lie in memory

struct MlpCase {
  std::string name;
  const Shape* shape;
  Way way;
  std::int64_t n_slice;   // scores that are timed at once
  std::int64_t n_slices;  // different ones
};

// Keeps what a case needs, and scores slice after slice.
std::function<void(std::int64_t slice)> worker(const MlpCase& mlp_case, Precision precision, Isa isa) {
  const std::int64_t n = mlp_case.n_slice;
  const Shape& shape = *mlp_case.shape;
  const auto code = std::make_shared<Code>(shape);
  if (mlp_case.way == Way::fleet) {
    const IndexRange run{0, static_cast<std::uint64_t>(code->view().size()), false, 0};
    const std::int64_t n_models = n / static_cast<std::int64_t>(run.count), n_all = n_models * mlp_case.n_slices;
    auto owners = std::make_shared<std::vector<RandomPredictor>>();
    auto models = std::make_shared<std::vector<Mlp>>();
    for (std::int64_t m = 0; m < n_all; ++m) owners->emplace_back(shape, m);
    for (const RandomPredictor& owner : *owners) models->push_back(owner.model());
    auto scores = std::make_shared<std::vector<float>>(n_all * run.count);
    return [=](std::int64_t slice) {
      const std::int64_t first = slice * n_models;
      detail::score_fleet_cpu(code->view(), std::span(models->data() + first, n_models), run,
                              std::span(scores->data() + first * run.count, n), precision);
    };
  }
  const auto lists = std::make_shared<const detail::RowLists>(code->view());
  const std::shared_ptr<detail::MlpOnTiles> mlp =
      detail::make_mlp_on_tiles(RandomPredictor(shape, 1).model(), lists, precision, isa);
  const std::int64_t per_batch = n / 16, n_batches = 16 * mlp_case.n_slices;
  const ArchIndex begin = code->view().size() / 7;
  const IndexRange run{begin, static_cast<std::uint64_t>(per_batch * n_batches), true, 1};
  const auto list_batch = [=](std::int64_t b) {
    return detail::shuffled_digits(mlp_case.shape->radices, run, split_digits(mlp_case.shape->radices),
                                   static_cast<std::uint64_t>(b * per_batch), per_batch);
  };
  std::vector<std::vector<std::uint32_t>> lists_in_memory;
  if (mlp_case.way == Way::list)
    for (std::int64_t b = 0; b < n_batches; ++b) lists_in_memory.push_back(list_batch(b));
  const auto listed = std::make_shared<const std::vector<std::vector<std::uint32_t>>>(std::move(lists_in_memory));
  const auto batch = [=](std::int64_t b) {
    std::vector<double> scores(per_batch);
    if (mlp_case.way == Way::range)
      mlp->score_range(begin + b * per_batch, per_batch, scores.data());
    else if (mlp_case.way == Way::list)
      mlp->score_digits((*listed)[b].data(), per_batch, scores.data());
    else
      mlp->score_digits(list_batch(b).data(), per_batch, scores.data());
  };
  return [=](std::int64_t slice) { parallel_for(16, [&](std::int64_t b) { batch(slice * 16 + b); }); };
}

const std::vector<MlpCase>& all_cases() {
  static const std::vector<MlpCase> cases{{"nasbench201_fleet", &kNasBench201, Way::fleet, 4 * 15'625, 256},
                                          {"fbnet_range", &kFbnet, Way::range, 1 << 14, 32},
                                          {"fbnet_shuffled", &kFbnet, Way::shuffled, 1 << 14, 32},
                                          {"fbnet_list", &kFbnet, Way::list, 1 << 14, 32},
                                          {"ofa_range", &kOfa, Way::range, 1 << 10, 32},
                                          {"ofa_list", &kOfa, Way::list, 1 << 10, 32}};
  return cases;
}

constexpr Precision kPrecisions[] = {Precision::fp32, Precision::bf16, Precision::fp64};

void measure(const MlpCase& mlp_case, Precision precision, double seconds) {
  const Isa isa = chosen_isa();
  const auto work = worker(mlp_case, precision, isa);
  work(0);
  double best = 1e300, best_peak = 0, spent = 0;
  std::int64_t slices = 0;
  for (; slices < mlp_case.n_slices || spent < seconds; ++slices) {
    best_peak = std::max(best_peak, peak(precision, isa));
    const double took = seconds_of([&] { work(slices % mlp_case.n_slices); });
    best = std::min(best, took);
    spent += took;
  }
  double multiply_adds = 0;
  const auto& widths = mlp_case.shape->widths;
  for (std::size_t l = 1; l < widths.size(); ++l) multiply_adds += static_cast<double>(widths[l - 1]) * widths[l];
  const double rate = static_cast<double>(mlp_case.n_slice) / best;
  std::printf(
      "{\"case\": \"%s\", \"predictor\": \"%s\", \"backend\": \"cpu\", \"precision\": \"%s\", \"threads\": %d, "
      "\"n\": %lld, \"archs_per_s\": %.5g, \"share_of_peak\": %.3f, \"peak_gflops\": %.4g, \"isa\": \"%s\", "
      "\"path\": \"%s\", \"slices\": %lld}\n",
      mlp_case.name.c_str(), mlp_case.shape->predictor.c_str(), to_string(precision), thread_count(),
      static_cast<long long>(slices * mlp_case.n_slice), rate, rate * multiply_adds / best_peak, 2e-9 * best_peak,
      to_string(isa),
      detail::make_mlp_on_tiles(RandomPredictor(*mlp_case.shape, 1).model(),
                                std::make_shared<const detail::RowLists>(Code(*mlp_case.shape).view()), precision, isa)
          ->path()
          .c_str(),
      static_cast<long long>(slices));
  std::fflush(stdout);
}

int run(int argc, char** argv) {
  std::vector<Case> cases;
  for (const MlpCase& mlp_case : all_cases())
    for (const Precision precision : kPrecisions) {
      const std::string name = mlp_case.name + "_" + to_string(precision);
      if (argc == 5 && std::string_view(argv[1]) == "--measure" && mlp_case.name == argv[2] &&
          std::string_view(argv[3]) == to_string(precision)) {
        measure(mlp_case, precision, std::atof(argv[4]));
        return 0;
      }
      cases.push_back({name, [&mlp_case, precision] { measure(mlp_case, precision, 1.5); }});
    }
  return run_cases(argc, argv, cases);
}

}  // namespace
}  // namespace oneproxy::bench

int main(int argc, char** argv) {
  try {
    return oneproxy::bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
