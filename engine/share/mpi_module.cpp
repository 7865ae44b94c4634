#include "oneproxy/engine/share/mpi_module.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy/kernels/base/shared_library.h"

namespace oneproxy {
namespace {
namespace fs = std::filesystem;

// The processors that this process may use, and whose it is beside: ranks with the same share them.
std::string affinity() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  return std::string(host) + "\n" + std::string(reinterpret_cast<const char*>(&set), sizeof set);
}

// Threads: as many as the processors that are this rank's alone, or its share of those that it has with others.
void share_threads(Processes& processes) {
  if (std::getenv("ONEPROXY_THREADS")) return;
  const std::string own = affinity();
  const auto all = all_gather(processes, own);
  const auto alike = static_cast<int>(std::count(all.begin(), all.end(), own));
  const auto before = std::count(all.begin(), all.begin() + processes.rank(), own);
  const int processors = thread_count();
  const int threads = std::max(1, processors / alike + (before < processors % alike ? 1 : 0));
  set_thread_count(threads);
  const auto online = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  if (processes.rank() == 0 && threads * processes.local_size() < online)
    log_info("mpirun has bound " + count_of(processes.local_size(), "rank") + " to " +
             std::to_string(threads * processes.local_size()) + " of the " + std::to_string(online) +
             " processors of this machine; mpirun --bind-to none lets them use all");
}

void share_devices(const Processes& processes) {
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  int n_devices = 0;
  std::error_code error;
  for (fs::directory_iterator at("/proc/driver/nvidia/gpus", error), end; !error && at != end; at.increment(error))
    ++n_devices;
  // Before anything asks CUDA, which reads it once.
  const auto own = devices_of_rank(visible ? visible : "", n_devices, processes.local_rank(), processes.local_size());
  if (!own.empty()) setenv("CUDA_VISIBLE_DEVICES", own.c_str(), 1);
}

#if ONEPROXY_HAVE_MPI
// Beside the library or program that holds this code, in the lib/ beside its bin/, or where it was built.
std::string module_path() {
  const fs::path built = ONEPROXY_MPI_MODULE, code = code_folder();
  for (const auto& folder : {code, code.parent_path() / "lib"}) {
    std::error_code ignored;
    if (fs::exists(folder / built.filename(), ignored)) return (folder / built.filename()).string();
  }
  return built.string();
}
#else
std::string module_path() { return ""; }  // connect_processes() has refused before it is asked for
#endif

}  // namespace

bool mpi_compiled() noexcept { return ONEPROXY_HAVE_MPI; }

bool launched_by_mpi() {
  for (const char* size : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE"})
    if (const char* text = std::getenv(size)) return std::atoi(text) > 1;
  return std::getenv("PMIX_RANK") != nullptr;  // of srun --mpi=pmix, which does not say how many there are
}

std::unique_ptr<Processes> connect_processes() {
  if (!launched_by_mpi()) return nullptr;
  if (!mpi_compiled())
    throw Error(
        "mpirun has started several copies of oneproxy, and this build is without MPI: each would do all of the work; "
        "install Open MPI (libopenmpi-dev) and build again (tools/build_project), or share the work with --shard i/n");
  static const SharedLibrary module({module_path()}, "the MPI module of oneproxy",
                                    "build again (tools/build_project) on a machine with Open MPI");
  auto* const connect = module.function<Processes*(int, void (*)())>("oneproxy_connect_mpi");
  std::unique_ptr<Processes> processes(connect(kMpiModuleInterface, &check_interrupt));
  share_devices(*processes);
  share_threads(*processes);
  return processes;
}

std::string devices_of_rank(const std::string& visible, int n_devices, int local_rank, int local_size) {
  std::vector<std::string> devices;
  if (visible.empty())
    for (int i = 0; i < n_devices; ++i) devices.push_back(std::to_string(i));
  for (std::size_t begin = 0; begin < visible.size();) {
    const auto end = std::min(visible.find(',', begin), visible.size());
    devices.push_back(visible.substr(begin, end - begin));
    begin = end + 1;
  }
  const auto n = static_cast<int>(devices.size());
  if (n == 0) return "";
  if (local_size >= n) return devices[local_rank % n];
  std::string own;
  for (int i = n * local_rank / local_size; i < n * (local_rank + 1) / local_size; ++i)
    own += (own.empty() ? "" : ",") + devices[i];
  return own;
}

}  // namespace oneproxy
