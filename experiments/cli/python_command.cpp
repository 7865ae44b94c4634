#include "experiments/cli/python_command.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>

#include "oneproxy/engine/base/resources.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {
namespace fs = std::filesystem;

// The module is named on the command line, so that this text is the same for all.
constexpr const char* kLauncher = R"(
import importlib, sys
module, packages = sys.argv[1:3]
try:
    try:
        main = importlib.import_module(module).main
    except ImportError as error:
        sys.exit(f"oneproxy: error: {sys.executable}: {error}; this command needs a Python with {packages}: install "
                 f"them there ({sys.executable} -m pip install {packages.replace(',', '').replace(' and ', ' ')}), or "
                 "name another by ONEPROXY_PYTHON")
    sys.exit(main(sys.argv[3:]))
except KeyboardInterrupt:
    print("oneproxy: interrupted: nothing was written", file=sys.stderr)
    sys.exit(130)
)";

}  // namespace

std::string find_python() {
  if (const char* named = std::getenv("ONEPROXY_PYTHON"); named && *named) return named;
  std::error_code ignored;
  const fs::path own = fs::path(code_folder()) / "venv" / "bin" / "python";  // of a build folder, by tools/setup
  return fs::exists(own, ignored) ? own.string() : "python3";
}

void become_python(const std::string& module, const std::vector<std::string>& arguments, const std::string& packages) {
  const std::string python = find_python();
  std::string path = (fs::path(home_folder()) / "python").string();
  if (const char* more = std::getenv("PYTHONPATH"); more && *more) path += std::string(":") + more;
  ::setenv("PYTHONPATH", path.c_str(), 1);
  ::setenv("PYTHONSAFEPATH", "1", 1);  // no module of the working directory, whatever its name

  std::vector<std::string> texts = {python, "-c", kLauncher, module, packages};
  texts.insert(texts.end(), arguments.begin(), arguments.end());
  std::vector<char*> words;
  for (auto& text : texts) words.push_back(text.data());
  words.push_back(nullptr);
  std::cout << std::flush;
  ::execvp(python.c_str(), words.data());
  throw Error(python + ": can not be started (" + std::strerror(errno) + "); this command needs a Python with " +
              packages + ": name one by ONEPROXY_PYTHON");
}

}  // namespace oneproxy
