// An optimizer survives its file, and what is not its own is refused.
#include "oneproxy/engine/optimizer/policy_file.h"

#include <gmock/gmock.h>

#include <functional>
#include <limits>

#include "oneproxy/engine/base/atomic_path.h"
#include "oneproxy/kernels/base/random.h"
#include "tests/engine/error_of.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

std::vector<double> random_values(std::size_t n, std::uint64_t seed) {
  const Philox random{seed, 0};
  std::vector<double> values;
  for (std::size_t i = 0; i < n; ++i) values.push_back(2 * random.uniform(i) - 1);
  return values;
}

const SearchSpace& space() {
  static const SearchSpace space = SearchSpace::load("nasbench201");
  return space;
}

DeviceCoordinates coordinates(int n, std::uint64_t seed) {
  constexpr int kReference = 11;
  DeviceCoordinates c;
  const Philox random{seed, 1};
  for (int i = 0; i < kReference * 6; ++i) c.reference.push_back(static_cast<std::uint8_t>(random.below(i, 5)));
  c.mean = random_values(kReference, seed + 1);
  c.components = random_values(n * kReference, seed + 2);
  c.directions = random_values(n * kReference, seed + 3);
  c.farthest = 2.5;
  c.most_outside = 0.25;
  return c;
}

SavedOptimizer optimizer() {
  SavedOptimizer o;
  o.space = space().name();
  o.space_checksum = space().checksum();
  o.radices.assign(space().radices().begin(), space().radices().end());
  o.inputs = {true, 5, 2, true};
  o.shape = PolicySteps(space(), o.inputs).shape({8, 6}, {4});
  o.parameters = random_values(n_parameters(o.shape), 1);
  o.qualities = {"cifar10", "cifar100"};
  o.spreads = {12.5, 3};
  o.sources = {"pixel3", "1080ti_1", "fpga"};
  o.sources_checksum = "abc";
  o.latency = coordinates(3, 10);
  o.energy = coordinates(2, 20);
  o.record = {{"seed", std::int64_t{4}}, {"validation_loss", 1.5}, {"source", std::string("a test")}};
  return o;
}

TEST(PolicyFile, SurvivesItsFile) {
  const TemporaryFolder folder;
  const auto path = folder / "optimizer.h5";
  for (const bool energy : {true, false}) {
    auto saved = optimizer();
    if (!energy) {
      saved.inputs = {false, 3, 2, false};
      saved.shape = PolicySteps(space(), saved.inputs).shape({8}, {});
      saved.parameters = random_values(n_parameters(saved.shape), 1);
      saved.energy = {};
    }
    save_optimizer(path, saved);
    const auto read = load_optimizer(path);
    EXPECT_EQ(checksum(read), checksum(saved));
    EXPECT_EQ(read.parameters, saved.parameters);
    EXPECT_EQ(read.shape, saved.shape);
    EXPECT_EQ(read.inputs, saved.inputs);
    EXPECT_EQ(read.qualities, saved.qualities);
    EXPECT_EQ(read.spreads, saved.spreads);
    EXPECT_EQ(read.sources, saved.sources);
    EXPECT_EQ(read.record, saved.record);
    EXPECT_EQ(read.latency.reference, saved.latency.reference);
    EXPECT_EQ(read.latency.components, saved.latency.components);
    EXPECT_EQ(read.latency.directions, saved.latency.directions);
    EXPECT_EQ(read.energy.mean, saved.energy.mean);
    EXPECT_EQ(read.energy.farthest, saved.energy.farthest);
    EXPECT_EQ(read.latency.most_outside, saved.latency.most_outside);
    // The same answers.
    const OptimizerDevice device{random_values(saved.inputs.n_coordinates, 5), nullptr, nullptr};
    const OptimizerQuery query{1, 0.5, {}};
    EXPECT_EQ(policy_of(read, space(), path).answer(device, query),
              policy_of(saved, space(), path).answer(device, query));
  }
  EXPECT_EQ(folder.n_files(), 1u);
}

// Everything that an answer depends on is in the checksum.
TEST(PolicyFile, TheChecksumSeesEveryNumber) {
  const std::vector<std::function<void(SavedOptimizer&)>> changes = {[](auto& o) { o.parameters[7] += 1e-9; },
                                                                     [](auto& o) { o.qualities[1] = "cifar10O"; },
                                                                     [](auto& o) { o.spreads[0] = 2; },
                                                                     [](auto& o) { o.sources[0] = "pixel2"; },
                                                                     [](auto& o) { o.sources_checksum = "b"; },
                                                                     [](auto& o) { o.space_checksum = "c"; },
                                                                     [](auto& o) { o.latency.mean[1] += 1e-9; },
                                                                     [](auto& o) { o.energy.components[1] += 1e-9; },
                                                                     [](auto& o) { o.energy.directions[0] += 1; },
                                                                     [](auto& o) { o.latency.reference[0] ^= 1; },
                                                                     [](auto& o) { o.latency.farthest += 1e-9; },
                                                                     [](auto& o) { o.shape.shared_head = true; },
                                                                     [](auto& o) { o.inputs.energy = false; },
                                                                     [](auto& o) { o.inputs.autoregressive = false; }};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    auto changed = optimizer();
    changes[i](changed);
    EXPECT_NE(checksum(changed), checksum(optimizer())) << i;
  }
  auto renamed = optimizer();
  renamed.record["seed"] = std::int64_t{5};
  EXPECT_EQ(checksum(renamed), checksum(optimizer()));
}

