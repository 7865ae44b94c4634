#include "oneproxy/engine/data/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/base/sha256.h"
#include "oneproxy/engine/data/csv.h"
#include "oneproxy/kernels/base/error.h"
#include "tests/engine/error_of.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// A store of 3 rows, 2 decisions, one device, one metric.
void write_store(const std::string& path, std::int64_t schema = 1, const std::string& format = "oneproxy-store") {
  H5File file(path, H5Mode::create);
  file.set_attribute("/", "format", format);
  file.set_attribute("/", "schema_version", schema);
  const std::string base = "/spaces/tiny/a";
  const std::vector<std::uint8_t> choices = {0, 0, 0, 1, 1, 0};
  const std::vector<double> latency = {1.5, kNan, 2.5}, accuracy = {10, 20, 30};
  const std::vector<std::int64_t> official = {7, 8, 9};
  const std::int64_t shape[] = {3, 2};
  file.write(base + "/choices", std::span<const std::uint8_t>(choices), shape);
  file.set_attribute(base + "/choices", "sha256", sha256_of(std::span<const std::uint8_t>(choices)));
  file.write(base + "/official_index", std::span<const std::int64_t>(official));
  file.set_attribute(base + "/official_index", "sha256", sha256_of(std::span<const std::int64_t>(official)));
  file.write(base + "/latency_ms/dev", std::span<const double>(latency));
  file.set_attribute(base + "/latency_ms/dev", "sha256", sha256_of(std::span<const double>(latency)));
  file.write(base + "/metrics/acc", std::span<const double>(accuracy));
  file.set_attribute(base + "/metrics/acc", "sha256", sha256_of(std::span<const double>(accuracy)));
  file.set_attribute(base + "/metrics/acc", "unit", std::string("%"));
  file.close();
}

TEST(Sha256, KnownAnswers) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Store, ReadsWhatWasWritten) {
  TemporaryFolder folder;
  write_store(folder / "s.h5");
  const Store store(folder / "s.h5");
  EXPECT_THAT(store.spaces(), ElementsAre("tiny"));
  EXPECT_THAT(store.sets("tiny"), ElementsAre("a"));
  EXPECT_THAT(store.devices("tiny", "a"), ElementsAre("dev"));
  const auto rows = store.rows("tiny", "a");
  EXPECT_EQ(rows.n, 3);
  EXPECT_THAT(rows.row(1), ElementsAre(0, 1));
  EXPECT_THAT(rows.official_index, ElementsAre(7, 8, 9));
  const auto column = store.latency("tiny", "a", "dev");
  EXPECT_EQ(column.values[0], 1.5);
  EXPECT_TRUE(std::isnan(column.values[1]));
  EXPECT_EQ(column.n_missing(), 1);
  EXPECT_EQ(store.metric("tiny", "a", "acc").text("unit"), "%");
}

TEST(Store, UnknownNamesOfferTheNearest) {
  TemporaryFolder folder;
  write_store(folder / "s.h5");
  const Store store(folder / "s.h5");
  EXPECT_THAT(error_of([&] { store.latency("tiny", "a", "dve"); }),
              AllOf(HasSubstr("'dve'"), HasSubstr("nearest: dev")));
  EXPECT_THAT(error_of([&] { store.rows("tiny", "b"); }), HasSubstr("nearest: a"));
  EXPECT_THAT(error_of([&] { store.rows("tinny", "a"); }), HasSubstr("nearest: tiny"));
}

TEST(Store, RefusesForeignNewerTruncatedAndDamaged) {
  TemporaryFolder folder;
  EXPECT_THAT(error_of([&] { Store(folder / "none.h5"); }), HasSubstr("no such file"));
  EXPECT_THAT(error_of([&] { Store(folder.write("text.h5", "hello")); }), HasSubstr("not an HDF5 file"));
  write_store(folder / "newer.h5", 99);
  EXPECT_THAT(error_of([&] { Store(folder / "newer.h5"); }),
              AllOf(HasSubstr("schema 99"), HasSubstr("newer oneproxy")));
  write_store(folder / "foreign.h5", 1, "something");
  EXPECT_THAT(error_of([&] { Store(folder / "foreign.h5"); }), HasSubstr("not a store"));
  write_store(folder / "cut.h5");
  std::filesystem::resize_file(folder / "cut.h5", std::filesystem::file_size(folder / "cut.h5") / 2);
  EXPECT_THAT(error_of([&] { Store(folder / "cut.h5"); }), HasSubstr("truncated"));

  write_store(folder / "changed.h5");
  {
    H5File file(folder / "changed.h5", H5Mode::append);
    const auto attributes = file.attributes("/spaces/tiny/a/latency_ms/dev");
    file.remove("/spaces/tiny/a/latency_ms/dev");
    const std::vector<double> other = {1.5, 1.5, 2.5};
    file.write("/spaces/tiny/a/latency_ms/dev", std::span<const double>(other));
    file.set_attribute("/spaces/tiny/a/latency_ms/dev", "sha256", attributes.at("sha256"));
  }
  EXPECT_THAT(error_of([&] { Store(folder / "changed.h5").latency("tiny", "a", "dev"); }), HasSubstr("checksum"));
}

