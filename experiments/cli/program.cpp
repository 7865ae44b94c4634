#include "experiments/cli/program.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <memory>
#include <new>

#include "experiments/cli/adapt_command.h"
#include "experiments/cli/commands.h"
#include "experiments/cli/demo_options.h"
#include "experiments/cli/fleet_options.h"
#include "experiments/cli/form_options.h"
#include "experiments/cli/help_text.h"
#include "experiments/cli/import_command.h"
#include "experiments/cli/merge_command.h"
#include "experiments/cli/next_options.h"
#include "experiments/cli/report_command.h"
#include "experiments/cli/score_table.h"
#include "experiments/cli/shared_run.h"
#include "experiments/runner.h"
#include "oneproxy/engine/adapt/method_registry.h"
#include "oneproxy/engine/base/arguments.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/provenance.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/search/method.h"
#include "oneproxy/engine/share/mpi_module.h"
#include "oneproxy/engine/space/space_file.h"
#include "oneproxy/engine/train/network.h"
#include "oneproxy/kernels/base/backend.h"
#include "oneproxy/kernels/base/parallel.h"

namespace oneproxy {
namespace {

std::string version_text() {
  return "oneproxy " + version() + " (" + commit() +
         "), CUDA code: " + (cuda_compiled() ? "compiled" : "not compiled") + ", device: " + cuda_device_name() +
         ", training: " + (torch_compiled() ? "compiled" : "not compiled") +
         ", MPI: " + (mpi_compiled() ? "compiled" : "not compiled");
}

template <class Kinds>
std::string names_of(const Kinds& kinds) {
  std::vector<std::string> names;
  for (const auto& kind : kinds) names.push_back(kind.name);
  return join(names);
}

// One line of what is wrong with the command line; the exit status.
int wrong_usage(const std::string& what, const CLI::App* command) {
  const std::string name = command->get_parent() ? "oneproxy " + command->get_name() : "oneproxy";
  std::fprintf(stderr, "oneproxy: error: %s; see %s --help\n", one_line(what).c_str(), name.c_str());
  return 2;
}

// What is wrong: a misspelt option comes before all that is missing because of it.
std::string fault_of(const CLI::ParseError& error, const CLI::App& command) {
  std::vector<std::string> options;
  for (const auto* option : command.get_options())
    for (const auto& name : option->get_lnames()) options.push_back("--" + name);
  const auto words = command.remaining(true);
  for (const auto& word : words)
    if (word.starts_with("-")) return unknown_name("option", word.substr(0, word.find('=')), "", options);
  if (!words.empty()) return "not expected here: " + join(words);
  return command.get_parent() || error.get_name() != "RequiredError" ? error.what() : "no command is given";
}

// Parses and runs one command; `output` is what it has for standard output.
int run_command_line(int argc, char** argv, std::string& output) {
  CLI::App app{
      "Hardware-aware neural architecture search with one proxy device: latency monotonicity, AdaProxy, "
      "Pareto-optimal architectures for a new device."};
  app.formatter(std::make_shared<HelpText>());
  app.require_subcommand(1);
  app.set_version_flag("--version", version_text());
  bool quiet = false;
  int threads = 0;
  app.add_flag("-q,--quiet", quiet, "only warnings and errors on the terminal");
  app.add_option("--threads", threads, "threads of the CPU back end (default: all, or ONEPROXY_THREADS)")
      ->check(CLI::Range(1, 1024));

  RunOptions run;
  for (int i = 0; i < argc; ++i) run.command += (i ? " " : "") + std::string(argv[i]);
  auto add_config = [&](CLI::App* command) {
    command
        ->add_option("config", run.config,
                     "configuration (*.toml), or the name of one that ships: nasbench201/monotonicity")
        ->required();
    command->add_option("--set", run.overrides, "override a key: key=value, a TOML value, or a bare word or path")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
  };
  auto* run_subcommand = app.add_subcommand("run", "run an experiment; prints its result folder as the last line");
  add_config(run_subcommand);
  run_subcommand->add_option("--out", run.out, "folder of results: DIR/<kind>/<name>-<hash>/")->capture_default_str();
  run_subcommand->add_flag("--force", run.force, "run again although the result is there");
  const auto add_shard = [](CLI::App* command, Shard& shard) {
    command
        ->add_option_function<std::string>(
            "--shard", [&shard](const std::string& text) { shard = parse_shard(text); },
            "part i of n of the work, for `oneproxy merge`; what can be shared: docs/scaling.md")
        ->type_name("i/n");
  };
  add_shard(run_subcommand, run.shard);
  run_subcommand->callback([&] {
    run.processes = processes();
    output = said_once(run_experiment(run) + "\n");
  });

  auto* check_command = app.add_subcommand("check", "check a configuration and its data without running it");
  add_config(check_command);
  check_command->callback([&] { output = check_experiment(run) + "\n"; });

  TrainOptions train;
  auto* train_command = app.add_subcommand("train", "train a predictor of a device's latency or of a metric");
  train_command->add_option("config", run.config, "configuration of kind train_predictor (default: that of --space)");
  train_command->add_option("--space", train.space, "search space: one that ships, or a file (*.toml)");
  train_command->add_option("--target", train.target, "what to predict: device:NAME or metric:NAME");
  train_command->add_option("--out", train.out, "file for the predictor, for example predictor.h5");
  train_command->add_option("--results", run.out, "folder of results")->capture_default_str();
  train_command->add_option("--set", run.overrides, "override a key: key=value")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  train_command->add_flag("--force", run.force, "train again although the result is there, and replace --out");
  train_command->callback([&] {
    train.run = run;
    output = train_predictor(train);
  });

  std::string kind;
  auto* list_command = app.add_subcommand("list", "kinds of experiment and configurations; the keys of one kind");
  list_command->add_option("kind", kind, "a kind, to see the keys of its configuration");
  bool smoke = false;
  list_command->add_flag("--smoke", smoke, "also the smoke configurations, which try a kind in seconds");
  list_command->callback([&] { output = kind.empty() ? list_everything(smoke) : describe_kind(kind); });

  std::string store;
  auto* info_command =
      app.add_subcommand("info", "what is in a store (the one that ships by default), a predictor's or a space's file");
  info_command->add_option("store", store, "store, file of a predictor (*.h5) or of a search space (*.toml)");
  info_command->callback([&] {
    output = names_space_file(store) ? describe_space(store) : describe_store(store.empty() ? shipped_store() : store);
  });

  add_import_command(app, output);
  add_merge_command(app, run.command, output);

  ScoreOptions score;
  auto* score_command =
      app.add_subcommand("score", "values of predictors for a file of architectures, or for a range of a space");
  score_command->add_option("--space", score.space, "search space: one that ships, or a file (*.toml)")->required();
  score_command
      ->add_option("--predictor", score.predictors,
                   "NAME (of the store), FILE.h5, table:NAME, table:FILE.h5, proxy:DEVICE or model:macs; as often as "
                   "wanted: one column "
                   "each")
      ->required()
      ->allow_extra_args(false);
  auto* archs = score_command->add_option("--archs", score.archs, "CSV with a column arch; without it: by index");
  score_command->add_option("--out", score.out, "file to write, by its ending: " + join(score_formats(), ", "))
      ->required();
  score_command->add_flag("--force", score.force, "replace --out where it is there");
  auto* top = score_command->add_option("--top", score.top, "only so many best by the first --predictor, best first")
                  ->check(CLI::Range(1, 10000000));
  score_command->add_option("--direction", score.direction, "of --top: min or max, which way that predictor is better")
      ->check(CLI::IsMember({"min", "max"}))
      ->needs(top);
  score_command->add_option("--begin", score.begin, "first index, or place in the random order; 1e6 is a million")
      ->excludes(archs);
  score_command->add_option("--count", score.count, "so many architectures (default: to the end)")->excludes(archs);
  score_command->add_flag("--shuffled", score.shuffled, "distinct random architectures, by --seed")->excludes(archs);
  score_command->add_option("--seed", score.seed, "of the random order")->capture_default_str();
  score_command->add_option("--store", score.store, "store of predictors and tables (default: the one that ships)");
  score_command->add_option("--backend", score.backend, "auto, cpu or cuda")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  score_command->add_option("--precision", score.precision, "fp64, fp32, tf32 or bf16")->capture_default_str();
  add_shard(score_command, score.shard);
  score_command->callback([&] { output = score_architectures(score); });

  SearchOptions search;
  auto* search_command =
      app.add_subcommand("search", "best architectures of a space under latency limits; prints the result folder");
  search_command->add_option("--space", search.space, "search space: one that ships, or a file (*.toml)")->required();
  search_command->add_option("--latency", search.latency,
                             "what is minimised, for example proxy:pixel3, table:note10 or table:FILE.h5");
  search_command->add_option(
      "--quality", search.quality,
      "what is maximised, for example predictor:NAME (default: model:accuracy, where the space has it)");
  search_command
      ->add_option("--objective", search.objectives,
                   "a further objective, or all of them, the goal first: \"min table:energy <= 40\", \"max "
                   "metric:cifar10\"; as often as wanted")
      ->allow_extra_args(false);
  search_command->add_option("--limits", search.limits,
                             "latency limits, for example 20,30,40 or 20ms,0.03s (default: quantiles)");
  search_command->add_option("--method", search.method, "how: " + names_of(search_methods()))->capture_default_str();
  search_command->add_option("--best", search.best, "so many best architectures for each of the limits")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  search_command->add_option("--seconds", search.seconds,
                             "time for all limits, of methods that end by a budget (default: by their own settings)");
  search_command->add_option("--evaluations", search.evaluations,
                             "likewise so many distinct architectures, the same result on any machine");
  search_command->add_option("--confidence", search.confidence,
                             "limits on an adapted table hold with this probability, for example 0.9");
  search_command->add_option("--optimizer", search.optimizer,
                             "file of a trained optimizer, whose proposals methods from_starts and auto begin from");
  search_command->add_option("--fix", search.fix, "DECISION=CHOICE|CHOICE, as often as wanted")
      ->allow_extra_args(false);
  search_command->add_option("--store", search.store, "store (default: the one that ships)");
  search_command
      ->add_option("--set", search.run.overrides, "any other key of kind search: `oneproxy list search` shows them")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  search_command->add_option("--out", search.run.out, "folder of results")->capture_default_str();
  search_command->add_flag("--force", search.run.force, "run again although the result is there");
  add_shard(search_command, search.run.shard);
  search_command->callback([&] {
    search.run.command = run.command;
    search.run.processes = processes();
    output = said_once(search_space(search) + "\n");
  });

  PruneOptions prune;
  auto* prune_command = app.add_subcommand(
      "prune-space", "the part of a space that is worth searching on one device, and what searching only it costs");
  prune_command->add_option("--space", prune.space, "search space: one that ships, or a file (*.toml)")->required();
  prune_command
      ->add_option("--latency", prune.latency, "what is minimised, for example proxy:pixel3, table:note10 or FILE.h5")
      ->required();
  prune_command->add_option("--quality", prune.quality, "what is maximised, for example predictor:NAME or model:macs")
      ->required();
  prune_command->add_option("--keep", prune.keep, "so many choices of each decision")
      ->required()
      ->check(CLI::Range(2, 254));
  prune_command->add_option("--out", prune.out, "file of the part (*.toml), for --space; overwritten only with --force")
      ->required();
  prune_command->add_flag("--force", prune.force, "replace --out where it is there");
  prune_command
      ->add_option("--value", prune.value,
                   "of a choice: gain (quality that it adds for each ms to the others) or ratio (quality over latency)")
      ->capture_default_str()
      ->check(CLI::IsMember({"gain", "ratio"}));
  prune_command
      ->add_option(
          "--limits", prune.limits,
          "latency limits under which whole and part are compared, for example 20,30,40 or 20ms,0.03s (default: "
          "quantiles)")
      ->delimiter(',');
  prune_command
      ->add_option("--contexts", prune.contexts, "random architectures in which the choices of a decision are compared")
      ->capture_default_str()
      ->check(CLI::Range(1, 100000));
  prune_command
      ->add_option("--evaluations", prune.evaluations,
                   "of the whole and of the part each, where the truth can not be had")
      ->capture_default_str()
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 40));
  prune_command->add_option("--geometry", prune.geometry, "data set whose shapes count (default: the space's first)");
  prune_command->add_option("--set", prune.set,
                            "set of the measurements behind device:, metric: and proxy: (default: the space's)");
  prune_command->add_option("--store", prune.store, "store (default: the one that ships)");
  prune_command->add_option("--seed", prune.seed, "of all random draws")->capture_default_str();
  prune_command->callback([&] { output = prune_space(prune); });

