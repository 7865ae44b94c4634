// The executable; the Python package gives the same command (python/oneproxy/_program.py).
#include "experiments/cli/program.h"

int main(int argc, char** argv) { return oneproxy::run_program(argc, argv); }
