#pragma once
// `oneproxy export` of the scratch folder, as if a run had written its arrays.h5 and finished.
#include <string>

#include "experiments/cli/commands.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/h5_script.h"

namespace oneproxy::fuzz {

inline void export_result() {
  static const std::string done = scratch().write("DONE", "");
  accepted([] { export_csv(std::filesystem::path(done).parent_path().string(), scratch() / "csv", true); });
  require(open_h5_handles() == 0, "a file is closed after it was read");
}

}  // namespace oneproxy::fuzz
