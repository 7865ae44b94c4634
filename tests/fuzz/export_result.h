#pragma once
// `oneproxy export` of the scratch folder, as if a run had written its arrays.h5 and finished.
#include <string>

#include "experiments/cli/commands.h"
#include "tests/fuzz/fuzz.h"

namespace oneproxy::fuzz {

inline void export_result() {
  static const std::string done = scratch().write("DONE", "");
  accepted([] { export_csv(std::filesystem::path(done).parent_path().string(), scratch() / "csv"); });
}

}  // namespace oneproxy::fuzz
