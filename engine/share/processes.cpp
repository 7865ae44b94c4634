#include "oneproxy/engine/share/processes.h"

#include <unistd.h>

#include "oneproxy/engine/share/packed.h"

namespace oneproxy {

void reduce_to_first(Processes& processes, const std::function<std::string()>& pack,
                     const std::function<void(const std::string&)>& merge) {
  const int rank = processes.rank(), size = processes.size();
  for (int step = 1; step < size; step *= 2) {
    if (rank & step) return processes.send(rank - step, pack());
    if (rank + step < size) merge(processes.receive(rank + step));
  }
}

std::string broadcast(Processes& processes, std::string bytes) {
  const int rank = processes.rank(), size = processes.size();
  int step = 1;
  while (step < size) step *= 2;
  for (step /= 2; step >= 1; step /= 2) {
    if (rank % (2 * step) == 0 && rank + step < size) processes.send(rank + step, bytes);
    if (rank % (2 * step) == step) bytes = processes.receive(rank - step);
  }
  return bytes;
}

std::vector<std::string> all_gather(Processes& processes, const std::string& bytes) {
  // Those of the ranks from this one on, as the tree goes.
  std::vector<std::string> all = {bytes};
  reduce_to_first(
      processes,
      [&] {
        Packer packer;
        packer.add(all);
        return std::move(packer).bytes();
      },
      [&](const std::string& others) {
        for (auto& one : Unpacker(others).vector<std::string>()) all.push_back(std::move(one));
      });
  Packer packer;
  packer.add(all);
  const std::string together = broadcast(processes, std::move(packer).bytes());
  return Unpacker(together).vector<std::string>();
}

std::string name_of(const Processes& processes) {
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  return "rank " + std::to_string(processes.rank()) + " on " + host;
}

}  // namespace oneproxy