TEST(Store, ChecksumFollowsTheData) {
  TemporaryFolder folder;
  write_store(folder / "s.h5");
  const auto before = Store(folder / "s.h5").checksum("tiny");
  EXPECT_EQ(before, Store(folder / "s.h5").checksum("tiny"));
  add_device(folder / "s.h5", "", "tiny", "user", {"phone", 2, {0, 1}, {3.0}, {}});
  EXPECT_NE(before, Store(folder / "s.h5").checksum("tiny"));
}

TEST(Store, AddedDevicesShareRows) {
  TemporaryFolder folder;
  write_store(folder / "base.h5");
  const auto path = folder / "mine.h5";
  add_device(path, folder / "base.h5", "tiny", "user", {"one", 2, {1, 1, 0, 0}, {3.0, 4.0}, {}});
  add_device(path, folder / "base.h5", "tiny", "user", {"two", 2, {0, 0, 0, 1}, {5.0, kNan}, {}});
  {
    const Store store(path);
    EXPECT_THAT(store.sets("tiny"), ElementsAre("a", "user"));
    const auto rows = store.rows("tiny", "user");
    ASSERT_EQ(rows.n, 3);
    const auto one = store.latency("tiny", "user", "one").values, two = store.latency("tiny", "user", "two").values;
    EXPECT_THAT(rows.row(0), ElementsAre(0, 0));
    EXPECT_EQ(one[0], 4.0);
    EXPECT_EQ(two[0], 5.0);
    EXPECT_TRUE(std::isnan(one[1]));
    EXPECT_EQ(one[2], 3.0);
    EXPECT_TRUE(std::isnan(two[2]));
  }
  // Measured again: replaced, the other device as it was.
  add_device(path, folder / "base.h5", "tiny", "user", {"one", 2, {0, 0}, {9.0}, {}});
  EXPECT_EQ(Store(path).latency("tiny", "user", "one").values[0], 9.0);
  EXPECT_EQ(Store(path).latency("tiny", "user", "two").values[0], 5.0);
  EXPECT_EQ(folder.n_files(), 2u) << "no temporary file stays behind";
}

TEST(Store, ImportedSetsAreNotOverwritten) {
  TemporaryFolder folder;
  write_store(folder / "s.h5");
  EXPECT_THAT(error_of([&] {
                add_device(folder / "s.h5", "", "tiny", "a", {"x", 2, {0, 0}, {1.0}, {}});
              }),
              HasSubstr("another set"));
  EXPECT_EQ(folder.n_files(), 1u);
  EXPECT_EQ(Store(folder / "s.h5").devices("tiny", "a").size(), 1u);
}

TEST(ShippedStore, HoldsThePublicData) {
  const Store store(shipped_store());
  EXPECT_LE(std::filesystem::file_size(shipped_store()), 4u << 20);
  EXPECT_EQ(store.rows("nasbench201", "help").n, 15625);
  EXPECT_EQ(store.devices("nasbench201", "help").size(), 26u);
  EXPECT_EQ(store.devices("nasbench201", "oneproxy").size(), 18u);
  EXPECT_EQ(store.rows("fbnet", "help").n, 5000);
  EXPECT_EQ(store.latency("nasbench201", "oneproxy", "rice_edgetpu").n_missing(), 259);
  EXPECT_THAT(store.metrics("nasbench201", "natsbench"), ElementsAre("cifar10", "cifar100", "imagenet16_120"));
}

TEST(Csv, QuotesCommentsAndFaults) {
  TemporaryFolder folder;
  const auto table = read_csv(folder.write("a.csv",
                                           "\xEF\xBB\xBF"
                                           "arch, latency_ms\r\n\"1,2\",3.5\r\n# a remark\n\n\"say \"\"x\"\"\",4\n"));
  EXPECT_THAT(table.columns, ElementsAre("arch", "latency_ms"));
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_EQ(table.rows[0][0], "1,2");
  EXPECT_EQ(table.rows[1][0], "say \"x\"");
  EXPECT_THAT(table.location(1), HasSubstr("a.csv:5"));
  EXPECT_THAT(error_of([&] { read_csv(folder.write("b.csv", "a,b\n1\n")); }), HasSubstr("b.csv:2"));
  EXPECT_THAT(error_of([&] { read_csv(folder.write("c.csv", "")); }), HasSubstr("empty"));
  EXPECT_THAT(error_of([&] { read_csv(folder.write("d.csv", "a\n\"x\n")); }), HasSubstr("quote"));
  EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
}

}  // namespace
}  // namespace oneproxy
