#pragma once
// A trained optimizer in a file of its own, with all that is needed to ask it: the network, what it was trained for,
// and how a device becomes coordinates. HDF5, format "oneproxy-optimizer", written whole or not at all, read with a
// checksum over everything that an answer depends on.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/base/hdf5.h"
#include "oneproxy/engine/fleet/coordinates.h"
#include "oneproxy/engine/optimizer/policy.h"

namespace oneproxy {

struct SavedOptimizer {
  std::string space, space_checksum;  // SearchSpace::name() and checksum()
  std::vector<std::uint8_t> radices;  // [n_decisions]
  PolicyInputs inputs;
  PolicyShape shape;
  std::vector<double> parameters;      // as Policy takes them
  std::vector<std::string> qualities;  // names, in the order of OptimizerQuery::quality
  std::vector<double> spreads;         // [n_qualities]: the unit of each in a preference (optimizer/optima.h)
  std::vector<std::string> sources;    // devices that the training devices were made from
  std::string sources_checksum;        // of their data
  DeviceCoordinates latency, energy;   // energy: empty where trained without
  H5Attributes record;                 // how it came to be: seed, numbers of devices and examples, losses, ...
};

// Over everything that an answer depends on, as hex: part of the identity of a result.
std::string checksum(const SavedOptimizer& optimizer);

// Errors, each with the place: numbers that are not finite, or that do not fit each other; of reading also a file that
// is no optimizer or of a newer program, missing parts, damage.
void save_optimizer(const std::string& path, const SavedOptimizer& optimizer);
SavedOptimizer load_optimizer(const std::string& path);

// Errors, which begin with `where`: an optimizer of another space, of other decisions, or of another version of the
// space's file.
void check_optimizer(const SavedOptimizer& optimizer, const SearchSpace& space, const std::string& where);
// The same for another set of sources, or other data of them.
void check_sources(const SavedOptimizer& optimizer, std::span<const std::string> sources,
                   const std::string& sources_checksum, const std::string& where);

// For queries. Errors: those of check_optimizer.
Policy policy_of(const SavedOptimizer& optimizer, const SearchSpace& space, const std::string& where);

}  // namespace oneproxy
