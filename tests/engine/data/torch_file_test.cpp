// Files of torch.save: tests/fixtures/make_torch_fixtures.py made them, and evaluated the predictor in them by NumPy.
#include "oneproxy/engine/data/torch_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <sstream>

#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/predictor/torch_predictor.h"
#include "oneproxy/kernels/base/random.h"
#include "tests/engine/error_of.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string fixture(const std::string& name) { return home_folder() + "/tests/fixtures/torch/" + name; }

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

MlpPredictor imported(const std::string& file) {
  return predictor_from_torch(read_torch_file(file), SearchSpace::load("nasbench201"), "onehot", file);
}

TEST(TorchFile, BothFormsHoldTheSameTensors) {
  const auto legacy = read_torch_file(fixture("legacy.pth")), zip = read_torch_file(fixture("zip.pth"));
  ASSERT_EQ(legacy.size(), 6u);
  ASSERT_EQ(zip.size(), 6u);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(legacy[i].name, zip[i].name);
    EXPECT_EQ(legacy[i].shape, zip[i].shape);
    EXPECT_EQ(legacy[i].values, zip[i].values);
  }
  EXPECT_EQ(legacy[0].name, "0.weight");
  EXPECT_THAT(legacy[0].shape, ElementsAre(5, 30));
}

TEST(TorchFile, ReadsEveryKindOfNumber) {
  const auto tensors = read_torch_file(fixture("kinds.pth"));
  ASSERT_EQ(tensors.size(), 4u);
  EXPECT_THAT(tensors[0].values, ElementsAre(1.5, -2.25));
  EXPECT_THAT(tensors[1].values, ElementsAre(1.5, -0.0, std::ldexp(1, -24), 65504, HUGE_VAL));
  EXPECT_TRUE(std::signbit(tensors[1].values[1]));
  EXPECT_THAT(tensors[2].values, ElementsAre(1.5, -3));
  EXPECT_THAT(tensors[3].values, ElementsAre(-7));
  EXPECT_EQ(read_torch_file(fixture("nested.pth"))[0].name, "state_dict.fc.weight");
}

TEST(TorchFile, RunsNothing) {
  EXPECT_THAT(error_of([] { read_torch_file(fixture("hostile.pth")); }),
              AllOf(HasSubstr("hostile.pth"), HasSubstr("posix.system"), HasSubstr("state_dict")));
}

// Whatever is damaged, the answer is tensors or one line, never a crash or memory without end.
TEST(TorchFile, DamageIsOneLine) {
  const auto read = [&](const std::string& content) {
    try {
      parse_torch_file(content);
      return std::string("read");
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), Not(HasSubstr("\n")));
      return std::string(error.what());
    }
  };
  const Philox random{5, 1};
  std::uint64_t draw = 0;
  for (const char* name : {"legacy.pth", "zip.pth"}) {
    const std::string whole = content_of(fixture(name));
    for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_NE(read(whole.substr(0, size)), "read") << size;
    for (int i = 0; i < 3000; ++i) {
      std::string changed = whole;
      for (int k = 0; k < 2; ++k, draw += 2)
        changed[random.below(draw, whole.size())] = static_cast<char>(random.below(draw + 1, 256));
      read(changed);
    }
  }
  EXPECT_THAT(read("latency_ms\n"), HasSubstr("no file of torch.save"));
  const TemporaryFolder folder;
  folder.write("cut.pth", content_of(fixture("zip.pth")).substr(0, 300));
  EXPECT_THAT(error_of([&] { read_torch_file(folder / "cut.pth"); }),
              AllOf(HasSubstr("cut.pth: "), HasSubstr("truncated")));
  EXPECT_THAT(error_of([&] { read_torch_file(folder / "none.pth"); }), HasSubstr("none.pth"));
  EXPECT_THAT(error_of([] { read_torch_file("/"); }), HasSubstr("folder"));
}

