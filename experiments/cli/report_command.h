#pragma once
// `oneproxy report RESULT...`: one page to show to others (docs/report.md).

namespace CLI {
class App;
}

namespace oneproxy {

// The page is made in Python (python/oneproxy_results/report), which the program becomes.
void add_report_command(CLI::App& app);

}  // namespace oneproxy