  PlanOptions plan;
  auto* plan_command =
      app.add_subcommand("plan", "which architectures to measure on a new device, as a CSV to fill in");
  plan_command->add_option("--space", plan.space, "search space: one that ships, or a file (*.toml)")->required();
  plan_command->add_option("--k", plan.k, "how many")->capture_default_str()->check(CLI::Range(1, 5000));
  plan_command->add_option("--selection", plan.selection, "random, kmeans, d_optimal or a_optimal")
      ->capture_default_str();
  plan_command->add_option("--measured", plan.measured,
                           "CSV files with a column arch: these are not proposed again, and count as measured with or "
                           "without a latency");
  plan_command
      ->add_option("--reference", plan.reference,
                   "the first comes again after so many, to see the device drift; 0: never")
      ->capture_default_str()
      ->check(CLI::Range(0, 5000));
  plan_command->add_option("--out", plan.out, "CSV to write; overwritten only with --force")->capture_default_str();
  plan_command->add_flag("--force", plan.force, "replace --out where it is there");
  AdaptOptions adapt;
  auto* adapt_command =
      app.add_subcommand("adapt", "predictor of latency, or of a metric, from a few measurements, and how sure it is");
  adapt_command->add_option("--space", adapt.space, "search space: one that ships, or a file (*.toml)")->required();
  adapt_command->add_option("--measurements", adapt.measurements,
                            "CSV files with architectures and latencies (of a --metric its column), read as one; "
                            "docs/measurements.md says what is recognised");
  adapt_command->add_option("--data-sheet", adapt.data_sheet,
                            "TOML file with the device's data sheet: kept with its predictor, and a prior for "
                            "--method data_sheet and bayes with use_data_sheet=true");
  adapt_command->add_option("--source-sheets", adapt.source_sheets,
                            "TOML file with the data sheets of the sources (default: those of the set that ship)");
  adapt_command->add_option("--device", adapt.device,
                            "name of the device: which one of a file of several; no source, if the store has it");
  adapt_command->add_option("--unit", adapt.unit,
                            "of the values in the file: of latencies ms, s, us or ns (default: as the file says, else "
                            "ms); of a --metric for example mJ, images/s, %");
  adapt_command->add_option("--direction", adapt.direction, "of a --metric: min or max, which way is better");
  adapt_command->add_flag("--drift", adapt.drift, "divide out what the plan's --reference shows of the device's drift");
  adapt_command->add_option("--method", adapt.method, join(adaptation_method_names()))
      ->capture_default_str()
      ->check(CLI::IsMember(adaptation_method_names()));
  adapt_command
      ->add_option("--option", adapt.method_keys,
                   "a key of the method's own, as often as wanted: `oneproxy list few_shot` shows them")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  std::string prior;
  adapt_command->add_option("--prior", prior, "bayes: learnt (from the sources; the default), stated or flat")
      ->check(CLI::IsMember({"learnt", "stated", "flat"}));
  bool split_sources = false;
  adapt_command->add_flag("--split-sources", split_sources, "bayes: mean of the sources apart from their deviations");
  adapt_command->add_option("--threshold", adapt.threshold, "SRCC that is good enough")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  adapt_command->add_option("--confidence", adapt.confidence, "probability of it at which to stop")
      ->capture_default_str()
      ->check(CLI::Range(0.5, 0.99));
  adapt_command->add_option("--out", adapt.out,
                            "file for the device (*.h5): its predictor, to search with table:FILE, what was "
                            "measured, and its data sheet");
  adapt_command->add_flag("--force", adapt.force, "replace --out and --predictions where they are there");
  adapt_command->add_option("--into", adapt.into,
                            "store to add the predictor to; begins as a copy of the one that ships");
  adapt_command->add_option("--name", adapt.name, "its name there, to search with table:NAME");
  adapt_command->add_option("--predictions", adapt.predictions,
                            "CSV for predicted latencies with error bars, of the measured or of --archs");
  adapt_command->add_option("--archs", adapt.archs, "CSV with a column arch: what to predict");
  adapt_command->add_option("--results", adapt.results,
                            "folder of results: DIR/adapt/<device>-<hash>/, of which `oneproxy report` makes a page");
  auto add_sources = [&](CLI::App* command, auto& options) {
    command->add_option("--geometry", options.geometry, "data set whose shapes count (default: the space's first)");
    command->add_option("--metric", options.metric,
                        "what is measured instead of latency, for example energy: a column of the file");
    command
        ->add_option("--sources", options.sources,
                     "source devices, or metrics as metric:NAME; \"all\" devices of the set, or \"none\"")
        ->delimiter(',');
    command->add_option("--set", options.set, "set of the sources' measurements (default: the space's)");
    command->add_option("--store", options.store, "store of the sources (default: the one that ships)");
    command->add_option("--seed", options.seed, "of all random draws")->capture_default_str();
  };
  add_form_options(*plan_command, plan.form);
  add_form_options(*adapt_command, adapt.form);
  add_sources(plan_command, plan);
  add_sources(adapt_command, adapt);
  plan_command->callback([&] { output = plan_measurements(plan); });
  adapt_command->callback([&] {
    if (!prior.empty()) adapt.method_keys.push_back("prior=" + prior);
    if (split_sources) adapt.method_keys.push_back("split_sources=true");
    adapt.command = run.command;
    output = adapt_to_measurements(adapt);
  });

