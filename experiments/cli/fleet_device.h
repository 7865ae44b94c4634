#pragma once
// What `oneproxy fleet` finds out about its devices.
#include <optional>
#include <string>
#include <vector>

#include "oneproxy/engine/adapt/design/proxy_fit.h"
#include "oneproxy/engine/adapt/workflow/adapt.h"
#include "oneproxy/engine/search/confidence.h"

namespace oneproxy {

struct FleetDevice {
  // What the device's own predictor says is best within a limit.
  struct Network {
    double limit_ms = 0;
    std::optional<Solution> best;  // values: quality, latency
    KeptLimit kept;
  };

  std::string name;
  AdaptReport report;
  std::vector<ProxyFit> proxies;  // best first
  std::vector<Network> networks;  // one for each limit; none where it was not adapted to the device
};

// The fewest proxies of which one serves each device as it is, and the devices that none serves.
struct FleetCover {
  std::vector<std::string> proxies, alone;
  bool exact = false;  // proven to be the fewest
};
// A proxy serves from `threshold` on, an SRCC over the measured networks.
FleetCover cover_of(const std::vector<FleetDevice>& devices, double threshold);

// What to do about a device's measurements: "enough", "measure 7 more", "noisy: repeat", or why it was not adapted.
std::string advice_on(const AdaptReport& report);

}  // namespace oneproxy
