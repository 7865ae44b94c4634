// A finished result of any arrays, right as HDF5 (h5_script.h), exported as CSV.
#include "tests/fuzz/export_result.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/h5_script.h"

using namespace oneproxy;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::write_h5(fuzz::scratch() / "arrays.h5", fuzz::text_of(data, size));
  fuzz::export_result();
  return 0;
}
