#include "experiments/cli/form_options.h"

#include <CLI/CLI.hpp>

namespace oneproxy {

void add_form_options(CLI::App& command, FileForm& form) {
  command
      .add_option("--columns", form.columns,
                  "names of the columns of a file without a header (arch,latency_ms), or ROLE=HEADER where a header is "
                  "not recognised (arch=Subnet,latency_ms=p50)")
      ->delimiter(',');
  command.add_option("--decimal", form.decimal, "decimal mark of the file: point or comma (default: recognised)");
}

}  // namespace oneproxy
