#include "experiments/cli/fleet_device.h"

#include <algorithm>

namespace oneproxy {

FleetCover cover_of(const std::vector<FleetDevice>& devices, double threshold) {
  std::vector<std::string> proxies;
  for (const auto& device : devices)
    for (const auto& fit : device.proxies)
      if (std::find(proxies.begin(), proxies.end(), fit.proxy) == proxies.end()) proxies.push_back(fit.proxy);
  std::sort(proxies.begin(), proxies.end());
  FleetCover found;
  std::vector<std::vector<char>> serves;
  for (const auto& device : devices) {
    std::vector<char> own(proxies.size(), 0);
    for (const auto& fit : device.proxies)
      own[std::find(proxies.begin(), proxies.end(), fit.proxy) - proxies.begin()] = fit.srcc >= threshold;
    if (std::find(own.begin(), own.end(), 1) == own.end()) found.alone.push_back(device.name);
    serves.push_back(std::move(own));
  }
  if (proxies.empty()) return found;
  const Cover cover = cover_devices(serves);
  for (const int i : cover.proxies) found.proxies.push_back(proxies[i]);
  found.exact = cover.exact;
  return found;
}

std::string advice_on(const AdaptReport& report) {
  if (!report.adapted()) return report.why_not_adapted;
  if (!report.advice) return "-";
  if (report.advice->stop) return "enough";
  return report.advice->more > 0 ? "measure " + std::to_string(report.advice->more) + " more" : "noisy: repeat";
}

}  // namespace oneproxy
