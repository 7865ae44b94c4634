#include "oneproxy/engine/device/data_sheet.h"

#include <gmock/gmock.h>

#include <cmath>

#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/data/store.h"
#include "tests/engine/error_of.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kPhone = R"([[device]]
name = "phone"
class = "phone"
cores = 8
clock_hz = 2.4e9
)";

TEST(DataSheet, ReadsWhatIsKnownAndLeavesTheRestOpen) {
  const TemporaryFolder folder;
  const auto sheets = read_data_sheets(folder.write("a.toml", kPhone));
  ASSERT_EQ(sheets.size(), 1u);
  EXPECT_EQ(sheets[0].device, "phone");
  EXPECT_EQ(sheets[0].device_class, "phone");
  EXPECT_EQ(sheets[0].cores, 8);
  EXPECT_EQ(sheets[0].clock_hz, 2.4e9);
  EXPECT_TRUE(std::isnan(sheets[0].power_w));
  EXPECT_EQ(describe(sheets[0]), "phone; cores 8, clock_hz 2.4e+09");
}

TEST(DataSheet, OnePieceOfHardwareMayHaveSeveralNamesAndABatchEach) {
  const TemporaryFolder folder;
  const auto sheets = read_data_sheets(folder.write(
      "a.toml", "[[device]]\nname = [\"gpu_1\", \"gpu_32\"]\nbatch = [1, 32]\nclass = \"gpu\"\ncores = 3584\n"));
  ASSERT_EQ(sheets.size(), 2u);
  EXPECT_EQ(find_data_sheet(sheets, "gpu_1")->batch, 1);
  EXPECT_EQ(find_data_sheet(sheets, "gpu_32")->batch, 32);
  EXPECT_EQ(find_data_sheet(sheets, "gpu_32")->cores, 3584);
  EXPECT_EQ(find_data_sheet(sheets, "gpu_64"), nullptr);
}

TEST(DataSheet, RefusesWithFileAndLine) {
  struct Case {
    std::string text;
    std::vector<std::string> said;
  };
  const std::string phone = kPhone;
  const Case cases[] = {
      {phone + "clock_ghz = 2.4\n", {"unknown key 'clock_ghz'", "clock_hz"}},
      {"[[device]]\nname = \"p\"\nclass = \"phone\"\nclock_hz = 2.4\n",
       {"sheets.toml:1: ", "clock_hz = 2.4", "Hz", "SI units"}},
      {"[[device]]\nname = \"p\"\nclass = \"phone\"\nclock_hz = -2.4e9\n", {"sheets.toml:1: ", "should be from"}},
      {"[[device]]\nname = \"p\"\nclass = \"phone\"\nclock_hz = nan\n", {"sheets.toml:1: ", "clock_hz"}},
      {"[[device]]\nname = \"p\"\nclass = \"phone\"\nclock_hz = \"2.4 GHz\"\n", {"sheets.toml:1: ", "clock_hz"}},
      {"[[device]]\nname = \"p\"\nclass = \"phone\"\nmemory_bytes_per_s = 30\n", {"sheets.toml:1: ", "byte/s"}},
      {"[[device]]\nname = \"p\"\nclass = \"fone\"\ncores = 8\n", {"sheets.toml:1: ", "class = 'fone'", "phone"}},
      {"[[device]]\nname = \"p\"\ncores = 8\n", {"'class' is missing"}},
      {"[[device]]\nclass = \"cpu\"\ncores = 8\n", {"has no name"}},
      {"[[device]]\nname = \"p\"\nclass = \"cpu\"\n", {"device p has no number"}},
      {"[[device]]\nname = \"p\"\nclass = \"cpu\"\ncores = [1, 2]\n",
       {"sheets.toml:1: ", "cores has 2 numbers; give one"}},
      {"[[device]]\nname = [\"p\", \"q\"]\nclass = \"cpu\"\nbatch = [1, 2, 3]\n",
       {"sheets.toml:1: ", "batch has 3 numbers", "one for each of 2 names"}},
      {phone + phone, {"two data sheets of device phone"}},
      {"", {"no data sheet"}},
      {"device = 3\n", {"device"}},
  };
  for (const auto& [text, said] : cases) {
    const TemporaryFolder folder;
    const auto error = error_of([&] { read_data_sheets(folder.write("sheets.toml", text)); });
    EXPECT_THAT(error, HasSubstr("sheets.toml")) << text;
    for (const auto& part : said) EXPECT_THAT(error, HasSubstr(part)) << text;
    EXPECT_EQ(error.find('\n'), std::string::npos) << error;
  }
  EXPECT_THAT(error_of([] { read_data_sheets("/nowhere/sheets.toml"); }), HasSubstr("no such file of data sheets"));
}

