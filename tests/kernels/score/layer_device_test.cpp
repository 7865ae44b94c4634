// The kernels around the layers of wide and fp64 MLPs, run on the CPU thread by thread (tests/support/simt_on_host.h).
// clang-format off
#include "tests/kernels/score/device_cases.h"
#include "oneproxy/kernels/score/cuda/layer_kernels.cuh"
// clang-format on

#include "oneproxy/kernels/score/mlp_error.h"

namespace oneproxy::detail {
namespace {

using test::OwnedMlp;

TEST(LayerKernels, Fp64IsTheDefinitionToTheBit) {
  const OwnedDigits digits({4, 1, 7, 2, 13, 6}, 3, 9);
  const OwnedMlp owned(digits, {37, 20, 11}, 2);
  const Mlp mlp = owned.mlp();
  const DigitSplit split = split_digits(digits.radices);
  const auto singles = group_digits(digits.radices, split, 1, 1);
  for (const IndexRange run : {IndexRange{1234, 99}, IndexRange{1234, 99, true, 3}}) {
    const auto n = static_cast<std::uint32_t>(run.count);
    std::vector<double> h(run.count * 37), next;
    const FirstLayerArgs<double> first{singles.data(),
                                       static_cast<int>(singles.size()),
                                       mlp.rows.data(),
                                       mlp.first_bias.data(),
                                       digits.rows.data(),
                                       digits.parts,
                                       37};
    const Start start = start_at(run, 0, split, 1);
    simt::launch({2, 32, first.shared_bytes()},
                 [&] { first_layer_kernel<double>(first, start.places, 1, n, h.data()); });
    for (const auto& layer : mlp.layers) {
      std::vector<double> transposed(layer.weights.size());
      for (int o = 0; o < layer.outputs; ++o)
        for (int i = 0; i < layer.inputs; ++i) transposed[i * layer.outputs + o] = layer.weights[o * layer.inputs + i];
      next.assign(run.count * layer.outputs, 0);
      simt::launch({2, 64}, [&] {
        dense_fp64_kernel(h.data(), n, layer.inputs, layer.outputs, transposed.data(), layer.bias.data(), next.data());
      });
      h.swap(next);
    }
    EXPECT_EQ(h, definition(mlp, digits, run));
  }
}

// Many digits leave a block fewer architectures at a time, and never more shared memory than it has unasked.
TEST(LayerKernels, AFirstLayerOfManyDigitsFitsSharedMemory) {
  const OwnedDigits digits(std::vector<std::uint32_t>(700, 1), 1, 9);
  const OwnedMlp owned(digits, {5}, 2);
  const Mlp mlp = owned.mlp();
  const DigitSplit split = split_digits(digits.radices);
  const auto singles = group_digits(digits.radices, split, 1, 1);
  for (const int n_groups : {1, 22, 384, 385, 700, 12288})
    EXPECT_LE(FirstLayerArgs<double>(nullptr, n_groups, nullptr, nullptr, nullptr, 1, 5).shared_bytes(), 48u * 1024);
  const FirstLayerArgs<double> first(singles.data(), 700, mlp.rows.data(), mlp.first_bias.data(), digits.rows.data(), 1,
                                     5);
  EXPECT_EQ(first.block_rows, 17u);
  std::vector<double> h(5), expected(mlp.first_bias.begin(), mlp.first_bias.end());
  for (std::size_t row = 0; row < 700; ++row)
    for (std::size_t j = 0; j < 5; ++j) expected[j] += mlp.rows[5 * row + j];
  simt::launch({1, 32, first.shared_bytes()}, [&] {
    first_layer_kernel<double>(first, start_at({0, 1}, 0, split, 1).places, 1, 1, h.data());
  });
  EXPECT_EQ(h, expected);
}

TEST(LayerKernels, FirstAndLastLayerOfAWideMlp) {
  const OwnedDigits digits({3, 50, 7}, 2, 9);
  const OwnedMlp owned(digits, {200}, 2);
  const Mlp mlp = owned.mlp();
  const DigitSplit split = split_digits(digits.radices);
  const auto tables = first_layer_tables(mlp, digits.code(), split, 200, 400, 1 << 30);
  const IndexRange run{123, 301};
  const Start start = start_at(run, 0, split, tables.inner());
  const auto n_base = static_cast<std::uint32_t>((start.skip + run.count + tables.inner() - 1) / tables.inner());
  const int n_groups = static_cast<int>(tables.groups.size());
  std::vector<float> base(n_base * 200), weights;
  const auto first = first_layer_args(tables, n_groups - 1);
  simt::launch({1, 32, first.shared_bytes()},
               [&] { first_layer_kernel<float>(first, start.places, tables.inner(), n_base, base.data()); });
  for (const double w : mlp.layers[0].weights) weights.push_back(static_cast<float>(w));
  const float* inner = tables.rows.data() + tables.groups.back().offset * 200;
  const auto scores_with = [&](auto stored) {
    std::vector<decltype(stored)> activations(run.count * 200);
    std::vector<double> scores(run.count);
    simt::launch({2, 64}, [&] {
      activation_kernel(base.data(), inner, Divider(tables.inner()), start.skip, 301, Divider(25), activations.data());
    });
    simt::launch({2, 64}, [&] {
      last_layer_kernel(activations.data(), 301, 25, weights.data(), static_cast<float>(mlp.layers[0].bias[0]),
                        scores.data());
    });
    return scores;
  };
  const auto exact = definition(mlp, digits, run);
  expect_close(scores_with(0.0f), exact, 2e-6, mlp_error_bound(mlp, digits.code(), Precision::fp32, Backend::cuda));
  expect_close(scores_with(Bf16{}), exact, 1e-2, mlp_error_bound(mlp, digits.code(), Precision::bf16, Backend::cuda));
}

}  // namespace
}  // namespace oneproxy::detail
