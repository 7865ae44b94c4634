#include <fcntl.h>
#include <hdf5.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>
#include <tuple>
#include <vector>

#include "oneproxy/engine/base/hdf5.h"
#include "oneproxy/engine/base/hdf5_library.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr rlim_t kSeconds = 2;                    // of the child; the store that ships takes some 0.01
constexpr unsigned kPatience = 30;                // seconds of the clock for a child, which may wait for a disk
constexpr int kTries = 3;                         // of a child that has lost its patience
constexpr std::size_t kTogether = 100;            // files that a child goes through, within the limits of one
constexpr rlim_t kMoreMemory = rlim_t{1} << 28;   // than the program has
constexpr std::size_t kMaxAttribute = 1 << 20;    // bytes
constexpr hsize_t kMaxValues = hsize_t{1} << 14;  // of a dataset that are read
constexpr hsize_t kMaxTexts = hsize_t{1} << 20;   // of a dataset

// Why a file is refused, as the child's exit status. A text that can not be read in little memory would take the
// program's; what is behind an object that can not be opened here was not looked at, and the program may get there.
enum Finding : int { kNone, kUnreadableText, kUnreadableObject };

struct Findings {
  bool unreadable_text = false, unreadable_object = false;
};

void read_attributes(hid_t object, Findings& findings) {
  const int n = H5Aget_num_attrs(object);
  if (n < 0) findings.unreadable_object = true;
  for (int i = 0; i < n; ++i) {
    H5Handle attribute(H5Aopen_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_INC, i, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
    if (!attribute.ok()) {
      findings.unreadable_object = true;
      continue;
    }
    std::array<char, 256> name{};
    H5Aget_name(attribute, name.size(), name.data());
    H5Handle type(H5Aget_type(attribute), H5Tclose);
    H5Handle space(H5Aget_space(attribute), H5Sclose);
    if (!type.ok() || !space.ok() || H5Sget_simple_extent_npoints(space) != 1) continue;
    if (H5Tis_variable_str(type) > 0) {
      char* text = nullptr;
      if (H5Aread(attribute, type, &text) < 0) findings.unreadable_text = true;
      H5free_memory(text);
    } else if (const std::size_t size = H5Tget_size(type); size <= kMaxAttribute) {
      std::vector<char> value(size + 1);
      H5Aread(attribute, type, value.data());
    }
  }
}

// All texts, the first of other values: through the index of chunks, the filters and the conversion.
void read_values(hid_t data, Findings& findings) {
  H5Handle space(H5Dget_space(data), H5Sclose);
  H5Handle type(H5Dget_type(data), H5Tclose);
  if (!space.ok() || !type.ok()) return;
  H5Dget_storage_size(data);
  const int rank = H5Sget_simple_extent_ndims(space);
  if (rank < 0 || rank > H5S_MAX_RANK) return;
  const bool text = H5Tis_variable_str(type) > 0;
  const hsize_t most = text ? kMaxTexts : kMaxValues;
  std::array<hsize_t, H5S_MAX_RANK> dims{}, start{};
  H5Sget_simple_extent_dims(space, dims.data(), nullptr);
  hsize_t n = 1;
  for (int d = rank; d-- > 0;) {  // whole in the last dimensions, cut in the first
    const hsize_t part = std::min<hsize_t>(dims[d], std::max<hsize_t>(most / std::max<hsize_t>(n, 1), 1));
    if (text && part < dims[d]) findings.unreadable_text = true;
    dims[d] = part;
    n *= part;
  }
  const std::size_t size = H5Tget_size(type);
  if (n == 0 || n > most || size == 0 || size > kMaxAttribute / 16 || n * size > (hsize_t{1} << 27)) return;
  if (rank > 0) H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, dims.data(), nullptr);
  H5Handle memory(rank > 0 ? H5Screate_simple(rank, dims.data(), nullptr) : H5Screate(H5S_SCALAR), H5Sclose);
  std::vector<char> values(n * size);
  const bool read = H5Dread(data, type, memory, space, H5P_DEFAULT, values.data()) >= 0;
  if (text && !read) findings.unreadable_text = true;
  if (text && read) H5Dvlen_reclaim(type, memory, H5P_DEFAULT, values.data());
}

herr_t look_at(hid_t file, const char* name, const H5O_info_t*, void* of_file) {
  Findings& findings = *static_cast<Findings*>(of_file);
  H5Handle object(H5Oopen(file, name, H5P_DEFAULT), H5Oclose);
  if (!object.ok()) {
    findings.unreadable_object = true;
    return 0;
  }
  read_attributes(object, findings);
  if (H5Iget_type(object) == H5I_DATASET) read_values(object, findings);
  return 0;
}

