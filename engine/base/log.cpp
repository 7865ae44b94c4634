#include "oneproxy/engine/base/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

spdlog::logger& logger() {
  static auto instance = [] {
    auto terminal = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
    terminal->set_pattern("%^%v%$");
    auto made = std::make_shared<spdlog::logger>("oneproxy", terminal);
    made->set_level(spdlog::level::trace);
    // A log file that can not be written (a full disk) shows again, as our own error, when the result is finished.
    made->set_error_handler([](const std::string&) {});
    return made;
  }();
  return *instance;
}

}  // namespace

void log_info(const std::string& message) { logger().info(message); }
void log_warning(const std::string& message) { logger().warn(one_line("warning: " + message)); }
void set_silent() { logger().sinks().front()->set_level(spdlog::level::off); }
void set_quiet(bool quiet) { logger().sinks().front()->set_level(quiet ? spdlog::level::warn : spdlog::level::trace); }

LogFile::LogFile(const std::string& path) {
  try {
    auto file = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path, true);
    file->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
    logger().sinks().push_back(file);
  } catch (const spdlog::spdlog_ex&) {
    throw Error(path + ": can not be written; is the folder writable and the disk not full?");
  }
}

LogFile::~LogFile() {
  logger().flush();
  logger().sinks().pop_back();
}

}  // namespace oneproxy
