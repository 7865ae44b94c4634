// Any bytes as the arrays of a finished result, exported as CSV.
#include "tests/fuzz/export_result.h"
#include "tests/fuzz/fuzz.h"

using namespace oneproxy;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::write_input("arrays.h5", fuzz::text_of(data, size));
  fuzz::export_result();
  return 0;
}