  add_next_command(app, output);
  add_demo_commands(app, output, argv[0], [&](const std::vector<std::string>& words) {
    std::vector<std::string> line = {argv[0]};
    if (quiet) line.push_back("--quiet");
    line.insert(line.end(), words.begin(), words.end());
    std::vector<char*> arguments;
    for (auto& word : line) arguments.push_back(word.data());
    std::string said;
    ONEPROXY_ASSERT(run_command_line(static_cast<int>(arguments.size()), arguments.data(), said) == 0);
    return said;
  });
  add_fleet_command(app, run.command, output);

  MakeOptimizerOptions make;
  auto* make_command = app.add_subcommand(
      "train-optimizer", "a network that answers a latency limit of any device with an architecture (needs LibTorch)");
  make_command->add_option("--space", make.space, "search space: one that ships, or a file (*.toml)")->required();
  make_command
      ->add_option("--quality", make.qualities,
                   "what is maximised, for example metric:natsbench:cifar10 or model:macs; as often as wanted: it "
                   "learns all of them")
      ->required()
      ->allow_extra_args(false);
  make_command->add_option("--sources", make.sources, "devices to make training devices from; \"all\" of the set");
  make_command->add_flag("--energy", make.energy, "preferences weigh an energy beside the latency");
  make_command
      ->add_option("--option", make.keys,
                   "how it is trained, as often as wanted: devices, limits, preferences, steps, ... (`oneproxy list "
                   "neural_optimizer` explains them)")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  make_command->add_option("--out", make.out, "file for the optimizer (*.h5)")->required();
  make_command->add_flag("--force", make.force, "replace --out where it is there");
  make_command->add_option("--set", make.set, "set of the sources' measurements (default: the space's)");
  make_command->add_option("--store", make.store, "store (default: the one that ships)");
  make_command->add_option("--seed", make.seed, "of all random draws")->capture_default_str();
  make_command->callback([&] { output = make_optimizer(make); });

