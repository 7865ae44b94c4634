// Files are looked at in a child process, which must not wait for what other threads of its parent were doing.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "oneproxy/engine/base/hdf5.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {

TEST(Hdf5Probe, FilesAreOpenedWhileOtherThreadsAreInTheLibrary) {
  const TemporaryFolder folder;
  std::atomic<int> read{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      const std::vector<double> values(1000, t);
      for (int i = 0; i < 60; ++i) {
        const std::string path = folder / (std::to_string(t) + "_" + std::to_string(i) + ".h5");
        {
          H5File file(path, H5Mode::create);
          for (int n = 0; n < 5; ++n) file.write("values/" + std::to_string(n), std::span<const double>(values));
        }
        read += H5File(path, H5Mode::read).read_doubles("values/4") == values;  // a child looks at it first
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(read, 4 * 60);
}

}  // namespace
}  // namespace oneproxy
