#pragma once
// A command under mpirun: connected to the other ranks, silent but for the first.
#include <string>

#include "oneproxy/engine/share/processes.h"

namespace CLI {
class App;
}

namespace oneproxy {

// The processes that mpirun started with this one, connected at the first call; null where it is alone.
Processes* processes();

// What rank 0 prints; nothing of the others.
std::string said_once(const std::string& output);

// Under mpirun, an error for each command that does not share its work: its copies would all do the same.
void refuse_copies(CLI::App& app);

// "rank 3 on host: " before what one rank says, "" of who is alone. A rank above 0 waits a moment first: what all meet,
// rank 0 says, and ends them.
std::string rank_prefix();

// After an error, which has been printed: the other ranks would wait for this one. Returns where it is alone.
void end_other_ranks(int status);

}  // namespace oneproxy