  AskOptimizerOptions ask;
  auto* ask_command = app.add_subcommand("optimize",
                                         "architectures for many devices under limits: by a trained optimizer in "
                                         "milliseconds, or exactly");
  ask_command->add_option("--optimizer", ask.optimizer,
                          "its file, as train-optimizer writes it; without one answers are exact, of one --quality");
  ask_command
      ->add_option("--device", ask.devices,
                   "predictor of a device: FILE.h5 as adapt writes it, table:NAME, proxy:DEVICE; several at once")
      ->required();
  ask_command->add_option("--limit", ask.limits, "latency limits, for example 20,30,40 or 20ms,0.03s")->delimiter(',');
  ask_command
      ->add_option("--preference", ask.preference,
                   "instead: weights of quality, latency (and energy), for example 0.7,0.3")
      ->delimiter(',');
  ask_command->add_option("--quality", ask.quality, "one that the optimizer was trained for (default: its first)");
  ask_command->add_option("--energy", ask.energies, "predictor of each device's energy, in order");
  ask_command
      ->add_option("--proposals", ask.proposals,
                   "so many are checked by the predictors, the best that keeps the limit is taken; 1: one pass")
      ->capture_default_str()
      ->check(CLI::Range(1, 100000));
  ask_command->add_option("--sources", ask.sources,
                          "refuse an optimizer that was made from other source devices than these, as they are in the "
                          "store now");
  ask_command->add_option("--out", ask.out, "CSV for the answers");
  ask_command->add_flag("--force", ask.force, "replace --out where it is there");
  ask_command->add_option("--space", ask.space, "search space (default: the optimizer's)");
  ask_command->add_option("--set", ask.set, "set of measurements behind the qualities (default: the space's)");
  ask_command->add_option("--store", ask.store, "store (default: the one that ships)");
  ask_command->add_option("--seed", ask.seed, "of the proposals")->capture_default_str();
  ask_command->callback([&] { output = ask_optimizer(ask); });

