#include "oneproxy/engine/base/hdf5_rows.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {

// In pieces or at once: the same values with the same checksum.
TEST(H5Rows, ReadsBackLikeADatasetWrittenAtOnce) {
  const TemporaryFolder folder;
  std::vector<double> doubles(1000);
  std::iota(doubles.begin(), doubles.end(), 0.5);
  std::vector<std::uint8_t> bytes(3000);
  std::iota(bytes.begin(), bytes.end(), 0);
  std::vector<std::string> texts;
  for (int i = 0; i < 1000; ++i) texts.push_back("row " + std::to_string(i));
  {
    H5File file(folder / "rows.h5", H5Mode::create);
    H5Rows values(file, "values", H5Rows::Type::doubles, 1000);
    H5Rows choices(file, "choices", H5Rows::Type::bytes, 1000, 3);
    H5Rows names(file, "names", H5Rows::Type::texts, 1000);
    for (std::size_t at = 0; at < 1000;) {
      const std::size_t n = std::min<std::size_t>(at == 0 ? 1 : 333, 1000 - at);
      values.append(std::span<const double>(doubles).subspan(at, n));
      choices.append(std::span<const std::uint8_t>(bytes).subspan(3 * at, 3 * n));
      names.append(std::span<const std::string>(texts).subspan(at, n));
      at += n;
    }
    values.finish();
    choices.finish();
    names.finish();
    file.write("at once", std::span<const double>(doubles));
    file.close();
  }
  const H5File file(folder / "rows.h5", H5Mode::read);
  EXPECT_EQ(file.read_doubles("values"), doubles);
  EXPECT_EQ(file.read_bytes("choices"), bytes);
  EXPECT_EQ(file.read_strings("names"), texts);
  EXPECT_EQ(file.shape("choices"), (std::vector<std::int64_t>{1000, 3}));
  EXPECT_EQ(file.attributes("values"), file.attributes("at once"));
}

TEST(H5Rows, NoRowsAreATableToo) {
  const TemporaryFolder folder;
  {
    H5File file(folder / "none.h5", H5Mode::create);
    H5Rows values(file, "values", H5Rows::Type::doubles, 0);
    values.append(std::span<const double>());
    values.finish();
    file.close();
  }
  EXPECT_TRUE(H5File(folder / "none.h5", H5Mode::read).read_doubles("values").empty());
}

}  // namespace
}  // namespace oneproxy
