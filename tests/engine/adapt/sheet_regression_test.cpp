#include "oneproxy/engine/adapt/sheet_regression.h"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/engine/adapt/made_up_fleet.h"
#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Matrix = std::vector<std::vector<double>>;

// Elimination with pivots, slow and plain.
std::vector<double> solve(Matrix a, std::vector<double> b) {
  const std::size_t n = b.size();
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t p = k;
    for (std::size_t i = k; i < n; ++i)
      if (std::abs(a[i][k]) > std::abs(a[p][k])) p = i;
    std::swap(a[k], a[p]);
    std::swap(b[k], b[p]);
    for (std::size_t i = k + 1; i < n; ++i) {
      const double factor = a[i][k] / a[k][k];
      for (std::size_t j = k; j < n; ++j) a[i][j] -= factor * a[k][j];
      b[i] -= factor * b[k];
    }
  }
  for (std::size_t k = n; k-- > 0;) {
    for (std::size_t j = k + 1; j < n; ++j) b[k] -= a[k][j] * b[j];
    b[k] /= a[k][k];
  }
  return b;
}

// The header's equations, written down once more.
struct Reference {
  Matrix z;
  std::vector<std::string> classes;

  double distance(std::size_t i, std::size_t j) const {
    double sum = 0;
    for (std::size_t k = 0; k < z[i].size(); ++k) sum += std::pow(z[i][k] - z[j][k], 2);
    return sum / static_cast<double>(z[i].size()) + (classes[i] != classes[j]);
  }
  // Of `target`, from `sources` (all indices into z).
  std::vector<double> weights(const std::vector<std::size_t>& sources, std::size_t target, double length,
                              double ridge) const {
    Matrix kernel;
    std::vector<double> right;
    for (const auto i : sources) {
      auto& row = kernel.emplace_back();
      for (const auto j : sources) row.push_back(std::exp(-distance(i, j) / (2 * length * length)) + (i == j) * ridge);
      right.push_back(std::exp(-distance(i, target) / (2 * length * length)));
    }
    auto c = solve(kernel, right);
    double sum = 0;
    for (const double v : c) sum += v;
    for (double& v : c) v += (1 - sum) / static_cast<double>(c.size());
    return c;
  }
};

DataSheet sheet(const std::string& name, const std::string& device_class, double cores, double clock_hz) {
  DataSheet made;
  made.device = name;
  made.device_class = device_class;
  made.cores = cores;
  made.clock_hz = clock_hz;
  return made;
}

class Sheets : public testing::Test {
 protected:
  Sheets() {
    for (std::size_t d = 0; d < 5; ++d) sources_.devices[d].data_sheet = sheets_[d];
  }
  const Fleet fleet_{"fbnet"};
  // power_w is known of two only, so it is not used; batch is the same for all.
  std::vector<DataSheet> sheets_ = [] {
    std::vector<DataSheet> all = {sheet("device0", "gpu", 3584, 1.5e9), sheet("device1", "gpu", 4352, 1.6e9),
                                  sheet("device2", "cpu", 10, 2.2e9), sheet("device3", "cpu", 18, DataSheet::kUnknown),
                                  sheet("device4", "phone", 8, 2.4e9)};
    all[0].power_w = 250;
    all[1].power_w = 260;
    for (auto& one : all) one.batch = 1;
    return all;
  }();
  Sources sources_{fleet_.shared_features, fleet_.sources(5)};
};

