// h5_from_script SCRIPT FILE: the seeds of targets that take a file as it lies on the disk.
#include <cstdio>
#include <fstream>
#include <iterator>

#include "tests/fuzz/h5_script.h"

int main(int argc, char** argv) {
  std::ifstream in(argc == 3 ? argv[1] : "", std::ios::binary);
  if (!in) {
    std::fprintf(stderr, "usage: h5_from_script SCRIPT FILE\n");
    return 1;
  }
  const std::string script((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  oneproxy::fuzz::write_h5(argv[2], script);
}
