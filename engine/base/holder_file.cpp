#include "oneproxy/engine/base/holder_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>

#include "oneproxy/engine/base/process_identity.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace fs = std::filesystem;
namespace {

constexpr const char* kMark = "mark ";
constexpr std::size_t kMarkDigits = 32;

// No two locks ever have the same.
std::string new_mark() {
  std::random_device random;
  std::string mark;
  while (mark.size() < kMarkDigits) mark += "0123456789abcdef"[random() % 16];
  return mark;
}

std::string mark_of(const std::string& text) {
  const auto at = text.find(kMark);
  const auto mark = at == std::string::npos ? "" : text.substr(at + std::strlen(kMark), kMarkDigits);
  const bool is_one = mark.size() == kMarkDigits && mark.find_first_not_of("0123456789abcdef") == std::string::npos;
  return is_one ? mark : "";
}

std::optional<std::string> text_of(const std::string& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  return std::string((std::istreambuf_iterator<char>(file)), {});
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

bool write_new(const std::string& path, const std::string& text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (file < 0) return false;
  const bool written = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int fault = errno;
  const bool closed = ::close(file) == 0;  // where a full disk of a network shows
  if (!written) errno = fault;
  return written && closed;
}

}  // namespace

HolderFile::HolderFile(const std::string& file, const std::string& protects) : file_(file), protects_(protects) {}

HolderFile::~HolderFile() {
  for (const auto& path : own_) ::unlink(path.c_str());  // the first one first: then no successor of it counts
}

std::vector<HolderFile::Link> HolderFile::chain() const {
  std::vector<Link> links;
  std::string path = file_;
  while (const auto text = text_of(path)) {
    links.push_back({path, *text});
    if (mark_of(*text).empty() || !parse_process(*text))
      throw Error(protects_ + ": " + path + " does not say who holds it; delete it if no program writes there");
    path = file_ + "." + mark_of(*text);
  }
  return links;
}

std::string HolderFile::last_file() const {
  const auto links = chain();
  return links.empty() ? file_ : links.back().path;
}

bool HolderFile::link_own(const std::string& path, const std::string& text) const {
  const std::string draft = file_ + "-" + mark_of(text);
  if (!write_new(draft, text)) {
    const int fault = errno;
    ::unlink(draft.c_str());
    throw Error(protects_ + ": can not be written (" + std::strerror(fault) +
                "); name a file in a folder that is there and writable");
  }
  bool linked = ::link(draft.c_str(), path.c_str()) == 0;
  const int fault = errno;
  struct stat made {};  // the answer of a network may get lost, and the second try finds the first
  linked = linked || (::stat(draft.c_str(), &made) == 0 && made.st_nlink == 2);
  ::unlink(draft.c_str());
  // ENOENT: the holder has tidied up our draft.
  if (!linked && fault != EEXIST && fault != ENOENT)
    throw Error(protects_ + ": its file system has neither locks nor hard links (" + std::strerror(fault) +
                "); write to another one");
  return linked;
}

bool HolderFile::try_lock() {
  const auto links = chain();
  const auto text = to_text(this_process()) + kMark + new_mark() + "\n";
  std::string path = file_;
  if (!links.empty()) {
    const auto& last = links.back();
    const auto life = life_of(*parse_process(last.text));
    if (life == Life::alive) return false;
    if (life == Life::unknown)
      throw Error(protects_ + " is in use by " + first_line(last.text) +
                  "; wait for it to end, or write elsewhere; if you know that it is dead, delete " + last.path);
    path += "." + mark_of(last.text);
  }
  if (!link_own(path, text)) return false;
  // Whose first file has gone is no successor: somebody was done in between, and removed the chain.
  if (!links.empty() && text_of(file_) != links.front().text) {
    ::unlink(path.c_str());
    return false;
  }
  for (const auto& link : links) own_.push_back(link.path);
  own_.push_back(path);
  sweep();
  return true;
}

// Drafts and successors that count no more, of processes that were killed.
void HolderFile::sweep() const {
  const fs::path file(file_);
  const std::string name = file.filename().string();
  std::error_code error;
  std::vector<std::string> left;
  const auto folder = file.parent_path().empty() ? fs::path(".") : file.parent_path();
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const auto found = at->path().filename().string();
    const auto path = (file.parent_path() / found).string();
    if (found.starts_with(name) && std::find(own_.begin(), own_.end(), path) == own_.end()) left.push_back(path);
  }
  for (const auto& path : left) ::unlink(path.c_str());
}

}  // namespace oneproxy
