#include "oneproxy/engine/base/process_identity.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ctime>
#include <fstream>
#include <sstream>

namespace oneproxy {
namespace {

constexpr const char* kUnknown = "-";

// Of /proc/PID/stat, counted from the state on: the name before it may hold anything.
struct Stat {
  std::string state, ticks;
};

std::optional<Stat> stat_of(std::int64_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line) || line.rfind(')') == std::string::npos) return std::nullopt;
  std::istringstream words(line.substr(line.rfind(')') + 1));
  Stat found;
  words >> found.state;
  for (int field = 4; field <= 22; ++field) words >> found.ticks;  // the last one stays
  return words ? std::optional(found) : std::nullopt;
}

std::string first_word(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  return file >> word ? word : kUnknown;
}

std::string host_name() {
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  return *host ? host : kUnknown;
}

std::string table_of_pids() {
  char link[64] = {};
  const auto n = readlink("/proc/self/ns/pid", link, sizeof link - 1);
  return n > 0 ? link : kUnknown;
}

std::string start_of(const std::string& ticks) {
  timespec up{};
  std::time_t start = std::time(nullptr);
  if (ticks != kUnknown && clock_gettime(CLOCK_BOOTTIME, &up) == 0)
    start -= up.tv_sec - static_cast<std::time_t>(std::stoll(ticks)) / sysconf(_SC_CLK_TCK);
  std::tm local{};
  localtime_r(&start, &local);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
  return text;
}

bool differ(const std::string& a, const std::string& b) { return a != kUnknown && b != kUnknown && a != b; }

}  // namespace

ProcessIdentity this_process() {
  ProcessIdentity process;
  process.pid = getpid();
  process.host = host_name();
  if (const auto stat = stat_of(process.pid)) process.ticks = stat->ticks;
  process.since = start_of(process.ticks);
  process.boot = first_word("/proc/sys/kernel/random/boot_id");
  process.pids = table_of_pids();
  return process;
}

std::string to_text(const ProcessIdentity& process) {
  return "process " + std::to_string(process.pid) + " on " + process.host + ", since " + process.since + "\nticks " +
         process.ticks + " boot " + process.boot + " pids " + process.pids + "\n";
}

std::optional<ProcessIdentity> parse_process(const std::string& text) {
  ProcessIdentity process;
  std::istringstream words(text);
  std::string name, on, since, day, time, ticks, boot, pids;
  words >> name >> process.pid >> on >> process.host >> since >> day >> time >> ticks >> process.ticks >> boot >>
      process.boot >> pids >> process.pids;
  if (!words || name != "process" || on != "on" || since != "since" || ticks != "ticks" || boot != "boot" ||
      pids != "pids" || process.pid <= 0 || !process.host.ends_with(','))
    return std::nullopt;
  process.host.pop_back();
  process.since = day + " " + time;
  return process;
}

Life life_of(const ProcessIdentity& process) {
  const auto self = this_process();
  if (process.host != self.host) return Life::unknown;
  if (differ(process.boot, self.boot))  // "localhost" may be another machine
    return self.host == "localhost" || self.host == kUnknown ? Life::unknown : Life::dead;
  if (differ(process.pids, self.pids)) return Life::unknown;
  const auto stat = stat_of(process.pid);
  if (!stat) return kill(static_cast<pid_t>(process.pid), 0) != 0 && errno == ESRCH ? Life::dead : Life::alive;
  // One that nobody has waited for yet (Z) has a PID, and does nothing any more.
  return stat->state == "Z" || stat->state == "X" || differ(process.ticks, stat->ticks) ? Life::dead : Life::alive;
}

}  // namespace oneproxy
