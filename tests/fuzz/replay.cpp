// Feeds files to a fuzz target without libFuzzer, so that its seeds and regressions are ordinary tests with any
// compiler: replay_TARGET FILE|FOLDER... Each input has a process of its own, 10 s and 2 GB; all that fail are named.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz.h"

namespace fs = std::filesystem;
using oneproxy::TemporaryFolder;

namespace {

constexpr unsigned kSeconds = 10;
constexpr long kMegabytes = 2048;

std::vector<std::string> files_of(const std::string& argument) {
  std::vector<std::string> files;
  if (fs::is_regular_file(argument)) return {argument};
  if (!fs::exists(argument)) return files;  // a target without regressions has no folder of them
  for (const auto& entry : fs::recursive_directory_iterator(argument))
    if (entry.is_regular_file()) files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

// In the child.
void feed(const std::string& file) {
  alarm(kSeconds);  // SIGALRM ends the process
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  std::ifstream in(file, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  // A copy of its very size, so that a sanitizer sees a read beyond the end.
  const std::vector<std::uint8_t> data(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(data.data(), data.size());
}

// "" where the input did what it should.
std::string fault(const std::string& file) {
  const pid_t child = fork();
  if (child < 0) return std::string("no process for it: ") + std::strerror(errno);
  if (child == 0) {
    feed(file);
    std::exit(0);
  }
  int status = 0;
  rusage used{};
  if (wait4(child, &status, 0, &used) != child) return std::string("its process is lost: ") + std::strerror(errno);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) return "took more than " + std::to_string(kSeconds) + " s";
  if (WIFSIGNALED(status)) return std::string("died: ") + strsignal(WTERMSIG(status));
  if (WEXITSTATUS(status) != 0) return "ended with status " + std::to_string(WEXITSTATUS(status));
  if (used.ru_maxrss / 1024 > kMegabytes) return "took " + std::to_string(used.ru_maxrss / 1024) + " MB";
  return "";
}

}  // namespace

int main(int argc, char** argv) {
  const TemporaryFolder folder;  // of the children, also of those that crash
  setenv("TMPDIR", fs::path(folder / "").c_str(), 1);
  int fed = 0, failed = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& file : files_of(argv[i])) {
      ++fed;
      if (const auto what = fault(file); !what.empty()) {
        std::fprintf(stderr, "%s: %s\n", file.c_str(), what.c_str());
        ++failed;
      }
    }
  }
  if (fed == 0) std::fprintf(stderr, "no file is there; give files or folders of them\n");
  std::printf("%d inputs, %d failed\n", fed, failed);
  return fed == 0 || failed > 0;
}
