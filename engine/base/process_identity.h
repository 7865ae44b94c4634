#pragma once
// Which process on which machine, told apart from a later one that has its PID.
#include <cstdint>
#include <optional>
#include <string>

namespace oneproxy {

struct ProcessIdentity {
  std::int64_t pid = 0;
  std::string host;
  std::string since;  // when it started, by its own clock: "2026-11-24 06:50:01"
  // Its start in ticks since the machine's, the machine's start, and the table that its PID is in (a container has one
  // of its own). "-": not known.
  std::string ticks = "-", boot = "-", pids = "-";
};

enum class Life { alive, dead, unknown };

ProcessIdentity this_process();
// Two lines, the first of them for people: "process 123 on HOST, since 2026-11-24 06:50:01".
std::string to_text(const ProcessIdentity& process);
// Of such lines; what follows them does not matter. Nothing where they are none.
std::optional<ProcessIdentity> parse_process(const std::string& text);
// Unknown on another machine, or in a container that this process can not look into. Dead too: another process has its
// PID now, or the machine has started anew.
Life life_of(const ProcessIdentity& process);

}  // namespace oneproxy
