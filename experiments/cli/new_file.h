#pragma once
// What every command with --out keeps to: a file that is there is never replaced unless --force says so.
#include <string>

namespace oneproxy {

// Before any work is done. "" is no file. Error: something is there and `force` is not given; `what` is said of it, for
// example ", and may hold measurements".
void require_new_file(const std::string& path, bool force, const std::string& what = "");

}  // namespace oneproxy
