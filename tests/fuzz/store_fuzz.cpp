// Any bytes as a store. Most die in libhdf5's own checks: store_parts_fuzz.cpp reaches what is behind them.
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/read_store.h"

using namespace oneproxy;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::read_store(fuzz::write_input("store.h5", fuzz::text_of(data, size)));
  return 0;
}