// Pieces of a pickle.
std::string bytes_of(std::uint64_t value, int n) {
  std::string bytes;
  for (int i = 0; i < n; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
  return bytes;
}
std::string integer(std::int64_t value) { return "\x8a\x08" + bytes_of(static_cast<std::uint64_t>(value), 8); }
std::string text(const std::string& words) { return "X" + bytes_of(words.size(), 4) + words; }
std::string tuple(const std::vector<std::int64_t>& values) {
  std::string items;
  for (const auto value : values) items += integer(value);
  return "(" + items + "t";
}
std::string storage(const std::string& key, const std::string& type = "Float") {
  return "(" + text("storage") + "ctorch\n" + type + "Storage\n" + text(key) + text("cpu") + "K\x04NtQ";
}
std::string tensor(const std::string& from, const std::string& offset, const std::string& shape,
                   const std::string& stride) {
  return "ctorch._utils\n_rebuild_tensor_v2\n(" + from + offset + shape + stride + "\x89}tR";
}
std::string entry(const std::string& key, const std::string& value) { return key + value + "s"; }

// A legacy file of one pickle, `object`, and one storage, "0", of the bytes in `raw`, 4 a number.
std::string legacy_file(const std::string& object, const std::string& raw) {
  const std::string magic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);
  return "\x80\x02\x8a\x0a" + magic + ".\x80\x02M\xe9\x03.\x80\x02}.\x80\x02" + object + ".\x80\x02]" + text("0") +
         "a." + bytes_of(raw.size() / 4, 8) + raw;
}

// A file of the tensor "w" over a storage of 4 floats: 0, 1, 2, 3.
std::string file_of_tensor(const std::string& offset, const std::string& shape, const std::string& stride) {
  std::string raw;
  for (const float value : {0.0f, 1.0f, 2.0f, 3.0f}) raw += bytes_of(std::bit_cast<std::uint32_t>(value), 4);
  return legacy_file("}" + entry(text("w"), tensor(storage("0"), offset, shape, stride)), raw);
}

std::string refusal(const std::string& file) {
  return error_of([&] { parse_torch_file(file); });
}

TEST(TorchFile, ATensorStaysWithinItsStorage) {
  const auto read = [](std::int64_t offset, const std::vector<std::int64_t>& shape,
                       const std::vector<std::int64_t>& stride) {
    return parse_torch_file(file_of_tensor(integer(offset), tuple(shape), tuple(stride)))[0].values;
  };
  EXPECT_THAT(read(0, {2, 2}, {1, 2}), ElementsAre(0, 2, 1, 3));
  EXPECT_THAT(read(3, {1, 1}, {1LL << 60, 1LL << 62}), ElementsAre(3));  // strides that nobody uses
  EXPECT_THAT(read(1, {}, {}), ElementsAre(1));
  EXPECT_THAT(read(4, {0, 7}, {7, 1}), ElementsAre());

  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  const auto refused = [](std::int64_t offset, const std::vector<std::int64_t>& shape,
                          const std::vector<std::int64_t>& stride) {
    return refusal(file_of_tensor(integer(offset), tuple(shape), tuple(stride)));
  };
  for (const std::int64_t offset :
       {kMax, kMax - 3, kMax / 2, std::int64_t{5}, std::int64_t{4}, std::int64_t{3}, std::int64_t{-1}, kMin, kMin + 4})
    EXPECT_THAT(refused(offset, {4}, {1}), HasSubstr("'w' reaches outside its storage of 4 elements")) << offset;
  // Sums that wrap around to a place within or in front of the storage.
  EXPECT_THAT(refused(kMax, {2, 2}, {1 << 26, 1 << 26}), HasSubstr("outside"));
  EXPECT_THAT(refused(kMax - 1, {4}, {1 << 26}), HasSubstr("outside"));
  for (const std::int64_t stride : {kMax, kMax / 3 + 1, std::int64_t{1} << 62, std::int64_t{2}})
    EXPECT_THAT(refused(0, {4}, {stride}), HasSubstr("outside")) << stride;
  EXPECT_THAT(refused(0, {2, 2}, {3, 1}), HasSubstr("outside"));
  EXPECT_THAT(refused(0, {-4}, {1}), HasSubstr("negative"));
  EXPECT_THAT(refused(3, {4}, {-1}), HasSubstr("negative"));
  EXPECT_THAT(refused(0, {8}, {0}), HasSubstr("outside"));  // more numbers than the file has
  for (const std::int64_t size : {kMax, std::int64_t{1} << 33, std::int64_t{1} << 27})
    EXPECT_THAT(refused(0, {size, size}, {0, 0}), HasSubstr("67108864 numbers in all")) << size;
  EXPECT_THAT(refused(0, std::vector<std::int64_t>(65, 1), std::vector<std::int64_t>(65, 1)), HasSubstr("65"));
}

