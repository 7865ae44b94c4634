#pragma once
// A whole file of a user in memory: what CSV, TOML and torch files are parsed from.
#include <cstdint>
#include <filesystem>
#include <string>

namespace oneproxy {

// Files or pipes. A signal ends the wait for a pipe that nobody writes to (check_interrupt).
// Errors: no such file, a folder, no right to read it, more than `max_bytes`.
std::string read_file(const std::string& path, std::uint64_t max_bytes);

// False too for a name that no file can have (too long, a circle of links), where std::filesystem throws.
bool file_exists(const std::filesystem::path& path);

}  // namespace oneproxy
