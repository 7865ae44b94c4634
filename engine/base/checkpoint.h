#pragma once
// The state of long work in an HDF5 file: either the older or the newer one, whenever the program is killed. Numbers
// are datasets, which have checksums: an altered checkpoint is refused.
#include <functional>
#include <string>

#include "oneproxy/engine/base/hdf5.h"

namespace oneproxy {

// `format` tells what kind of work it is of, `identity` of which one: a checkpoint of another is refused.
struct CheckpointKind {
  std::string format, identity;
  std::string remedy = "remove this checkpoint to begin anew";  // ends what is said of a bad one
};

void write_checkpoint(const std::string& path, const CheckpointKind& kind, const std::function<void(H5File&)>& write);

// Errors, each with the remedy: no checkpoint, one of other settings or data, a damaged one.
void read_checkpoint(const std::string& path, const CheckpointKind& kind,
                     const std::function<void(const H5File&)>& read);

}  // namespace oneproxy
