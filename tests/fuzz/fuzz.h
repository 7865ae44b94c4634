#pragma once
// What the fuzz targets share. A target is one file: it reads hostile bytes as the program would, and states what must
// hold for them. libFuzzer (ONEPROXY_FUZZ) makes the bytes, or replay.cpp takes them from files.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "oneproxy/kernels/base/error.h"
#include "tests/engine/temporary_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace oneproxy::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// States what must hold for every input.
inline void require(bool holds, const std::string& what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: does not hold: %s\n", what.c_str());
  std::abort();
}

// Whether `read` takes the input. An Error is the good way to refuse it. Any other exception is a finding: nothing
// catches it, so that the program ends with the stack of the place that threw.
template <class Read>
bool accepted(Read read) {
  try {
    read();
    return true;
  } catch (const Error& error) {
    for (const char* c = error.what(); *c; ++c)
      require(static_cast<unsigned char>(*c) >= ' ' && *c != '\x7f', "an error is one line of text");
    return false;
  }
}

// Where a target writes its input, for readers that want a file. Below TMPDIR, which should be in memory.
inline const TemporaryFolder& scratch() {
  static const TemporaryFolder folder;
  return folder;
}

// A new file each time: the engine looks closer at a file that it has not seen.
inline std::string write_input(const std::string& name, std::string_view content) {
  std::filesystem::remove(scratch() / name);
  return scratch().write(name, std::string(content));
}

}  // namespace oneproxy::fuzz
