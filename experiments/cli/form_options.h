#pragma once
// What every command that reads measurements takes to say of the files: --columns and --decimal.
#include "experiments/cli/measurement_options.h"

namespace CLI {
class App;
}

namespace oneproxy {

void add_form_options(CLI::App& command, FileForm& form);

}  // namespace oneproxy
