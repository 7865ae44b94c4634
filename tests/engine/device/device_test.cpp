#include "oneproxy/engine/device/device.h"

#include <gmock/gmock.h>

#include "oneproxy/engine/predictor/cost_table.h"
#include "oneproxy/engine/predictor/library.h"
#include "tests/engine/error_of.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

Device phone() {
  Device device{"phone", "nasbench201", {}, std::nullopt};
  device.references.add(std::vector<std::uint8_t>{0, 1, 2, 3, 4, 0}, 3.25);
  device.references.add(std::vector<std::uint8_t>{4, 3, 2, 1, 0, 1}, 17.5);
  DataSheet sheet;
  sheet.device = "phone";
  sheet.device_class = "phone";
  sheet.cores = 8;
  device.data_sheet = sheet;
  return device;
}

void expect_same(const Device& a, const Device& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.space, b.space);
  EXPECT_EQ(a.references.choices, b.references.choices);
  EXPECT_EQ(a.references.values, b.references.values);
  ASSERT_EQ(a.data_sheet.has_value(), b.data_sheet.has_value());
  const auto said = [](const Device& device) { return device.data_sheet ? describe(*device.data_sheet) : ""; };
  EXPECT_EQ(said(a), said(b));
}

class DeviceFile : public testing::Test {
 protected:
  const SearchSpace space_ = SearchSpace::load("nasbench201");
  const Predictor table_ = cost_table(SearchSpace::load("fbnet"), "model:macs");
  const TemporaryFolder folder_;
};

TEST_F(DeviceFile, IsTheSameAfterAFile) {
  Device bare = phone();
  bare.data_sheet.reset();
  Device unmeasured = phone();
  unmeasured.references = {};
  for (const auto& device : {phone(), bare, unmeasured}) {
    H5File file(folder_ / "a.h5", H5Mode::create);
    EXPECT_FALSE(is_device(file, "/device"));
    write_device(file, "/device", device);
    EXPECT_TRUE(is_device(file, "/device"));
    expect_same(read_device(file, "/device"), device);
    check_device(device, space_, "here");
  }
}

TEST_F(DeviceFile, RefusesWhatDoesNotFit) {
  auto fault = [&](Device device) { return error_of([&] { check_device(device, space_, "phone.h5"); }); };
  auto device = phone();
  device.space = "fbnet";
  EXPECT_THAT(fault(device), HasSubstr("phone.h5: device phone was measured on space fbnet, not on nasbench201"));
  device = phone();
  device.references.choices[3] = 9;
  EXPECT_THAT(fault(device), HasSubstr("reference network 0 of device phone"));
  device = phone();
  device.references.values[1] = -1;
  EXPECT_THAT(fault(device), HasSubstr("reference network 1"));
  device = phone();
  device.references.choices.pop_back();
  EXPECT_THAT(fault(device), HasSubstr("11 choices for 2 latencies"));
}

TEST_F(DeviceFile, RefusesADamagedOne) {
  const auto damaged = [&](const std::function<void(H5File&)>& damage) {
    H5File file(folder_ / "a.h5", H5Mode::create);
    write_device(file, "/device", phone());
    damage(file);
    return error_of([&] { read_device(file, "/device"); });
  };
  EXPECT_THAT(damaged([](H5File& f) { f.set_attribute("/device", "format", std::string("x")); }),
              HasSubstr("is no device"));
  EXPECT_THAT(damaged([](H5File& f) { f.set_attribute("/device", "schema_version", std::int64_t{9}); }),
              HasSubstr("has schema 9"));
  EXPECT_THAT(damaged([](H5File& f) { f.remove("/device/latency_ms"); }), HasSubstr("latency_ms"));
  EXPECT_THAT(damaged([](H5File& f) {
                f.remove("/device/latency_ms");
                f.write("/device/latency_ms", std::vector<double>{1, 2, 3, 4, 5});
              }),
              HasSubstr("12 choices for 5 latencies"));
  EXPECT_THAT(damaged([](H5File& f) { f.set_attribute("/device", "cores", -1.0); }), HasSubstr("cores = -1"));
}

// Beside a predictor in a file of its own, and below its name in a store; readers of predictors see no difference.
TEST_F(DeviceFile, StandsBesideItsPredictor) {
  const SearchSpace fbnet = SearchSpace::load("fbnet");
  Device device{"phone", "fbnet", {}, phone().data_sheet};
  device.references.add(std::vector<std::uint8_t>(22, 1), 12.5);
  const auto file = folder_ / "phone.h5", store = folder_ / "store.h5", empty = folder_ / "empty.h5";
  save_predictor(file, table_, &device);
  expect_same(find_device(file, "", fbnet).value(), device);
  std::vector<std::uint8_t> one(22, 2);
  double expected = 0, found = 0;
  predict(table_, one, std::span(&expected, 1));
  predict(find_table(file, "", fbnet), one, std::span(&found, 1));
  EXPECT_EQ(found, expected);
  EXPECT_THAT(error_of([&] { find_device(file, "", space_); }), HasSubstr("not on nasbench201"));
  save_predictor(file, table_);
  EXPECT_FALSE(find_device(file, "", fbnet).has_value());

  {
    H5File made(empty, H5Mode::create);
    made.set_attribute("/", "schema_version", std::int64_t{1});
    made.set_attribute("/", "format", std::string("oneproxy-store"));
  }
  add_predictor(store, empty, "phone", table_, &device);
  expect_same(find_device("phone", store, fbnet).value(), device);
  predict(find_table("phone", store, fbnet), one, std::span(&found, 1));
  EXPECT_EQ(found, expected);
  EXPECT_THAT(error_of([&] { find_device("fone", store, fbnet); }), HasSubstr("phone"));
  add_predictor(store, empty, "phone", table_);  // replaced by one without
  EXPECT_FALSE(find_device("phone", store, fbnet).has_value());
}

}  // namespace
}  // namespace oneproxy
