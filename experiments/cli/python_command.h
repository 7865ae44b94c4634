#pragma once
// Work that Python does for the program: pages and pictures of results, with the packages that it has for them.
#include <string>
#include <vector>

namespace oneproxy {

// Becomes `python MODULE ARGUMENTS...`: `main(arguments)` of a module of python/ (PREFIX/share/oneproxy/python of an
// installed program). So Ctrl-C and the exit status are Python's own. Which Python: ONEPROXY_PYTHON, else that of the
// build folder (build/venv), else python3 of the PATH. `packages` are what the module needs; one that is not there is
// an error of one line with the remedy, printed by Python. Returns never; Error where no Python can be started.
[[noreturn]] void become_python(const std::string& module, const std::vector<std::string>& arguments,
                                const std::string& packages);

// Which one: a path, or a name that is looked for in PATH.
std::string find_python();

}  // namespace oneproxy
