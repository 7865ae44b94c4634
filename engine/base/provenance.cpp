#include "oneproxy/engine/base/provenance.h"

#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>

#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy_commit.h"

namespace oneproxy {
namespace {

std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  return "unknown";
}

}  // namespace

std::string version() { return ONEPROXY_VERSION; }
std::string commit() { return ONEPROXY_COMMIT; }

void Timings::add(const std::string& name, double seconds) {
  for (auto& [known, total] : entries_) {
    if (known == name) {
      total += seconds;
      return;
    }
  }
  entries_.emplace_back(name, seconds);
}

std::string Provenance::json() const {
  nlohmann::ordered_json object;
  object["program"] = "oneproxy";
  object["version"] = version();
  object["commit"] = commit();
  object["kind"] = kind;
  object["config"] = config_file;
  object["command"] = command;
  char date[32];
  const std::time_t now = std::time(nullptr);
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
  object["date"] = date;
  object["backend"] = to_string(backend);
  object["device"] = backend == Backend::cuda ? cuda_device_name() : cpu_name();
  object["threads"] = thread_count();
  if (n_ranks > 1) object["ranks"] = n_ranks;
  if (n_shards > 1) object["shards"] = n_shards;
  object["seed"] = seed;
  object["data"] = data;
  for (const auto& [name, seconds] : timings.entries()) object["seconds"][name] = seconds;
  return object.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace oneproxy
