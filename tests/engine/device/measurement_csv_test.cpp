#include "oneproxy/engine/device/measurement_csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/engine/error_of.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class MeasurementCsv : public testing::Test {
 protected:
  std::string file(const std::string& text) { return folder_.write("m.csv", text); }
  std::string refused(const std::string& text, const std::string& unit = "") {
    return error_of([&] { read_measurements(space_, {file(text)}, MeasurementForm{.unit = unit}); });
  }

  TemporaryFolder folder_;
  SearchSpace space_ = SearchSpace::load("nasbench201");
};

TEST_F(MeasurementCsv, KeepsTheOrderOfTheFileAndTakesMedians) {
  const auto measured = read_measurements(space_,
                                          {file("repeat,latency_ms,arch\n"
                                                "1,5,\"3,0,0,0,0,0\"\n"
                                                "1,2,0 0 0 0 0 1\n"
                                                "2,9,3;0;0;0;0;0\n"
                                                "3,6,3;0;0;0;0;0\n"
                                                "2,4,0 0 0 0 0 1\n"
                                                "1,,0 0 0 0 0 2\n"
                                                "4,-1,3;0;0;0;0;0\n"
                                                "1,nan,0 0 0 0 0 2\n")},
                                          {});
  EXPECT_THAT(measured.choices, ElementsAre(3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2));
  EXPECT_THAT(measured.repeats, ElementsAre(ElementsAre(5, 9, 6), ElementsAre(2, 4), ElementsAre()));
  EXPECT_EQ(measured.latency_ms[0], 6);
  EXPECT_EQ(measured.latency_ms[1], 3);
  EXPECT_TRUE(std::isnan(measured.latency_ms[2]));
  EXPECT_EQ(measured.n_failed, 3);
  EXPECT_EQ(measured.n(), 3);
  EXPECT_EQ(measured.n_known(), 2);
  EXPECT_EQ(measured.n_repeated(), 2);
}

TEST_F(MeasurementCsv, ConvertsUnits) {
  const std::string text = "arch,latency_ms\n0;0;0;0;0;1,3\n";
  EXPECT_THAT(read_measurements(space_, {file(text)}, MeasurementForm{.unit = "s"}).latency_ms, ElementsAre(3000));
  EXPECT_THAT(read_measurements(space_, {file(text)}, MeasurementForm{.unit = "us"}).latency_ms, ElementsAre(0.003));
  EXPECT_THAT(refused(text, "min"), HasSubstr("'min'"));
}

TEST_F(MeasurementCsv, ReadsAPlanAndArchitecturesAlone) {
  const std::string plan =
      "arch,latency_ms,repeat,order,index,macs,decisions\n"
      "0;0;0;0;0;1,7,1,1,1,2e6,\"edge 0-1 = none; edge 0-2 = none\"\n0;0;0;0;0;1,fast,1,1,1,2e6,\"\"\n";
  EXPECT_THAT(read_architectures(space_, {file(plan)}, {}), ElementsAre(0, 0, 0, 0, 0, 1));
  EXPECT_THAT(read_architectures(space_, {file("arch\n0;0;0;0;0;1\n")}, {}), ElementsAre(0, 0, 0, 0, 0, 1));
  EXPECT_THAT(refused(plan), HasSubstr("m.csv:3: latency_ms = 'fast'"));
}

TEST_F(MeasurementCsv, SeveralFilesAreReadAsOne) {
  const std::string first = folder_.write("a.csv", "arch,latency_ms\n0;0;0;0;0;1,3\n\n0;0;0;0;0;2,\n0;0;0;0;0;3,4\n");
  const std::string second =
      folder_.write("b.csv", "latency_ms,repeat,arch\n5,1,0 0 0 0 0 4\n6,1,0 0 0 0 0 2\n5,1,0 0 0 0 0 1\n");
  const auto measured = read_measurements(space_, {first, second}, MeasurementForm{});
  EXPECT_THAT(measured.repeats, ElementsAre(ElementsAre(3, 5), ElementsAre(6), ElementsAre(4), ElementsAre(5)));
  EXPECT_THAT(measured.lines, ElementsAre(ElementsAre(0, 5), ElementsAre(4), ElementsAre(2), ElementsAre(3)));
  EXPECT_THAT(measured.latency_ms, ElementsAre(4, 6, 4, 5));
  EXPECT_EQ(measured.n_failed, 1);
  EXPECT_EQ(read_architectures(space_, {first, second}, MeasurementForm{}), measured.choices);
  EXPECT_NE(read_architectures(space_, {second, first}, {}), measured.choices);
  const std::string bad = folder_.write("c.csv", "arch,latency_ms\n0;0;0;0;0;9,3\n");
  EXPECT_THAT(error_of([&] { read_measurements(space_, {first, bad}, MeasurementForm{}); }), HasSubstr("c.csv:2: "));
  EXPECT_THAT(error_of([&] {
                read_measurements(space_, {first, second, first}, MeasurementForm{});
              }),
              HasSubstr("a.csv: is given twice"));
}