// What RLIMIT_DATA counts of this process; 0 where it is not known.
rlim_t data_bytes() {
  std::ifstream statm("/proc/self/statm");
  rlim_t pages = 0;
  for (int field = 0; field < 6; ++field) statm >> pages;
  return statm ? pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

// In the child: nothing of it returns to the program.
[[noreturn]] void go_through(std::span<const std::string> paths) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // its parent's locks are its own too
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGXCPU, SIGALRM, SIGINT, SIGTERM, SIGHUP})
    std::signal(number, SIG_DFL);
  const int nowhere = ::open("/dev/null", O_WRONLY);
  ::dup2(nowhere, STDOUT_FILENO);
  ::dup2(nowhere, STDERR_FILENO);
  rlimit limit{};
  limit = {0, 0};
  ::setrlimit(RLIMIT_CORE, &limit);
  limit = {kSeconds, kSeconds + 1};
  ::setrlimit(RLIMIT_CPU, &limit);
  if (const rlim_t now = data_bytes(); now > 0 && ::getrlimit(RLIMIT_DATA, &limit) == 0) {
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, now + kMoreMemory);
    ::setrlimit(RLIMIT_DATA, &limit);
  }
  ::alarm(kPatience);
  Findings findings;
  for (const auto& path : paths) {
    const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0) continue;
    if (H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, look_at, &findings) < 0) findings.unreadable_object = true;
    H5Fclose(file);
  }
  ::_exit(findings.unreadable_text ? kUnreadableText : findings.unreadable_object ? kUnreadableObject : kNone);
}

using FileState = std::tuple<dev_t, ino_t, off_t, time_t, long>;

FileState state_of(const std::string& path) {
  struct stat status {};
  ::stat(path.c_str(), &status);
  return {status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

// Those that a child came back from without a finding; of all threads.
class Seen {
 public:
  bool contains(const FileState& state) {
    const std::scoped_lock lock(mutex_);
    return all_.contains(state);
  }
  void add(std::span<const FileState> states) {
    const std::scoped_lock lock(mutex_);
    all_.insert(states.begin(), states.end());
  }

 private:
  std::mutex mutex_;
  std::set<FileState> all_;
};

Seen& seen() {
  static Seen all;
  return all;
}

// Starts a child that goes through the files. The library has one lock for all threads: a child that is made while
// another thread has it would wait for it for ever. So it is made where this thread has it, in a function that the
// library calls, and never gives it up. It has its parent's files too, and with them the locks on them: no thread goes
// on before it has closed them. -1 where none could be started (errno).
pid_t start_child(std::span<const std::string> paths) {
  struct Start {
    std::span<const std::string> paths;
    pid_t child;
  } start{paths, -1};
  const auto make = [](hid_t, const char*, void* given) -> herr_t {
    auto& [files, child] = *static_cast<Start*>(given);
    int closed[2];
    if (::pipe2(closed, O_CLOEXEC) != 0) return 1;
    child = ::fork();
    if (child == 0) {
      const auto last = static_cast<unsigned>(closed[1]);
      ::close_range(STDERR_FILENO + 1, last - 1, 0);
      ::close_range(last + 1, ~0U, 0);
      ::close(closed[1]);
      go_through(files);
    }
    ::close(closed[1]);
    char none = 0;
    while (child > 0 && ::read(closed[0], &none, 1) < 0 && errno == EINTR) {
    }
    ::close(closed[0]);
    return 1;
  };
  H5Piterate(H5P_FILE_ACCESS_DEFAULT, nullptr, make, &start);
  return start.child;
}

// How a child ends that goes through the files, as waitpid() says it; -1 where none could be started (errno).
int end_of_one_child(std::span<const std::string> paths) {
  const pid_t child = start_child(paths);
  if (child < 0) return -1;
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    try {
      check_interrupt();
    } catch (const Interrupted&) {
      ::kill(child, SIGKILL);
      ::waitpid(child, &status, 0);
      throw;
    }
  }
  return status;
}

// Another thread may just have been on its way to the library's lock: then a child waits, and the next one does not.
int end_of_child(std::span<const std::string> paths) {
  int status = end_of_one_child(paths);
  for (int tries = 1; tries < kTries && status >= 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM; ++tries)
    status = end_of_one_child(paths);
  return status;
}

}  // namespace

void probe_h5_files(std::span<const std::string> paths) {
  silence_h5_library();
  std::vector<std::string> files;  // a pipe would be waited for
  for (const auto& path : paths) {
    std::error_code error;
    if (std::filesystem::is_regular_file(path, error)) files.push_back(path);
  }
  for (std::size_t at = 0; at < files.size(); at += kTogether) {
    const auto some = std::span(files).subspan(at, std::min(kTogether, files.size() - at));
    std::vector<FileState> states;  // of before: who is changed meanwhile is looked at again
    for (const auto& path : some) states.push_back(state_of(path));
    if (end_of_child(some) == 0) seen().add(states);
  }
}

void probe_h5_file(const std::string& path, const std::string& name) {
  const FileState state = state_of(path);
  if (seen().contains(state)) return;
  const int status = end_of_child(std::span(&path, 1));
  if (status < 0)
    throw Error(name + ": no process can be started to look at it first (" + std::strerror(errno) +
                "); stop other programs, or raise ulimit -u");
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
    throw Error(name + ": can not be read in " + std::to_string(kPatience) + " s; is its disk there?");
  if (WIFSIGNALED(status))
    throw Error(name + ": is damaged so that the HDF5 library breaks on it (" + strsignal(WTERMSIG(status)) +
                "); get it again");
  if (WEXITSTATUS(status) == kUnreadableObject)
    throw Error(name + ": has an object or an attribute that can not be opened; it is damaged, get it again");
  if (status != 0) throw Error(name + ": has a text that can not be read; it is damaged, get it again");
  seen().add(std::span(&state, 1));
}

}  // namespace oneproxy
