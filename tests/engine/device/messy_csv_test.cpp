// Files of measurements as people have them, each with what it is to be read as: tests/fixtures/make_messy_csv.py
// wrote them and says what the lines of cases.txt mean.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/device/measurement_csv.h"
#include "oneproxy/engine/device/unit_check.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

struct Case {
  std::string file, options, expected;
};
void PrintTo(const Case& one, std::ostream* out) { *out << one.file << ' ' << one.options << ": " << one.expected; }

std::string folder() { return home_folder() + "/tests/fixtures/messy_csv/"; }

std::vector<Case> cases() {
  std::vector<Case> all;
  std::ifstream in(folder() + "cases.txt");
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    Case one;
    std::getline(words, one.file, '\t');
    std::getline(words, one.options, '\t');
    std::getline(words, one.expected);
    all.push_back(one);
  }
  return all;
}

std::string medians(const MeasuredArchitectures& measured) {
  std::string text;
  for (const double value : measured.latency_ms) text += " " + (std::isnan(value) ? "nan" : plain(value));
  return text;
}

// What the file is read as, in the words of cases.txt.
std::string reading(const Case& one) {
  MeasurementForm form;
  bool many = false, store = false;
  Quantity quantity = latency_quantity();
  std::istringstream options(one.options);
  for (std::string word; options >> word;) {
    const auto equal = word.find('=');
    const std::string name = word.substr(0, equal), value = equal == std::string::npos ? "" : word.substr(equal + 1);
    if (name == "many") many = true;
    if (name == "store") store = true;
    if (name == "unit") form.unit = value;
    if (name == "device") form.device = value;
    if (name == "decimal") form.decimal = parse_decimal_mark(value, "--decimal");
    if (name == "metric") {
      const auto colon = value.find(':');
      quantity = {value.substr(0, colon), value.substr(0, colon), value.substr(colon + 1), Direction::minimise};
    }
    std::istringstream columns(name == "columns" ? value : "");
    for (std::string column; std::getline(columns, column, '|');) form.columns.push_back(column);
  }
  static const SearchSpace space = SearchSpace::load("nasbench201");
  try {
    if (many) {
      const auto all = read_device_measurements(space, {folder() + one.file}, form);
      std::string text;
      for (const auto& [name, measured] : all.devices)
        text += (text.empty() ? "= " : " / ") + name + ":" + medians(measured);
      return text + " ~ " + join(all.remarks, "; ");
    }
    const auto measured = quantity.name == "latency_ms"
                              ? read_measurements(space, {folder() + one.file}, form)
                              : read_measurements(space, {folder() + one.file}, quantity, form);
    if (store && !measured.unit_is_said) {
      static const auto known = known_latencies(Store(shipped_store()), "nasbench201");
      check_latency_unit(measured.latency_ms, *known, one.file);
    }
    return "=" + medians(measured) + " ~ " + join(measured.remarks, "; ") +
           "; failures: " + describe_failures(measured.failures);
  } catch (const Error& error) {
    return std::string("! ") + error.what();
  }
}

class MessyCsv : public testing::TestWithParam<Case> {};

TEST_P(MessyCsv, IsReadOrRefusedAsItShould) {
  const Case& one = GetParam();
  const std::string read = reading(one);
  if (one.expected.starts_with("!")) {
    ASSERT_TRUE(read.starts_with("!")) << read;
    EXPECT_THAT(read, testing::HasSubstr(one.expected.substr(2)));
    EXPECT_THAT(read, testing::HasSubstr(one.file)) << "the place";
    EXPECT_EQ(read.find('\n'), std::string::npos) << "one line";
    return;
  }
  const auto remark = one.expected.find(" ~ ");
  EXPECT_EQ(read.substr(0, read.find(" ~ ")), one.expected.substr(0, remark)) << read;
  if (remark != std::string::npos)
    EXPECT_THAT(read, testing::HasSubstr(one.expected.substr(remark + 3)));
  else
    EXPECT_EQ(read.find("not read"), std::string::npos) << read;
}

INSTANTIATE_TEST_SUITE_P(Files, MessyCsv, testing::ValuesIn(cases()),
                         [](const auto& one) { return one.param.file.substr(0, one.param.file.find('.')); });

TEST(MessyCsvFiles, AreAtLeastSixty) { EXPECT_GE(cases().size(), 60u); }

// A device that is in the store is never taken for another unit; a thousandth or a thousand times of it always is.
TEST(UnitCheck, TellsSecondsFromEveryDeviceOfTheStore) {
  const Store store(shipped_store());
  for (const auto& space : {"nasbench201", "fbnet", "ofa_mbv3", "accel_nasbench"}) {
    const auto known = known_latencies(store, space);
    ASSERT_TRUE(known);
    for (const auto& set : store.sets(space))
      for (const auto& device : store.devices(space, set)) {
        auto values = store.latency(space, set, device).values;
        check_latency_unit(values, *known, device);
        for (double& value : values) value /= 1000;
        EXPECT_THROW(check_latency_unit(values, *known, device), Error) << space << ' ' << device;
        for (double& value : values) value *= 1e6;
        EXPECT_THROW(check_latency_unit(values, *known, device), Error) << space << ' ' << device;
      }
  }
  EXPECT_FALSE(known_latencies(store, "no_space"));
}

}  // namespace
}  // namespace oneproxy
