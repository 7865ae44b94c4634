// A store of any parts, right as HDF5 (h5_script.h): another rank, another type, rows that do not fit.
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/h5_script.h"
#include "tests/fuzz/read_store.h"

using namespace oneproxy;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string path = fuzz::scratch() / "parts.h5";
  fuzz::write_h5(path, fuzz::text_of(data, size));
  fuzz::read_store(path);
  return 0;
}