TEST(TorchFile, AnIntegerOfMoreThan64BitsIsNoNumberOfATensor) {
  const std::string two_to_64 = "\x8a\x09" + bytes_of(0, 8) + "\x01";  // its low 64 bits are 0
  EXPECT_THAT(refusal(file_of_tensor(two_to_64, tuple({4}), tuple({1}))), HasSubstr("64 bits"));
  EXPECT_THAT(refusal(file_of_tensor(integer(0), "(" + two_to_64 + "t", tuple({1}))), HasSubstr("64 bits"));
}

TEST(TorchFile, OneStorageHasOneTypeAndOnePlace) {
  const std::string shape = tuple({4}), stride = tuple({1}), raw(16, '\0');
  const auto two = entry(text("a"), tensor(storage("0"), integer(0), shape, stride)) +
                   entry(text("b"), tensor(storage("0", "Double"), integer(0), tuple({2}), stride));
  EXPECT_THAT(refusal(legacy_file("}" + two, raw)), HasSubstr("'0' is read as Float and as Double"));
  auto file = file_of_tensor(integer(0), shape, stride);
  const std::string keys = "]" + text("0") + "a.";
  const auto at = file.rfind(keys);
  EXPECT_THAT(refusal(file.substr(0, at) + "]" + text("0") + "a" + text("0") + "a." + bytes_of(0, 8) + bytes_of(0, 8)),
              HasSubstr("two storages '0'"));
  EXPECT_THAT(refusal(file.substr(0, at) + "]Na." + bytes_of(0, 8)), HasSubstr("type that is not read"));
  // 2^62 numbers of 4 bytes are 2^64 bytes: 0, where that is multiplied without a check.
  EXPECT_THAT(refusal(file.substr(0, at) + keys + bytes_of(std::uint64_t{1} << 62, 8)), HasSubstr("truncated"));
}

// Files that are small, or plain, and would become gigabytes or minutes.
TEST(TorchFile, BombsAreRefused) {
  const std::string raw(16, '\0');
  const std::string one = tensor(storage("0"), integer(0), tuple({4}), tuple({1}));
  // Each level holds the one below 256 times: 256^7 tensors.
  std::string shared = "}" + entry(text("w"), one) + "q\x01";
  for (int level = 0; level < 7; ++level) {
    std::string items;
    for (int i = 0; i < 256; ++i) items += "K" + bytes_of(i, 1) + "h\x01";
    shared += "0}(" + items + "uq\x01";
  }
  EXPECT_THAT(refusal(legacy_file(shared, raw)), HasSubstr("more than"));

  EXPECT_THAT(refusal(legacy_file(std::string(60 << 20, 'N'), raw)), HasSubstr("1048576 values"));
  std::string recalls = "}q\x01";
  for (int i = 0; i < 5 << 20; ++i) recalls += "h\x01";
  EXPECT_THAT(refusal(legacy_file(recalls, raw)), HasSubstr("4194304 steps"));
  EXPECT_THAT(refusal(legacy_file("}" + entry(text(std::string(70000, 'k')), one), raw)), HasSubstr("70000 bytes"));
  EXPECT_THAT(refusal(legacy_file("}" + entry(text(std::string(2000, 'k')), one), raw)), HasSubstr("2000 bytes"));
  EXPECT_THAT(refusal(legacy_file("}" + entry(")", one), raw)), HasSubstr("key"));

  // Many views of one storage of 2^20 numbers.
  std::string views = "}" + text("t") + tensor(storage("0"), integer(0), tuple({1 << 20}), tuple({1})) + "q\x01s";
  for (int i = 0; i < 64; ++i) views += "K" + bytes_of(i, 1) + "h\x01s";
  EXPECT_THAT(refusal(legacy_file(views, std::string(4 << 20, '\0'))), HasSubstr("67108864 numbers in all"));
}

