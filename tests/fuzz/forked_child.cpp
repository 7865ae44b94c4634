// The engine lets a child process look at foreign HDF5 files, and the child may die: that is no finding. So a child
// writes no input as libFuzzer's process does when it dies.
#include <pthread.h>
#include <sanitizer/common_interface_defs.h>

namespace {

[[maybe_unused]] const int registered =
    pthread_atfork(nullptr, nullptr, [] { __sanitizer_set_death_callback(nullptr); });

}  // namespace
