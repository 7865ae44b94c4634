#include "experiments/cli/demo.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <variant>

#include "experiments/cli/demo_phone.h"
#include "oneproxy/engine/base/attribute_reader.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/data/csv.h"
#include "oneproxy/engine/device/measurement_csv.h"
#include "oneproxy/engine/device/measurements.h"
#include "oneproxy/engine/predictor/library.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/rank/rank.h"

namespace oneproxy {
namespace {
namespace fs = std::filesystem;

constexpr const char* kSpace = "nasbench201";
constexpr const char* kQuality = "metric:natsbench:cifar10";
constexpr const char* kLimits = "5,10";  // ms
constexpr int kPlanned = 20;             // networks to measure

void say(const std::string& text) { std::cout << text << std::flush; }

// A network that the search answered with, and what came of it.
struct Winner {
  double limit = 0, predicted_ms = 0, deviation_ms = 0, accuracy = 0;
  std::vector<std::uint8_t> choices;
  double measured_ms = 0, true_ms = 0, best_accuracy = 0;  // the last: of all networks that truly keep the limit
  bool kept() const { return true_ms <= limit; }
};

double number_in(const CsvTable& table, std::size_t row, const std::string& column) {
  return number_of(table.rows[row].at(table.column(column)));
}

std::vector<Winner> winners_of(const std::string& best, const std::string& measured, const SearchSpace& space,
                               const DemoPhone& phone) {
  const auto measurements = read_measurements(space, {measured}, MeasurementForm{});
  const int decisions = space.n_decisions();
  const auto table = read_csv(best);
  std::vector<Winner> winners;
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    Winner winner{number_in(table, row, "limit"), number_in(table, row, "latency_ms"),
                  number_in(table, row, "latency_ms_deviation"), number_in(table, row, "quality"),
                  space.parse(table.rows[row].at(table.column("arch")))};
    for (std::int64_t i = 0; i < measurements.n(); ++i)
      if (std::equal(winner.choices.begin(), winner.choices.end(), measurements.choices.begin() + i * decisions))
        winner.measured_ms = measurements.latency_ms[i];
    winner.true_ms = phone.latency_ms(winner.choices);
    winners.push_back(std::move(winner));
  }
  return winners;
}

// What is said of each, in one sentence.
template <class Part>
std::string each(const std::vector<Winner>& winners, Part part) {
  std::vector<std::string> parts;
  for (const auto& winner : winners) parts.push_back(part(winner));
  return join(parts, "; ");
}

// What was predicted beside what is true, in three sentences.
std::string truth(const std::string& table_file, const std::string& best, const std::string& measured) {
  const auto space = SearchSpace::load(kSpace);
  const DemoPhone phone(space);
  const Store store(shipped_store());
  const Measurements measurements(store, space, space.measured_set());
  const auto accuracy = measurements.metric(kQuality).values;
  const auto table = std::get<IndexTable>(find_table(table_file, "", space));
  std::vector<double> predicted(measurements.n()), real(measurements.n());
  table.predict(measurements.rows().choices, predicted);
  for (std::int64_t i = 0; i < measurements.n(); ++i) real[i] = phone.latency_ms(measurements.rows().row(i));

  auto winners = winners_of(best, measured, space, phone);
  double price = 0;
  for (auto& winner : winners) {
    for (std::size_t i = 0; i < real.size(); ++i)
      if (real[i] <= winner.limit) winner.best_accuracy = std::max(winner.best_accuracy, accuracy[i]);
    if (winner.kept()) price = std::max(price, winner.best_accuracy - winner.accuracy);
  }
  AttributeReader record(table.record, table_file, "");
  const std::string ranked = "The predictor expected to rank the phone's networks with an SRCC of " +
                             fixed(record.number("expected_srcc")) + "; over all " + std::to_string(real.size()) +
                             " of them it is " + fixed(spearman(predicted, real, Backend::cpu).value) + ".\n";
  const auto latency = [](const Winner& winner) {
    return "the one for " + plain(winner.limit) + " ms was predicted to take " + fixed(winner.predicted_ms, 2) +
           " +- " + fixed(winner.deviation_ms, 2) + " ms, was measured with " + fixed(winner.measured_ms, 2) +
           " ms, truly takes " + fixed(winner.true_ms, 2) + " ms and " + (winner.kept() ? "keeps" : "breaks") +
           " its limit";
  };
  const auto quality = [](const Winner& winner) {
    return fixed(winner.accuracy, 2) + " % within " + plain(winner.limit) +
           " ms, where the best that truly keeps it has " + fixed(winner.best_accuracy, 2) + " %";
  };
  return "1. " + ranked + "2. Of the networks, " + each(winners, latency) +
         ".\n3. Their test accuracies on CIFAR-10 are " + each(winners, quality) + ": " + fixed(price, 2) +
         " points at most are the price of measuring " + std::to_string(kPlanned) + " networks and not all.\n";
}

// A command that becomes Python (python_command.h) in a process of its own, so that the demo goes on behind it. Whether
// it succeeded; if not, it has said why.
bool run_apart(const CommandRunner& run, const std::vector<std::string>& words) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      run(words);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "oneproxy: error: %s\n", error.what());
    }
    std::fflush(nullptr);
    ::_exit(1);
  }
  int status = 1;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  check_interrupt();
  return status == 0;
}

