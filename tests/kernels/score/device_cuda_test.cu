// Whose device is current when, on a GPU. Two GPUs show more than one: the current device is then another one.
#include <gtest/gtest.h>

#include "oneproxy/kernels/base/backend_cuda.h"
#include "oneproxy/kernels/score/cuda/device.cuh"
#include "oneproxy/kernels/score/scorer.h"
#include "tests/kernels/score/score_cases.h"
#include "tests/support/needs_cuda.h"

namespace oneproxy::detail {
namespace {

int current_device() {
  int number = -1;
  ONEPROXY_CUDA_CHECK(cudaGetDevice(&number));
  return number;
}

TEST(DeviceCuda, LeavesTheCallersDeviceAsItWas) {
  ONEPROXY_NEEDS_CUDA();
  const DeviceGuard before;
  for (const int current : usable_devices_cuda())
    for (const int other : usable_devices_cuda()) {
      ONEPROXY_CUDA_CHECK(cudaSetDevice(current));
      {
        const Device device(other);
        EXPECT_EQ(current_device(), current);
        const DeviceGuard guard(other);
        EXPECT_EQ(current_device(), other);
      }
      EXPECT_EQ(current_device(), current);

      const test::OwnedDigits digits({5, 5, 5, 5}, 1, 5);
      const test::OwnedMlp mlp(digits, {200, 100}, 6);
      const ScoreFunction model = mlp.mlp();
      std::vector<double> scores(625), again(625);
      {
        const Scorer scorer(digits.code(), std::span(&model, 1), Backend::cuda, Precision::fp32);
        scorer.score({0, 625}, scores);
        ONEPROXY_CUDA_CHECK(cudaSetDevice(other));  // a scorer stays on the device where it was made
        scorer.score({0, 625}, again);
        EXPECT_EQ(current_device(), other);
      }
      EXPECT_EQ(current_device(), other);
      EXPECT_EQ(again, scores);
    }
}

}  // namespace
}  // namespace oneproxy::detail
