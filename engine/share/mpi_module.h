#pragma once
// MPI is one module, loaded where mpirun has started the program: without it nothing of MPI is linked or needed.
#include <memory>

#include "oneproxy/engine/share/processes.h"

namespace oneproxy {

bool mpi_compiled() noexcept;  // whether this build has the module

// Whether an MPI launcher (mpirun, srun --mpi) has started this process as one of several; by its environment.
bool launched_by_mpi();

// Connects to the others; null where launched_by_mpi() is false. Called once, before work begins. Threads and CUDA
// devices of a machine are then shared out among the ranks on it, unless ONEPROXY_THREADS or set_thread_count says how
// many threads there are. Blocks until all ranks are there.
// Errors: a build without MPI, a module that can not be loaded (with the remedy).
std::unique_ptr<Processes> connect_processes();

// Which of the visible devices a rank takes, as a value of CUDA_VISIBLE_DEVICES: its share of them, one where there are
// more ranks than devices. `visible`: that variable's value, "" for all of `n_devices`.
std::string devices_of_rank(const std::string& visible, int n_devices, int local_rank, int local_size);

// The interface of what the module exports. The number guards against a module of an older build.
inline constexpr int kMpiModuleInterface = 1;

}  // namespace oneproxy
