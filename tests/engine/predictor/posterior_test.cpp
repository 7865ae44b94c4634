#include "oneproxy/engine/predictor/posterior.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/predictor/library.h"
#include "tests/engine/error_of.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

std::vector<std::uint8_t> radices_of(const SearchSpace& space) {
  return {space.radices().begin(), space.radices().end()};
}

AdditivePredictor sum(const SearchSpace& space, double scale) {
  AdditivePredictor table{space.name(), radices_of(space), "latency", "ms", {}, {2 * scale}, {}};
  for (const auto radix : table.radices)
    for (int c = 0; c < radix; ++c)
      table.weights.push_back(scale * std::sin(3.0 * static_cast<double>(table.weights.size())));
  return table;
}

class PosteriorTest : public testing::Test {
 protected:
  Posterior of_sums() const {
    return {std::vector<AdditivePredictor>{sum(fbnet_, 0.3), sum(fbnet_, -0.2)},
            {0.5, 8},
            stated_calibration(),
            calibration_of({0, 1, 5}, 4)};
  }
  Posterior by_index() const {
    IndexTable table{cells_.name(), radices_of(cells_), "", "", {}, {}};
    for (ArchIndex i = 0; i < cells_.size(); ++i) table.values.push_back(1 + 0.001 * static_cast<double>(i % 977));
    return {table, {0.25, 4}, calibration_of({-1, 0, 2}, 3)};
  }
  const SearchSpace fbnet_ = SearchSpace::load("fbnet"), cells_ = SearchSpace::load("nasbench201");
  const TemporaryFolder folder_;
};

TEST_F(PosteriorTest, DeviationIsTheLengthOfTheFactors) {
  const auto posterior = of_sums();
  const std::vector<std::uint8_t> choices(44, 1);
  double values[2], deviations[2], spreads[2];
  const double predicted[] = {16, 0};
  sum(fbnet_, 1).predict(choices, values);
  posterior.deviations(choices, deviations);
  posterior.spreads(choices, predicted, spreads);
  const double expected = std::abs(values[0]) * std::hypot(0.3, 0.2);
  EXPECT_NEAR(deviations[0], expected, 1e-12);
  EXPECT_NEAR(spreads[0], std::sqrt(expected * expected + 0.25 * (0.15 * 0.15 + 4)), 1e-12);
  EXPECT_NEAR(spreads[1], std::sqrt(expected * expected + 0.25 * 0.15 * 0.15), 1e-12);
}

TEST_F(PosteriorTest, IsTheSameAfterAFile) {
  for (const auto& posterior : {of_sums(), by_index()}) {
    H5File file(folder_ / "a.h5", H5Mode::create);
    write_posterior(file, "/posterior", posterior);
    EXPECT_TRUE(is_posterior(file, "/posterior"));
    const auto read = read_posterior(file, "/posterior");
    EXPECT_EQ(checksum(read), checksum(posterior));
    EXPECT_EQ(read.calibration.n_devices, posterior.calibration.n_devices);
    EXPECT_EQ(read.over_space.errors, posterior.over_space.errors);
    EXPECT_EQ(read.over_space.n_devices, posterior.over_space.n_devices);
    EXPECT_EQ(read.deviation.index(), posterior.deviation.index());
  }
}

TEST_F(PosteriorTest, StandsBesideItsTable) {
  const auto posterior = of_sums();
  const Predictor table = sum(fbnet_, 5);
  const auto file = folder_ / "phone.h5", store = folder_ / "mine.h5";
  save_predictor(file, table, nullptr, &posterior);
  EXPECT_EQ(checksum(*find_posterior(file, "", fbnet_)), checksum(posterior));
  add_predictor(store, shipped_store(), "phone", table, nullptr, &posterior);
  EXPECT_EQ(checksum(*find_posterior("phone", store, fbnet_)), checksum(posterior));
  // A table that replaces it has none, and neither has one of an older program.
  add_predictor(store, shipped_store(), "phone", table);
  EXPECT_FALSE(find_posterior("phone", store, fbnet_));
  save_predictor(file, table);
  EXPECT_FALSE(find_posterior(file, "", fbnet_));
}

TEST_F(PosteriorTest, RefusesAnotherSpace) {
  const auto posterior = of_sums();
  const auto file = folder_ / "phone.h5";
  save_predictor(file, sum(fbnet_, 5), nullptr, &posterior);
  EXPECT_THAT(error_of([&] { find_posterior(file, "", cells_); }), HasSubstr("fbnet"));
}

TEST_F(PosteriorTest, RefusesDamage) {
  const auto refused = [&](const auto& damage) {
    H5File file(folder_ / "a.h5", H5Mode::create);
    write_posterior(file, "/posterior", of_sums());
    damage(file);
    return error_of([&] { read_posterior(file, "/posterior"); });
  };
  EXPECT_THAT(refused([](H5File& f) { f.set_attribute("/posterior", "noise_typical", 0.0); }), HasSubstr("its noise"));
  EXPECT_THAT(refused([](H5File& f) { f.set_attribute("/posterior", "schema_version", std::int64_t{9}); }),
              HasSubstr("schema 9"));
  EXPECT_THAT(refused([](H5File& f) {
                f.remove("/posterior/errors");
                f.write("/posterior/errors", std::vector<double>{2, 1});
              }),
              HasSubstr("ascending"));
  EXPECT_THAT(refused([](H5File& f) {
                f.remove("/posterior/factor_bias");
                f.write("/posterior/factor_bias", std::vector<double>{1});
              }),
              HasSubstr("do not fit"));
  EXPECT_THAT(refused([](H5File& f) {
                f.remove("/posterior/factor_weights");
                const std::int64_t shape[] = {2, 1, 3};
                f.write("/posterior/factor_weights", std::vector<double>{1, 2, 3, 4, 5, 6}, shape);
              }),
              HasSubstr("/posterior"));
  auto negative = by_index();
  std::get<IndexTable>(negative.deviation).values[5] = -1;
  H5File file(folder_ / "b.h5", H5Mode::create);
  EXPECT_THAT(error_of([&] { write_posterior(file, "/posterior", negative); }), HasSubstr("deviation"));
}

}  // namespace
}  // namespace oneproxy