TEST_F(MeasurementCsv, NamesWhatIsWrongAndWhere) {
  const std::string start = "arch,latency_ms\n0;0;0;0;0;1,3\n";
  EXPECT_THAT(refused(start + "0;0;0;0;0;9,3\n"), HasSubstr("m.csv:3: "));
  EXPECT_THAT(refused(start + "0;0;0;0;0;2,0\n"), HasSubstr("m.csv:3: latency_ms = '0'"));
  EXPECT_THAT(refused(start + "0;0;0;0;0;2,3 W\n"), HasSubstr("'3 W' should be a positive number"));
  for (const std::string extreme : {"1e300", "1e10", "1e-10", "5e-324"})
    EXPECT_THAT(refused(start + "0;0;0;0;0;2," + extreme + "\n"),
                AllOf(HasSubstr("m.csv:3: latency_ms = '" + extreme + "'"), HasSubstr("is the unit right?")));
  EXPECT_THAT(refused("arch,watts\n0;0;0;0;0;1,3\n"), HasSubstr("no column 'latency_ms'"));
  EXPECT_THAT(refused("thing,latency_ms\n0;0;0;0;0;1,3\n"), HasSubstr("no column 'arch'"));
}

// Bytes that would take a hundred times as many in memory.
TEST_F(MeasurementCsv, MoreFieldsThanAnyoneMeasuresAreRefused) {
  EXPECT_THAT(refused(std::string(30 << 20, ',')), HasSubstr("m.csv:1: has more than 1024 columns"));
  std::string rows = "arch\n";
  for (int i = 0; i < (1 << 23) + 1; ++i) rows += "0\n";
  EXPECT_THAT(refused(rows), HasSubstr("8388608 fields"));
}

// The range is of milliseconds, whatever the file's unit.
TEST_F(MeasurementCsv, ExtremesAreJudgedInMilliseconds) {
  const auto read = [&](const std::string& latency, const std::string& unit) {
    const auto file = folder_.write("u.csv", "arch,latency_ms\n0;0;0;0;0;1," + latency + "\n");
    return error_of([&] { read_measurements(space_, {file}, MeasurementForm{.unit = unit}); });
  };
  EXPECT_EQ(read("5e8", "ms"), "no error");
  EXPECT_THAT(read("5e8", "s"), HasSubstr("'5e8' is 5e+11 ms"));
  EXPECT_EQ(read("5e8", "us"), "no error");
  EXPECT_EQ(read("2e-9", "ms"), "no error");
  EXPECT_THAT(read("2e-9", "us"), HasSubstr("unit"));
}

TEST_F(MeasurementCsv, AMetricHasTheColumnOfItsNameOrValue) {
  const Quantity rate{"throughput", "throughput", "images/s", Direction::maximise};
  for (const char* column : {"throughput", "value"}) {
    const std::string text =
        "arch," + std::string(column) + ",energy\n0;0;0;0;0;1,250,7\n0;0;0;0;0;1,500,\n0;0;0;0;0;2,,1\n";
    const auto measured = read_measurements(space_, {file(text)}, rate, {});
    EXPECT_THAT(measured.repeats[0], ElementsAre(4, 2)) << "the time of an image in ms";
    EXPECT_EQ(measured.quantity.name, "throughput");
    EXPECT_EQ(measured.n_failed, 1);
    EXPECT_THAT(read_metric(space_, {file(text)}, rate, {}).repeats[0], ElementsAre(250, 500)) << "to be kept";
  }
  const auto refused_rate = [&](const std::string& text) {
    return error_of([&] { read_measurements(space_, {file(text)}, rate, {}); });
  };
  EXPECT_THAT(refused_rate("arch,latency_ms\n0;0;0;0;0;1,3\n"), HasSubstr("neither a column 'throughput' nor 'value'"));
  EXPECT_THAT(refused_rate("arch,throughput,value\n0;0;0;0;0;1,3,3\n"), HasSubstr("remove one of them"));
  EXPECT_THAT(refused_rate("arch,throughput\n0;0;0;0;0;1,0\n"), HasSubstr("m.csv:2: throughput = '0' should be"));
}

TEST_F(MeasurementCsv, AccuracyIsAShareOrAPercentage) {
  const auto refused_as = [&](const std::string& unit, const std::string& text) {
    const Quantity top1{"top1", "top1", unit, Direction::maximise};
    return error_of([&] { read_metric(space_, {file("arch,top1\n0;0;0;0;0;1," + text + "\n")}, top1, {}); });
  };
  EXPECT_THAT(refused_as("fraction", "71"), HasSubstr("m.csv:2: top1 = '71' is 71, and a fraction is at most 1"));
  EXPECT_THAT(refused_as("%", "0.71"), HasSubstr("m.csv:2: top1 = '0.71': no value is above 1"));
  EXPECT_THAT(refused_as("%", "171"), HasSubstr("at most 100"));
  EXPECT_THAT(refused_as("%", "-3"), HasSubstr("m.csv:2: top1 = '-3' is below 0"));
  EXPECT_EQ(refused_as("fraction", "0"), "no error");
  EXPECT_EQ(refused_as("%", "71"), "no error");
}