TEST(PolicyFile, RefusesAnotherSpaceOrOtherSources) {
  const auto o = optimizer();
  const auto fbnet = SearchSpace::load("fbnet");
  EXPECT_EQ(error_of([&] { check_optimizer(o, space(), "o.h5"); }), "no error");
  EXPECT_THAT(error_of([&] { check_optimizer(o, fbnet, "o.h5"); }), HasSubstr("o.h5: belongs to space nasbench201"));
  auto other = o;
  other.radices[2] = 4;
  EXPECT_THAT(error_of([&] { check_optimizer(other, space(), "o.h5"); }), HasSubstr("its code has choices"));
  other = o;
  other.space_checksum = "old";
  EXPECT_THAT(error_of([&] { policy_of(other, space(), "o.h5"); }), HasSubstr("another version of the file of space"));
  const std::vector<std::string> same = {"fpga", "pixel3", "1080ti_1"}, fewer = {"fpga", "pixel3"};
  EXPECT_EQ(error_of([&] { check_sources(o, same, "abc", "o.h5"); }), "no error");
  EXPECT_THAT(error_of([&] { check_sources(o, fewer, "abc", "o.h5"); }),
              HasSubstr("sources 1080ti_1, fpga, pixel3, not on fpga, pixel3"));
  EXPECT_THAT(error_of([&] { check_sources(o, same, "abd", "o.h5"); }), HasSubstr("other data of the sources"));
}

TEST(PolicyFile, RefusesWhatDoesNotFitTogether) {
  const TemporaryFolder folder;
  const std::vector<std::pair<std::function<void(SavedOptimizer&)>, std::string>> cases = {
      {[](auto& o) { o.parameters.pop_back(); }, "parameters, which its widths do not need"},
      {[](auto& o) { o.parameters[3] = std::numeric_limits<double>::infinity(); }, "not finite at place 3"},
      {[](auto& o) { o.latency.mean[3] = NAN; },
       "coordinates of latencies hold a number that is not finite at place 3"},
      {[](auto& o) { o.energy.farthest = NAN; }, "coordinates of energies"},
      {[](auto& o) { o.energy = {}; }, "coordinates of energies do not fit"},
      {[](auto& o) { o.inputs.energy = false; }, "was trained without"},
      {[](auto& o) { o.latency.reference[8] = 7; }, "choice 7 of decision 2, which has 5 choices"},
      {[](auto& o) { o.latency.components.pop_back(); }, "do not fit each other"},
      {[](auto& o) { o.inputs.n_coordinates = 6; }, "a network of 6 coordinates, but components of 5"},
      {[](auto& o) { o.qualities.pop_back(); }, "1 name and 2 units"},
      {[](auto& o) { o.spreads[1] = 0; }, "unit of a quality"},
      {[](auto& o) { o.sources.clear(); }, "names no sources"},
      {[](auto& o) { o.shape.trunk[0] = 1 << 20; }, "impossible widths"},
      {[](auto& o) { o.shape.n_choices = 0; }, "impossible inputs or outputs"},
      {[](auto& o) { o.shape.n_step_inputs = -1; }, "impossible step inputs"},
      {[](auto& o) { o.radices[1] = 0; }, "names no decisions"},
  };
  for (const auto& [change, says] : cases) {
    auto o = optimizer();
    change(o);
    EXPECT_THAT(error_of([&] { save_optimizer(folder / "o.h5", o); }), HasSubstr(says));
  }
  EXPECT_EQ(folder.n_files(), 0u);
  // Parameters that the space gives no such network for.
  auto o = optimizer();
  o.shape.n_context += 1;
  o.parameters = random_values(n_parameters(o.shape), 1);
  EXPECT_THAT(error_of([&] { policy_of(o, space(), "o.h5"); }), HasSubstr("other inputs or outputs"));
}

TEST(PolicyFile, RefusesDamageAndOtherFiles) {
  const TemporaryFolder folder;
  const auto path = folder / "o.h5";
  const auto change = [&](const std::function<void(H5File&)>& edit) {
    save_optimizer(path, optimizer());
    {
      H5File file(path, H5Mode::append);
      edit(file);
      file.close();
    }
    return error_of([&] { load_optimizer(path); });
  };
  EXPECT_EQ(change([](H5File&) {}), "no error");
  EXPECT_THAT(change([](H5File& f) { f.set_attribute("/", "format", std::string("other")); }),
              HasSubstr("no optimizer"));
  EXPECT_THAT(change([](H5File& f) { f.set_attribute("/", "schema_version", std::int64_t{2}); }),
              HasSubstr("schema 2"));
  EXPECT_THAT(change([](H5File& f) { f.set_attribute("/", "sources_checksum", std::string("x")); }),
              HasSubstr("does not match its checksum"));
  EXPECT_THAT(change([](H5File& f) { f.remove("/latency/mean"); }), HasSubstr("latency/mean"));
  EXPECT_THAT(change([](H5File& f) {
                f.remove("/network/trunk");
                f.write("/network/trunk", std::vector<std::int64_t>{std::int64_t{1} << 40, 6});
              }),
              HasSubstr("impossible widths"));
  EXPECT_THAT(change([](H5File& f) {
                f.remove("/network/counts");
                f.write("/network/counts", std::vector<std::int64_t>{1, 2});
              }),
              HasSubstr("no counts"));
  EXPECT_THAT(error_of([&] { load_optimizer(folder / "missing.h5"); }), HasSubstr("missing.h5"));
  EXPECT_THAT(error_of([&] { load_optimizer(folder.write("text.h5", "text")); }), HasSubstr("not an HDF5 file"));
}

}  // namespace
}  // namespace oneproxy
