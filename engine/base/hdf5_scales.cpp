// Dimension scales: datasets that label the dimensions of others.
#include <hdf5.h>
#include <hdf5_hl.h>

#include "oneproxy/engine/base/hdf5.h"
#include "oneproxy/engine/base/hdf5_library.h"

namespace oneproxy {

void H5File::make_scale(const std::string& dataset, const std::string& name) {
  H5Handle id(H5Dopen2(file_, dataset.c_str(), H5P_DEFAULT), H5Dclose);
  if (!id.ok() || H5DSset_scale(id, name.c_str()) < 0)
    fail("dataset " + dataset + " could not be made a scale; is the disk full?");
}

void H5File::attach_scale(const std::string& dataset, int dimension, const std::string& scale,
                          const std::string& name) {
  H5Handle id(H5Dopen2(file_, dataset.c_str(), H5P_DEFAULT), H5Dclose);
  H5Handle labels(H5Dopen2(file_, scale.c_str(), H5P_DEFAULT), H5Dclose);
  if (!id.ok() || !labels.ok() || H5DSattach_scale(id, labels, static_cast<unsigned>(dimension)) < 0 ||
      H5DSset_label(id, static_cast<unsigned>(dimension), name.c_str()) < 0)
    fail("the scale " + scale + " could not be attached to dataset " + dataset + "; is the disk full?");
}

}  // namespace oneproxy
