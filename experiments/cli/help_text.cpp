#include "experiments/cli/help_text.h"

#include <sstream>

namespace oneproxy {
namespace {

constexpr std::size_t kWidth = 100;  // columns

// Lines of at most so many columns, broken at spaces; a longer word has a line of its own.
std::string wrapped(const std::string& text, std::size_t width) {
  std::istringstream words(text);
  std::string all, line;
  for (std::string word; words >> word;) {
    if (!line.empty() && line.size() + 1 + word.size() > width) {
      all += line + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  return all + line;
}

}  // namespace

std::string HelpText::make_description(const CLI::App* app) const {
  return wrapped(CLI::Formatter::make_description(app), kWidth) + "\n";
}

std::string HelpText::make_subcommand(const CLI::App* command) const {
  std::ostringstream out;
  CLI::detail::format_help(out, command->get_display_name(true),
                           wrapped(command->get_description(), kWidth - get_column_width()), get_column_width());
  return out.str();
}

std::string HelpText::make_option_opts(const CLI::Option* option) const {
  std::string text = CLI::Formatter::make_option_opts(option);
  for (const char* type : {"INT", "UINT", "FLOAT"})  // a range names the type once more
    if (const auto at = text.find(std::string(type) + ":" + type + " in"); at != std::string::npos)
      text.erase(at, std::string(type).size() + 1);
  text = CLI::detail::find_and_replace(text, ":NONNEGATIVE", " >= 0");
  text = CLI::detail::find_and_replace(text, ":POSITIVE", " > 0");
  if (const auto at = text.find("TEXT:{"); at != std::string::npos) text.erase(at, 5);    // so does a list
  if (const auto at = text.find(" Excludes:"); at != std::string::npos) text.resize(at);  // descriptions say "instead"
  return text;
}

std::string HelpText::make_option_desc(const CLI::Option* option) const {
  return wrapped(CLI::Formatter::make_option_desc(option), kWidth - get_column_width());
}

}  // namespace oneproxy
