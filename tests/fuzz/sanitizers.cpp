// What the sanitizers are not to count as a finding.
#include <pthread.h>
#include <sanitizer/common_interface_defs.h>

// The engine lets a child process look at foreign HDF5 files, and the child may die. So a child writes no input as
// libFuzzer's process does when it dies.
[[maybe_unused]] static const int registered =
    pthread_atfork(nullptr, nullptr, [] { __sanitizer_set_death_callback(nullptr); });

// libhdf5 1.10.8 itself loses some hundred bytes on some damaged files. The handles that we do not close are counted
// by the targets themselves (open_h5_handles).
extern "C" const char* __lsan_default_suppressions() { return "leak:libhdf5"; }
