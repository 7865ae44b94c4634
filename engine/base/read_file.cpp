#include "oneproxy/engine/base/read_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr int kHearMs = 100;  // how soon a signal is heard

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  operator int() const { return number_; }

 private:
  int number_;
};

std::string size_of(std::uint64_t bytes) {
  return bytes >= 1 << 20 ? std::to_string(bytes >> 20) + " MiB" : std::to_string(bytes) + " bytes";
}

}  // namespace

bool file_exists(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

std::string read_file(const std::string& path, std::uint64_t max_bytes) {
  const auto unreadable = [&] {
    return Error(path + ": can not be read (" + std::strerror(errno) + "); is it there, and a file?");
  };
  const auto too_large = [&] {
    return Error(path + ": is larger than " + size_of(max_bytes) + "; is it the right file?");
  };
  // Not blocking: a pipe without a writer would hold open() and not hear a signal.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (file < 0 || ::fstat(file, &status) != 0) throw unreadable();
  if (S_ISDIR(status.st_mode)) throw Error(path + ": is a folder; name a file");
  if (S_ISREG(status.st_mode) && static_cast<std::uint64_t>(status.st_size) > max_bytes) throw too_large();
  std::string content;
  content.reserve(S_ISREG(status.st_mode) ? status.st_size : 0);
  char piece[1 << 16];
  for (;;) {
    check_interrupt();
    pollfd wait{file, POLLIN, 0};
    const int ready = ::poll(&wait, 1, kHearMs);
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    const auto n = ready < 0 ? -1 : ::read(file, piece, sizeof piece);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0) throw unreadable();
    if (n == 0) return content;
    if (content.size() + static_cast<std::uint64_t>(n) > max_bytes) throw too_large();
    content.append(piece, static_cast<std::size_t>(n));
  }
}

}  // namespace oneproxy