TEST(DataSheet, TakesTheOnlyOneOrTheOneThatIsNamed) {
  const TemporaryFolder folder;
  const auto one = folder.write("one.toml", kPhone);
  const auto two =
      folder.write("two.toml", std::string(kPhone) + "[[device]]\nname = \"pad\"\nclass = \"phone\"\ncores = 6\n");
  EXPECT_EQ(read_data_sheet(one, "my_phone").cores, 8);
  EXPECT_EQ(read_data_sheet(two, "pad").cores, 6);
  EXPECT_THAT(error_of([&] { read_data_sheet(two, "pat"); }), AllOf(HasSubstr("two.toml"), HasSubstr("pad")));
}

TEST(DataSheet, IsTheSameAfterAFile) {
  const TemporaryFolder folder;
  DataSheet sheet;
  sheet.device = "gpu";
  sheet.device_class = "gpu";
  double value = 100;
  for (const auto& number : data_sheet_numbers()) sheet.*number.value = number.low * (value += 1);
  sheet.power_w = DataSheet::kUnknown;
  {
    H5File file(folder / "a.h5", H5Mode::create);
    write_data_sheet(file, "/device", sheet);
    file.close();
  }
  const auto read = read_data_sheet(H5File(folder / "a.h5", H5Mode::read), "/device");
  EXPECT_EQ(read.device, sheet.device);
  EXPECT_EQ(read.device_class, sheet.device_class);
  EXPECT_TRUE(std::isnan(read.power_w));
  for (const auto& number : data_sheet_numbers()) {
    if (number.key == "power_w") continue;
    EXPECT_EQ(read.*number.value, sheet.*number.value) << number.key;
  }
}

TEST(DataSheet, ADamagedFileIsRefused) {
  const TemporaryFolder folder;
  const auto with = [&](const std::string& key, const H5Attribute& value) {
    H5File file(folder / "a.h5", H5Mode::create);
    file.set_attribute("/device", "device", std::string("gpu"));
    file.set_attribute("/device", "class", std::string("gpu"));
    file.set_attribute("/device", key, value);
    return error_of([&] { read_data_sheet(file, "/device"); });
  };
  EXPECT_THAT(with("class", std::string("gqu")), HasSubstr("class 'gqu'"));
  EXPECT_THAT(with("clock_hz", 3.0), HasSubstr("clock_hz = 3"));
  EXPECT_THAT(with("clock_hz", std::string("fast")), HasSubstr("clock_hz"));
  EXPECT_THAT(with("other", 3.0), HasSubstr("no number"));
}

// The file that ships knows every device of the sets that it is for.
TEST(DataSheet, ThoseThatShipCoverTheirSet) {
  const auto sheets = read_data_sheets(shipped_data_sheets("help"));
  const Store store(shipped_store());
  for (const auto* space : {"nasbench201", "fbnet", "ofa_mbv3"})
    for (const auto& device : store.devices(space, "help")) {
      const auto* sheet = find_data_sheet(sheets, device);
      ASSERT_NE(sheet, nullptr) << device;
      const auto batch = store.latency(space, "help", device).text("batch");
      if (batch == "" || batch == "0") continue;  // not stated
      EXPECT_EQ(std::to_string(static_cast<int>(sheet->batch)), batch) << device;
    }
  EXPECT_EQ(shipped_data_sheets("nobody"), "");
}

}  // namespace
}  // namespace oneproxy