// In a process of its own: a signal stays noted for the rest of it.
TEST(TorchFile, ALongReadHearsASignal) {
  const auto interrupted = [](const std::string& file) {
    install_interrupt_handler();
    std::raise(SIGTERM);
    try {
      parse_torch_file(file);
    } catch (const Interrupted&) {
      std::exit(7);
    }
    std::exit(0);
  };
  EXPECT_EXIT(interrupted(legacy_file(std::string(100'000, 'N'), "")), testing::ExitedWithCode(7), "");
  std::string entries = entry(text("w"), tensor(storage("0"), integer(0), tuple({4}), tuple({1}))) + "K\x01}q\x02s";
  for (int i = 0; i < 5000; ++i) entries += "K\x01h\x02s";
  EXPECT_EXIT(interrupted(legacy_file("}" + entries, std::string(16, '\0'))), testing::ExitedWithCode(7), "");
}

TEST(TorchPredictor, GivesWhatNumpyGives) {
  for (const char* name : {"legacy.pth", "zip.pth"}) {
    const auto predictor = imported(fixture(name));
    std::ifstream values(fixture("values.txt"));
    std::string line;
    std::getline(values, line);
    int n = 0;
    while (std::getline(values, line)) {
      std::istringstream words(line);
      std::vector<std::uint8_t> choices;
      for (int d = 0, c = 0; d < 6 && words >> c; ++d) choices.push_back(static_cast<std::uint8_t>(c));
      double expected = 0, value = 0;
      words >> expected;
      predictor.predict(choices, std::span(&value, 1));
      EXPECT_NEAR(value, expected, 1e-12) << line;
      ++n;
    }
    EXPECT_EQ(n, 8);
  }
}

TEST(TorchPredictor, OneLinearLayerIsALinearPredictor) {
  const auto tensors = read_torch_file(fixture("nested.pth"));  // no bias
  const auto predictor = predictor_from_torch(tensors, SearchSpace::load("nasbench201"), "onehot", "it");
  const std::vector<std::uint8_t> choices = {4, 0, 3, 1, 2, 2};
  double expected = 0, value = 0;
  for (int d = 0; d < 6; ++d) expected += tensors[0].values[5 * d + choices[d]];
  predictor.predict(choices, std::span(&value, 1));
  EXPECT_NEAR(value, expected, 1e-15);
}

TEST(TorchPredictor, FaultsAreNamed) {
  EXPECT_THAT(error_of([] { imported(fixture("nan.pth")); }), AllOf(HasSubstr("'0.bias'"), HasSubstr("NaN")));
  EXPECT_THAT(error_of([] { imported(fixture("batch_norm.pth")); }), HasSubstr("'1.running_mean' (5)"));
  const auto tensors = read_torch_file(fixture("legacy.pth"));
  const auto ofa = SearchSpace::load("ofa_mbv3"), nasbench201 = SearchSpace::load("nasbench201");
  const auto fault = [&](std::vector<TorchTensor> these, const SearchSpace& space, const std::string& layout) {
    return error_of([&] { predictor_from_torch(these, space, layout, "f.pth"); });
  };
  EXPECT_THAT(fault(tensors, ofa, "onehot"), HasSubstr("30 inputs; layout onehot of space ofa_mbv3 has 225"));
  EXPECT_THAT(fault(tensors, ofa, "ofa"), HasSubstr("layout ofa of space ofa_mbv3 has 128"));
  EXPECT_THAT(fault(tensors, nasbench201, "ofa"), HasSubstr("needs a space with resolutions"));
  EXPECT_THAT(fault({tensors[0], tensors[1]}, nasbench201, "onehot"), HasSubstr("5 outputs"));
  EXPECT_THAT(fault({tensors[0], tensors[4]}, nasbench201, "onehot"), HasSubstr("'4' has 3 inputs"));
  EXPECT_THAT(fault({tensors[1]}, nasbench201, "onehot"), HasSubstr("'0.bias'"));
  EXPECT_THAT(fault({}, nasbench201, "onehot"), HasSubstr("no Linear layer"));
}

}  // namespace
}  // namespace oneproxy
