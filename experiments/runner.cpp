#include "experiments/runner.h"

#include <algorithm>
#include <filesystem>

#include "experiments/experiment.h"
#include "experiments/shipped_config.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/base/result_folder.h"
#include "oneproxy/engine/report/table.h"
#include "oneproxy/engine/space/space_file.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {
namespace fs = std::filesystem;

const ExperimentKind& find_kind(const std::string& name, const std::string& where) {
  std::vector<std::string> names;
  for (const auto& kind : experiment_kinds()) {
    if (kind.name == name) return kind;
    if (!name.empty() && kind.former_name == name) {
      log_warning(where + (where.empty() ? "" : ": ") + "kind \"" + name + "\" is now called \"" + kind.name +
                  "\"; the old name goes with the next version");
      return kind;
    }
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

// What every configuration of an experiment holds, and the experiment that it describes.
struct ExperimentConfig {
  const ExperimentKind& kind;
  std::string store_path, backend, name;
  std::uint64_t seed = 0;
  std::unique_ptr<Experiment> experiment;

  ExperimentConfig(Config& config, const ExperimentKind& of) : kind(of) {
    store_path = config.path("store", "", "store of measurements; the one that ships by default");
    seed = static_cast<std::uint64_t>(config.integer("seed", 1, 0, std::int64_t{1} << 62, "of all random draws"));
    backend = config.one_of_outside_identity("backend", "auto", {"auto", "cpu", "cuda"}, "where kernels run");
    name = config.text("name", default_name(config.file()), "begins the name of the result folder");
    if (name.empty() || name.find('/') != std::string::npos || name[0] == '.')
      throw Error(config.location("name") + ": name = \"" + name + "\" should be a plain file name");
    experiment = kind.read(config, seed);
  }
};

std::string read_kind(Config& config) {
  return config.text("kind", std::nullopt, "kind of experiment; `oneproxy list` shows them");
}

ExperimentConfig read_config(Config& config) {
  const std::string kind = read_kind(config);
  ExperimentConfig read(config, find_kind(kind, config.location("kind")));
  config.finish();
  if (read.store_path.empty()) read.store_path = shipped_store();
  return read;
}

// The back end that the work will run on. Error for one that the kind has no code for, or this machine no device.
Backend resolve_backend(const Config& config, const ExperimentConfig& read) {
  const auto& usable = read.kind.backends;
  const bool has_cuda = std::find(usable.begin(), usable.end(), Backend::cuda) != usable.end();
  if (read.backend == "cuda" && !has_cuda)
    throw Error(config.location("backend") + ": backend = \"cuda\", and kind " + read.kind.name +
                " runs on the CPU only; set backend = \"cpu\", or leave it \"auto\"");
  const bool cuda = read.backend == "cuda" || (read.backend == "auto" && has_cuda && cuda_device_count() > 0);
  const Backend backend = cuda ? Backend::cuda : Backend::cpu;
  require_backend(backend);
  return backend;
}

// What people call the devices, by their keys, as attributes of the group /names: pictures and readers show them.
void name_devices(LabelledArrays& arrays, const Store& store, const std::vector<std::string>& spaces) {
  const auto known = store.spaces();
  for (const auto& space : spaces) {
    if (std::find(known.begin(), known.end(), space) == known.end()) continue;
    for (const auto& set : store.sets(space))
      for (const auto& device : store.devices(space, set))
        if (const auto name = store.long_name(space, set, device); !name.empty())
          arrays.set_attribute("/names", device, name);
  }
}

}  // namespace

std::string run_experiment(const RunOptions& options) {
  Provenance provenance;
  Workspace work;
  const std::string file = config_file(options.config);
  Config config = Config::load(file, options.overrides);
  const ExperimentConfig read = read_config(config);
  const Backend backend = resolve_backend(config, read);

  std::string identity = config.identity();
  std::optional<Store> store;
  {
    Timer timer(work.timings, "reading");
    store.emplace(read.store_path);
    const auto known = store->spaces();
    for (const auto& used : config.files()) provenance.data[used.key + " " + used.path] = used.sha256;
    for (const auto& space : read.experiment->spaces()) {
      if (std::find(known.begin(), known.end(), space) == known.end()) continue;  // prepare() says whether it matters
      const auto sum = store->checksum(space);
      provenance.data["space " + space] = sum;
      identity += "# " + space + " " + sum + "\n";
    }
    read.experiment->prepare(*store);
    identity += read.experiment->other_data();
  }
  const std::string result = ResultFolder::path_of(options.out, read.kind.name, read.name, identity);
  const std::string checkpoint = result + ".checkpoint";
  const auto is_there = [&] {
    if (!ResultFolder::finished(result) || options.force) return false;
    log_info(result + " is finished already (same settings, same data); --force runs it again");
    ResultFolder::remove_leftovers(result, checkpoint);
    return true;
  };
  if (is_there()) return result;
  ResultFolder folder(result);
  if (is_there()) return result;  // by another program, meanwhile
  log_info("oneproxy " + version() + " (" + commit() + "): " + read.kind.name + " of " +
           (file.empty() ? "the command line" : file) + ", backend " + to_string(backend) +
           (read.backend == "auto" ? " (auto)" : "") + ", store " + read.store_path);
  folder.write("config.toml", "# resolved from " + fs::path(file).filename().string() + "\n" + config.resolved());
  for (const auto& used : config.files()) {  // so that the result can be read when the file has changed or gone
    if (used.key != "space") {
      fs::copy_file(used.path, folder.file(used.key + fs::path(used.path).extension().string()),
                    fs::copy_options::overwrite_existing);
      continue;
    }
    const SearchSpace space = SearchSpace::load_file(used.path);
    const auto copy = [&](const std::string& from, const std::string& name) {
      const std::string to = folder.file("spaces/" + name);
      fs::create_directories(fs::path(to).parent_path());
      fs::copy_file(from, to, fs::copy_options::overwrite_existing);
    };
    if (names_space_file(space.whole())) copy(space.whole(), space.name() + ".toml");
    if (space.is_listed()) copy(space.list().file, fs::path(space.list().file).filename().string());
    if (!space.kept().empty()) copy(used.path, fs::path(used.path).stem().string() + ".part.toml");
  }
  work.backend = backend;
  work.report = "# " + read.name + " (" + read.kind.name + ")\n\n";
  work.folder = folder.file("");
  work.checkpoint = checkpoint;
  work.arrays.emplace(folder.file("arrays.h5"));
  work.arrays->set_attribute("/", "kind", read.kind.name);
  {
    Timer timer(work.timings, "run");
    try {
      read.experiment->run(work);
      name_devices(*work.arrays, *store, read.experiment->spaces());
      work.arrays->close();
      check_interrupt();
    } catch (const Interrupted& interrupted) {
      // A stage that is done has left its checkpoint, whatever was interrupted after it.
      if (interrupted.keeps_state() || !file_exists(checkpoint)) throw;
      throw Interrupted("interrupted: " + checkpoint + " keeps what was done; the same command goes on from there");
    }
  }

  provenance.kind = read.kind.name;
  provenance.config_file = file;
  provenance.command = options.command;
  provenance.backend = backend;
  provenance.seed = static_cast<std::int64_t>(read.seed);
  provenance.data["store"] = read.store_path;
  provenance.timings = work.timings;
  folder.write("summary.json", work.summary.json());
  folder.write("report.md", work.report);
  folder.write("provenance.json", provenance.json());
  log_info("\n" + work.report);
  folder.finish();
  std::error_code ignored;
  fs::remove(checkpoint, ignored);
  return result;
}

std::string check_experiment(const RunOptions& options) {
  Config config = Config::load(config_file(options.config), options.overrides);
  const ExperimentConfig read = read_config(config);
  resolve_backend(config, read);
  const Store store(read.store_path);
  read.experiment->prepare(store);
  return options.config + ": a valid " + read.kind.name + " of " + join(read.experiment->spaces()) + " with " +
         read.store_path;
}

std::string describe_kind(const std::string& kind) {
  const auto& found = find_kind(kind, "");
  Config config = Config::defaults();
  read_kind(config);
  const ExperimentConfig read(config, found);
  std::string text = found.name + ": " + found.description + "\n\n";
  Table table({"key", "type", "default", "meaning"});
  for (const auto& key : config.keys()) table.row({key.name, key.type, key.default_value, key.meaning});
  return text + table.markdown();
}

}  // namespace oneproxy
