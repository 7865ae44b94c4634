// PyTorch's rate for the predictors of mlp_bench.cpp: inference mode, one-hot codes that already lie in memory, the
// best batch of several sizes. Run by mlp_baseline.py.
//   mlp_torch PREDICTOR PRECISION SECONDS     PREDICTOR: widths, such as 30-64-64-1
// One JSON object on stdout.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <torch/version.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "oneproxy/kernels/base/parallel.h"

namespace {

std::vector<std::int64_t> widths_of(const std::string& predictor) {
  std::vector<std::int64_t> widths;
  std::istringstream text(predictor);
  for (std::string width; std::getline(text, width, '-');) widths.push_back(std::stoll(width));
  return widths;
}

// Codes with about one feature of nine set.
at::Tensor one_hot_codes(std::int64_t rows, std::int64_t features, at::ScalarType type) {
  return at::rand({rows, features}).lt(1.0 / 9).to(type);
}

double best_rate(const std::vector<std::int64_t>& widths, at::ScalarType type, double seconds,
                 std::int64_t& best_batch) {
  std::vector<at::Tensor> weights, biases;
  for (std::size_t l = 1; l < widths.size(); ++l) {
    weights.push_back((at::randn({widths[l], widths[l - 1]}) * 0.1).to(type));
    biases.push_back(at::randn({widths[l]}).to(type));
  }
  const at::Tensor codes = one_hot_codes(1 << 16, widths[0], type);
  double best = 0;
  float sink = 0;
  for (std::int64_t batch = 1 << 10; batch <= 1 << 16; batch *= 2) {
    double spent = 0;
    for (int repeat = -1; repeat < 3 || spent < seconds / 7; ++repeat) {
      const auto start = std::chrono::steady_clock::now();
      at::Tensor h = codes.narrow(0, 0, batch);
      for (std::size_t l = 0; l < weights.size(); ++l) {
        h = at::linear(h, weights[l], biases[l]);
        if (l + 1 < weights.size()) h.relu_();
      }
      sink += h[0].item<float>();
      const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      if (repeat < 0) continue;  // warms up
      spent += took;
      const double rate = static_cast<double>(batch) / took;
      if (rate > best) {
        best = rate;
        best_batch = batch;
      }
    }
  }
  return sink == 12345.0f ? 0 : best;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: %s PREDICTOR fp32|bf16|fp64 SECONDS\n", argv[0]);
    return 1;
  }
  const std::string precision = argv[2];
  const at::ScalarType type = precision == "bf16" ? at::kBFloat16 : precision == "fp64" ? at::kDouble : at::kFloat;
  const int threads = oneproxy::thread_count();
  at::set_num_threads(threads);
  c10::InferenceMode inference;
  std::int64_t batch = 0;
  const double rate = best_rate(widths_of(argv[1]), type, std::atof(argv[3]), batch);
  std::printf("{\"baseline\": \"PyTorch %s, batch %lld\", \"baseline_archs_per_s\": %.5g, \"threads\": %d}\n",
              TORCH_VERSION, static_cast<long long>(batch), rate, threads);
}