  std::string result, to;
  bool csv = false;
  auto* export_command = app.add_subcommand("export", "write fronts, predictions and matrices of a result as CSV");
  export_command->add_option("result", result, "result folder")->required();
  export_command->add_flag("--csv", csv, "as CSV (the only form there is)");
  export_command->add_option("--to", to, "folder for the files (default: RESULT/csv)");
  bool force = false;
  export_command->add_flag("--force", force, "replace files that are there with another content");
  export_command->callback([&] { output = export_csv(result, to, force); });

  add_report_command(app);

  std::string space, geometry, arch, index, official;
  auto* arch_command = app.add_subcommand("arch", "one architecture in all its forms, with its cost");
  arch_command->add_option("--space", space, "search space: one that ships, or a file (*.toml)")->required();
  arch_command->add_option("--geometry", geometry, "data set whose shapes count (default: the space's first)");
  arch_command->add_option("--store", store, "store with the official index (default: the one that ships)");
  auto* forms = arch_command->add_option_group("form", "exactly one of");
  auto* by_arch = forms->add_option("arch", arch, "the space's own string, or choices as numbers");
  auto* by_index = forms->add_option("--index", index, "index: mixed radix, first decision most significant");
  forms->add_option("--official", official, "the published numbering of the space");
  forms->require_option(1);
  arch_command->callback([&] {
    const std::string form = *by_arch ? "arch" : *by_index ? "index" : "official";
    output = describe_architecture(space, geometry, form,
                                   *by_arch    ? arch
                                   : *by_index ? index
                                               : official,
                                   store.empty() ? shipped_store() : store);
  });