TEST_F(Sheets, FollowTheEquationsOfTheHeader) {
  const StandardisedSources standardised(sources_);
  const SheetRegression regression(sheets_, standardised);
  EXPECT_EQ(regression.numbers(), (std::vector<std::string>{"cores", "clock_hz"}));

  // z: cores known of all; the clock of device3 is that of device2, the other cpu.
  const auto target = sheet("new", "cpu", 12, 2.0e9);
  const double cores[] = {3584, 4352, 10, 18, 8, 12}, clock[] = {1.5e9, 1.6e9, 2.2e9, 2.2e9, 2.4e9, 2.0e9};
  const auto z_of = [](const double* values, std::vector<int> known) {
    double mean = 0, variance = 0;
    for (const int i : known) mean += std::log(values[i]) / static_cast<double>(known.size());
    for (const int i : known) variance += std::pow(std::log(values[i]) - mean, 2) / static_cast<double>(known.size());
    std::vector<double> z;
    for (int i = 0; i < 6; ++i) z.push_back((std::log(values[i]) - mean) / std::sqrt(variance));
    return z;
  };
  const auto zc = z_of(cores, {0, 1, 2, 3, 4}), zk = z_of(clock, {0, 1, 2, 4});
  Reference reference{{}, {"gpu", "gpu", "cpu", "cpu", "phone", "cpu"}};
  for (int i = 0; i < 6; ++i) reference.z.push_back({zc[i], zk[i]});

  // The pair that predicts each source's function over the reference best from the others, function by function.
  const auto& rows = sources_.features->reference();
  Matrix functions;
  for (int j = 0; j < 5; ++j) {
    auto f = sources_.predictors[j].predict(rows);
    for (double& v : f) v = (v - standardised.mean[j]) / standardised.deviation[j];
    functions.push_back(f);
  }
  double least = 1e300, length = 0, ridge = 0;
  for (const double l : {0.25, 0.5, 1., 2., 4.})
    for (const double r : {0.01, 0.03, 0.1, 0.3, 1.}) {
      double error = 0;
      for (std::size_t i = 0; i < 5; ++i) {
        std::vector<std::size_t> others;
        for (std::size_t j = 0; j < 5; ++j)
          if (j != i) others.push_back(j);
        const auto c = reference.weights(others, i, l, r);
        for (std::int64_t x = 0; x < rows.n; ++x) {
          double predicted = 0;
          for (std::size_t j = 0; j < 4; ++j) predicted += c[j] * functions[others[j]][x];
          error += std::pow(predicted - functions[i][x], 2);
        }
      }
      if (error < least) least = error, length = l, ridge = r;
    }
  EXPECT_EQ(regression.length(), length);
  EXPECT_EQ(regression.ridge(), ridge);
  const auto expected = reference.weights({0, 1, 2, 3, 4}, 5, length, ridge);
  const auto prediction = regression.predict(target);
  double sum = 0;
  for (int j = 0; j < 5; ++j) {
    EXPECT_NEAR(prediction.weights[j], expected[j], 1e-9);
    sum += prediction.weights[j];
  }
  EXPECT_NEAR(sum, 1, 1e-12);
  EXPECT_EQ(prediction.nearest, "device2");
  EXPECT_NEAR(prediction.distance, std::sqrt(reference.distance(2, 5)), 1e-9);
  EXPECT_GT(regression.effective_dimensions(), 0);
  EXPECT_LT(regression.effective_dimensions(), 5);
}

// Far from all, nothing but the mean is left.
TEST_F(Sheets, FarAwayThePredictionIsTheMeanOfAll) {
  const SheetRegression regression(sheets_, StandardisedSources(sources_));
  const auto prediction = regression.predict(sheet("far", "fpga", 1e7, 1e6));
  EXPECT_GT(prediction.distance, 3);
  for (const double weight : prediction.weights) EXPECT_NEAR(weight, 0.2, 0.05);
}

TEST_F(Sheets, NeedThreeSourcesAndASheetOfEach) {
  const Sources two(fleet_.shared_features, fleet_.sources(2));
  EXPECT_THAT(error_of([&] {
                SheetRegression({sheets_[0], sheets_[1]}, StandardisedSources(two));
              }),
              AllOf(HasSubstr("needs 3 source devices"), HasSubstr("there are 2")));
  sources_.devices[1].data_sheet.reset();
  EXPECT_THAT(error_of([&] { data_sheets_of(sources_, "data_sheet"); }),
              AllOf(HasSubstr("method data_sheet"), HasSubstr("none of device1;")));
}

// What is said to be in ms is: a mixture of one source is that source.
TEST_F(Sheets, AMixtureOfOneSourceIsThatSource) {
  const StandardisedSources standardised(sources_);
  const std::vector<double> only = {0, 0, 1, 0, 0};
  const auto latency = in_ms(sources_, standardised, only, mixture(sources_, standardised, only));
  const auto rows = sources_.features->rows(fleet_.choices);
  const auto got = latency.predict(rows), expected = sources_.predictors[2].predict(rows);
  for (std::size_t i = 0; i < got.size(); ++i)
    EXPECT_NEAR(got[i], expected[i] * sources_.predictors[2].median_ms, 1e-9 * got[i]);
  for (int j = 0; j < 5; ++j) EXPECT_NEAR(standardised.gram[j * 6], 1, 1e-9);  // the diagonal
}

}  // namespace
}  // namespace oneproxy
