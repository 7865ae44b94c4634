#pragma once
// How `--help` looks: no line is wider than 100 columns, and a type is said once.
#include <CLI/CLI.hpp>
#include <string>

namespace oneproxy {

class HelpText : public CLI::Formatter {
 public:
  std::string make_description(const CLI::App* app) const override;
  std::string make_subcommand(const CLI::App* command) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
  std::string make_option_desc(const CLI::Option* option) const override;
};

}  // namespace oneproxy
