#pragma once
// The command-line program: parses, calls, prints. Results go to standard output, everything else to standard error.

namespace oneproxy {

// The program with these arguments, argv[0] its name. Returns the exit status: 0 done, 1 an error (one line), 2 a usage
// error, 128 + signal: interrupted. From here on a signal is the program's (install_interrupt_handler): call it last.
int run_program(int argc, char** argv);

}  // namespace oneproxy
