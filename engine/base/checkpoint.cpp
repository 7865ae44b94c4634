#include "oneproxy/engine/base/checkpoint.h"

#include "oneproxy/engine/base/atomic_path.h"
#include "oneproxy/engine/base/attribute_reader.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

void write_checkpoint(const std::string& path, const CheckpointKind& kind, const std::function<void(H5File&)>& write) {
  write_h5_atomically(path, [&](H5File& file) {
    file.set_attribute("/", "format", kind.format);
    file.set_attribute("/", "identity", kind.identity);
    write(file);
  });
}

void read_checkpoint(const std::string& path, const CheckpointKind& kind,
                     const std::function<void(const H5File&)>& read) {
  try {
    const H5File file(path, H5Mode::read);
    const auto found = file.attributes("/");
    if (attribute_text(found, "format") != kind.format) throw Error(path + ": is no checkpoint of this work");
    if (attribute_text(found, "identity") != kind.identity)
      throw Error(path + ": is the checkpoint of a run with other settings, models or data");
    read(file);
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& fault) {
    throw Error(std::string(fault.what()) + "; " + kind.remedy);
  }
}

}  // namespace oneproxy
