#include "oneproxy/kernels/base/cuda_devices.h"

#include <gtest/gtest.h>

namespace oneproxy::detail {
namespace {

const std::vector<CudaDevice> kDevices = {{"Tesla V100", 70}, {"A100", 80}, {"T4", 75},
                                          {"RTX 4090", 89},   {"H200", 90}, {"B200", 100}};
const std::vector<int> kDefault = {80, 90}, kHopper = {90};

TEST(CudaDevices, OldOnesAreNotUsed) {
  EXPECT_EQ(usable_devices(kDevices, kDefault), (std::vector<int>{1, 3, 4, 5}));
  EXPECT_EQ(usable_devices(kDevices, kHopper), (std::vector<int>{4, 5}));
  EXPECT_EQ(usable_devices(kDevices, std::vector{70}), (std::vector<int>{1, 3, 4, 5}));  // the kernels want 8.0
  EXPECT_TRUE(usable_devices({}, kDefault).empty());
}

TEST(CudaDevices, ARefusalNamesTheDeviceItsCapabilityAndTheRemedy) {
  for (const int usable : {1, 3, 4, 5}) EXPECT_EQ(why_no_device(kDevices, usable, kDefault), "");
  EXPECT_EQ(why_no_device(kDevices, 0, kDefault),
            "backend = \"cuda\": device 0, Tesla V100, has compute capability 7.0, and the kernels need 8.0 or newer; "
            "choose another device with CUDA_VISIBLE_DEVICES or use backend = \"cpu\"");
  EXPECT_EQ(why_no_device(kDevices, 2, kHopper).substr(0, 58),
            "backend = \"cuda\": device 2, T4, has compute capability 7.5");
  EXPECT_EQ(why_no_device(kDevices, 3, kHopper),
            "backend = \"cuda\": device 3, RTX 4090, has compute capability 8.9, and this build is for 9.0 and newer; "
            "rebuild with -DCMAKE_CUDA_ARCHITECTURES=89 or use backend = \"cpu\"");
  EXPECT_NE(why_no_device({}, 0, kDefault).find("no CUDA device"), std::string::npos);
}

}  // namespace
}  // namespace oneproxy::detail