  refuse_copies(app);
  // The options before the command take effect before the command runs.
  app.parse_complete_callback([&] {
    set_quiet(quiet);
    if (threads > 0) set_thread_count(threads);
  });
  app.add_subcommand("help", "what a command does, and its options: oneproxy help search");
  std::vector<char*> line(argv, argv + argc);
  std::string help = "--help";
  if (argc > 1 && std::string_view(argv[1]) == "help") {  // as the command with --help
    line.erase(line.begin() + 1);
    line.push_back(help.data());
  }
  const int n_words = static_cast<int>(line.size());
  // Named before the parser gives up with "a subcommand is required".
  if (line.size() > 1 && line[1][0] != '-') {
    std::vector<std::string> commands;
    for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; }))
      commands.push_back(command->get_name());
    if (std::find(commands.begin(), commands.end(), line[1]) == commands.end())
      return wrong_usage(unknown_name("command", line[1], "", commands), &app);
  }
  try {
    app.parse(n_words, line.data());
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    const CLI::App* asked = &app;
    if (const auto chosen = app.get_subcommands(); !chosen.empty()) asked = chosen.front();
    return wrong_usage(fault_of(error, *asked), asked);
  }
  return 0;
}

int run_and_print(int argc, char** argv) {
  std::string output;
  if (const int status = run_command_line(argc, argv, output); status != 0) return status;
  std::cout << output << std::flush;
  if (std::cout) return 0;
  if (errno == EPIPE) return 128 + SIGPIPE;  // `| head` has read enough
  throw Error("standard output can not be written; is the disk full?");
}

int failed(const std::string& why, int status) {
  std::fprintf(stderr, "oneproxy: %s%s\n", rank_prefix().c_str(), why.c_str());
  end_other_ranks(status);
  return status;
}

}  // namespace

int run_program(int argc, char** argv) {
  install_interrupt_handler();
  try {
    check_arguments(argc, argv);
    return run_and_print(argc, argv);
  } catch (const Interrupted& error) {
    return failed(error.what(), interrupt_status());
  } catch (const std::bad_alloc&) {
    return failed("error: out of memory; work on less at a time, or raise the limit (ulimit -v)", 1);
  } catch (const std::exception& error) {
    return failed("error: " + one_line(error.what()), 1);
  }
}

}  // namespace oneproxy