class MeasurementLines : public MeasurementCsv {
 protected:
  const std::vector<Quantity> both_ = {latency_quantity(), {"energy", "energy", "mJ", Direction::minimise}};
  const MeasurementForm seconds_{.unit = "s"};
  std::vector<std::string> remarks_;
};

TEST_F(MeasurementLines, HaveSeveralQuantitiesSideBySideInOrder) {
  const auto lines = read_measurement_lines(space_,
                                            {file("arch,energy,latency_ms,quality,gain\n"
                                                  "0;0;0;0;0;1,7,0.002,71,\n"
                                                  "0;0;0;0;0;2,,0.003,72,0.1\n"
                                                  "0;0;0;0;0;1,8,nan,71,\n")},
                                            both_, seconds_, remarks_);
  ASSERT_EQ(lines.size(), 3);
  EXPECT_THAT(lines[0].choices, ElementsAre(0, 0, 0, 0, 0, 1));
  EXPECT_THAT(lines[0].values, ElementsAre(2, 7));
  EXPECT_THAT(lines[0].texts, ElementsAre("0.002", "7"));
  EXPECT_EQ(lines[1].values[0], 3);
  EXPECT_TRUE(std::isnan(lines[1].values[1]));
  EXPECT_TRUE(std::isnan(lines[2].values[0]));
  EXPECT_EQ(lines[2].choices, lines[0].choices);
}

TEST_F(MeasurementLines, RefuseWhatOneQuantityAloneRefuses) {
  const auto refused_lines = [&](const std::string& text, const std::vector<Quantity>& columns) {
    return error_of([&] { read_measurement_lines(space_, {file(text)}, columns, seconds_, remarks_); });
  };
  EXPECT_THAT(refused_lines("arch,latency_ms\n0;0;0;0;0;1,3\n", both_), HasSubstr("'energy'"));
  EXPECT_THAT(refused_lines("arch,latency_ms,energy\n0;0;0;0;0;1,fast,1\n", both_), HasSubstr("m.csv:2"));
  EXPECT_EQ(refused_lines("arch,latency_ms,energy\n0;0;0;0;0;1,3,1\n", {latency_quantity()}), "no error");
  EXPECT_THAT(remarks_, testing::Contains(HasSubstr("not read: column 'energy'")));
  const Quantity power{"power", "power", "W", Direction::minimise};
  EXPECT_THAT(refused_lines("arch,value\n0;0;0;0;0;1,3\n", {both_[1], power}), HasSubstr("one column 'value'"));
  EXPECT_THAT(refused_lines("arch,share\n0;0;0;0;0;1,0.5\n", {{"share", "share", "%", Direction::minimise}}),
              HasSubstr("fraction"));
}

TEST_F(MeasurementLines, OfAProgramAreJudgedOneByOne) {
  const auto checked = check_measurement_lines(space_,
                                               file("\narch,latency_ms,energy\n"
                                                    "0;0;0;0;0;1,0.002,7\n"
                                                    "9;0;0;0;0;1,0.002,7\n"
                                                    "0;0;0;0;0;1,0.002\n"
                                                    "0;0;0;0;0;1,soon,7\n"
                                                    "\n"
                                                    "\"0;0;0;0;0;1,0.002,7\n"
                                                    "0;0;0;0;0;3,,7\n"),
                                               both_, seconds_);
  ASSERT_EQ(checked.lines.size(), 2);
  EXPECT_THAT(checked.lines[0].values, ElementsAre(2, 7));
  EXPECT_THAT(checked.lines[1].choices, ElementsAre(0, 0, 0, 0, 0, 3));
  EXPECT_THAT(checked.faults,
              testing::UnorderedElementsAre(HasSubstr("m.csv:4: "), HasSubstr("m.csv:5: has 2 fields"),
                                            HasSubstr("m.csv:6: latency_ms = 'soon'"), HasSubstr("m.csv:8: a quote")));
}

TEST_F(MeasurementLines, OfAProgramMayBeNone) {
  const auto fault = [&](const std::string& path) {
    const auto checked = check_measurement_lines(space_, path, both_, seconds_);
    EXPECT_TRUE(checked.lines.empty());
    return checked.faults.size() == 1 ? checked.faults[0] : "not one fault";
  };
  EXPECT_THAT(fault(file("")), HasSubstr("is empty"));
  EXPECT_THAT(fault(file("arch,latency_ms\n0;0;0;0;0;1,3\n")), HasSubstr("'energy'"));
  EXPECT_THAT(fault(file("latency_ms,energy\n3,3\n")), HasSubstr("'arch'"));
  EXPECT_THAT(fault(folder_ / "absent.csv"), HasSubstr("absent.csv"));
}

}  // namespace
}  // namespace oneproxy
