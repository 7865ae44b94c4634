#include "experiments/runner.h"

#include <algorithm>
#include <filesystem>

#include "experiments/experiment.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/base/result_folder.h"
#include "oneproxy/engine/report/table.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {
namespace fs = std::filesystem;

const ExperimentKind& find_kind(const std::string& name, const std::string& where) {
  std::vector<std::string> names;
  for (const auto& kind : experiment_kinds()) {
    if (kind.name == name) return kind;
    names.push_back(kind.name);
  }
  throw Error(unknown_name("kind", name, where, names));
}

std::string default_name(const std::string& config_file) {
  // configs/nasbench201/adaproxy.toml is told apart from configs/fbnet/adaproxy.toml by its folder.
  if (config_file.empty()) return "NAME";
  const fs::path path = fs::absolute(config_file);
  const auto folder = path.parent_path().filename().string();
  return (folder.empty() || folder == "configs" ? "" : folder + "_") + path.stem().string();
}

// A configuration, read to the last key, with its data open.
struct Prepared {
  std::string kind, name, backend_name, store_path;
  std::uint64_t seed = 0;
  std::unique_ptr<Experiment> experiment;

  Prepared(Config& config, const std::string& kind_name) {
    kind = kind_name;
    store_path = config.path("store", "", "store of measurements; the one that ships by default");
    seed = static_cast<std::uint64_t>(config.integer("seed", 1, 0, std::int64_t{1} << 62, "of all random draws"));
    backend_name = config.one_of_outside_identity("backend", "auto", {"auto", "cpu", "cuda"}, "where kernels run");
    name = config.text("name", default_name(config.file()), "begins the name of the result folder");
    if (name.empty() || name.find('/') != std::string::npos || name[0] == '.')
      throw Error(config.place("name") + ": name = \"" + name + "\" should be a plain file name");
    experiment = find_kind(kind, config.place("kind")).read(config, seed);
  }
};

std::string read_kind(Config& config) {
  return config.text("kind", std::nullopt, "kind of experiment; `oneproxy list` shows them");
}

Backend resolve_backend(const std::string& name) {
  const Backend backend = name == "cuda" || (name == "auto" && cuda_device_count() > 0) ? Backend::cuda : Backend::cpu;
  require_backend(backend);
  return backend;
}

}  // namespace

std::string run_experiment(const RunOptions& options) {
  Provenance provenance;
  Workspace work;
  Config config = Config::load(options.config, options.overrides);
  Prepared prepared(config, read_kind(config));
  config.finish();
  const Backend backend = resolve_backend(prepared.backend_name);
  const std::string store_path = prepared.store_path.empty() ? shipped_store() : prepared.store_path;

  std::string identity = config.identity();
  std::optional<Store> store;
  {
    Timer timer(work.timings, "reading");
    store.emplace(store_path);
    const auto known = store->spaces();
    for (const auto& space : prepared.experiment->spaces()) {
      if (std::find(known.begin(), known.end(), space) == known.end()) continue;  // prepare() says whether it matters
      const auto sum = store->checksum(space);
      provenance.data["space " + space] = sum;
      identity += "# " + space + " " + sum + "\n";
    }
    prepared.experiment->prepare(*store);
    identity += prepared.experiment->other_data();
  }
  const std::string place = ResultFolder::place(options.out, prepared.kind, prepared.name, identity);
  if (ResultFolder::finished(place) && !options.force) {
    log_info(place + " is finished already (same settings, same data); --force runs it again");
    return place;
  }

  ResultFolder folder(place);
  log_info("oneproxy " + version() + " (" + commit() + "): " + prepared.kind + " of " +
           (options.config.empty() ? "the command line" : options.config) + ", backend " + to_string(backend) +
           (prepared.backend_name == "auto" ? " (auto)" : "") + ", store " + store_path);
  folder.write("config.toml",
               "# resolved from " + fs::path(options.config).filename().string() + "\n" + config.resolved());
  work.backend = backend;
  work.report = "# " + prepared.name + " (" + prepared.kind + ")\n\n";
  work.folder = folder.file("");
  work.checkpoint = place + ".checkpoint";
  work.arrays.emplace(folder.file("arrays.h5"), H5Mode::create);
  work.arrays->set_attribute("/", "kind", prepared.kind);
  {
    Timer timer(work.timings, "run");
    prepared.experiment->run(work);
  }
  work.arrays->close();
  check_interrupt();

  provenance.kind = prepared.kind;
  provenance.config_file = options.config;
  provenance.command = options.command;
  provenance.backend = backend;
  provenance.seed = static_cast<std::int64_t>(prepared.seed);
  provenance.data["store"] = store_path;
  provenance.timings = work.timings;
  folder.write("summary.json", work.summary.json());
  folder.write("report.md", work.report);
  folder.write("provenance.json", provenance.json());
  log_info("\n" + work.report);
  folder.finish();
  std::error_code ignored;
  fs::remove(work.checkpoint, ignored);
  return place;
}

std::string check_experiment(const RunOptions& options) {
  Config config = Config::load(options.config, options.overrides);
  Prepared prepared(config, read_kind(config));
  config.finish();
  resolve_backend(prepared.backend_name);
  const std::string store_path = prepared.store_path.empty() ? shipped_store() : prepared.store_path;
  const Store store(store_path);
  prepared.experiment->prepare(store);
  return options.config + ": a valid " + prepared.kind + " of " + join(prepared.experiment->spaces()) + " with " +
         store_path;
}

std::string describe_kind(const std::string& kind) {
  const auto& found = find_kind(kind, "");
  Config config = Config::defaults();
  read_kind(config);
  Prepared prepared(config, kind);
  std::string text = found.name + ": " + found.description + "\n\n";
  Table table({"key", "type", "default", "meaning"});
  for (const auto& key : config.keys()) table.row({key.name, key.type, key.default_value, key.meaning});
  return text + table.markdown();
}

}  // namespace oneproxy