void run_steps(const DemoOptions& options, const CommandRunner& run) {
  const auto file = [&](const std::string& name) { return (fs::path(options.out) / name).string(); };
  const std::string seed = std::to_string(options.seed);
  int number = 0;
  const auto show = [&](const std::string& why, const std::vector<std::string>& words) {
    say("\n" + std::to_string(++number) + ". " + why + "\n\n    $ " + shell_word(options.program));
    for (const auto& word : words) say(" " + shell_word(word));
    say("\n\n");
  };
  const auto step = [&](const std::string& why, const std::vector<std::string>& words) {
    show(why, words);
    const std::string output = run(words);
    say(output);
    return output;
  };

  say("A phone is new here: nobody has measured a network on it. Which networks of NAS-Bench-201 (15,625 cells, their\n"
      "accuracies are published) are the best within 5 ms and within 10 ms? The phone is simulated, so that the truth "
      "is\n"
      "known; the commands are those that you would type. Files: " +
      options.out + "\n");
  const std::string plan = file("plan.csv"), measured = file("measured.csv"), phone = file("phone.h5");
  step("Which networks teach most about a phone of which nothing is known?",
       {"plan", "--space", kSpace, "--k", std::to_string(kPlanned), "--out", plan});
  step("Measure them. For a phone of yours this is a script that runs each network there and fills in latency_ms.",
       {"demo-phone", "--space", kSpace, "--seed", seed, plan, measured});
  step("A latency predictor from 20 noisy measurements, and how far to trust it.",
       {"adapt", "--space", kSpace, "--measurements", measured, "--out", phone});
  auto result = step("The most accurate network within each limit that keeps it with a probability of 0.9.",
                     {"search", "--space", kSpace, "--latency", "table:" + phone, "--quality", kQuality, "--limits",
                      kLimits, "--confidence", "0.9", "--method", "exhaustive", "--out", file("results")});
  result.erase(result.find_last_not_of('\n') + 1);
  result.erase(0, result.rfind('\n') + 1);
  step("The answers as a table for other programs.", {"export", result, "--csv", "--to", file("csv")});
  const std::string best = file("csv/best.csv"), winners = file("winners.csv");
  step("Measure the winners, five times each: a prediction is no measurement.",
       {"demo-phone", "--space", kSpace, "--seed", seed, "--repeats", "5", best, winners});
  const std::vector<std::string> page = {"report", result, "--html", file("report.html")};
  show("A page to show to others; open it in a browser.", page);
  if (!run_apart(run, page))
    say("No page: it needs Python with packages that are not there, see above. With them the same command makes it.\n");
  const std::string program = shell_word(options.program);
  say("\nWhat was true\n\n" + truth(phone, best, winners) +
      "\nReal phones are harder than this formula: over the real devices of the store the mean SRCC after 20 "
      "measurements\n"
      "is .978 (docs/few_shot.md).\n"
      "\nNext: measure where the answer is, round after round, by a command of your own (docs/front_loop.md):\n"
      "\n    $ " +
      program + " next --space " + kSpace + " --quality " + kQuality + " --limits " + kLimits +
      " \\\n        --measurements " + shell_word(file("loop.csv")) + " --measure-with " +
      shell_word(program + " demo-phone --space " + kSpace) + " --budget 40\n");
}

}  // namespace

void run_demo(const DemoOptions& options, const CommandRunner& run) {
  if (fs::exists(options.out))
    throw Error(options.out +
                ": is there already, and is not overwritten; remove it or name another folder with --out");
  std::error_code error;
  fs::create_directories(options.out, error);
  if (error) throw Error(options.out + ": can not be made (" + error.message() + "); name another with --out");
  try {
    run_steps(options, run);
  } catch (const Interrupted&) {
    throw Interrupted("interrupted; what was made by then is in " + options.out + ": remove it before you begin again");
  }
}

}  // namespace oneproxy
