#include "experiments/runner.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "experiments/experiment.h"
#include "experiments/shipped_config.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/base/result_folder.h"
#include "oneproxy/engine/base/scratch_folder.h"
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

// All ranks see the same settings and data, or their parts would not fit together.
void require_same_everywhere(Processes& processes, const std::string& identity) {
  const auto identities = all_gather(processes, identity);
  const auto names = all_gather(processes, name_of(processes));
  for (std::size_t i = 1; i < identities.size(); ++i)
    if (identities[i] != identities[0])
      throw Error(names[i] + " and " + names[0] + " see different settings or data: " +
                  first_difference(identities[i], identities[0]) + "; give all machines the same files");
}

void copy_used_files(const Config& config, const ResultFolder& folder) {
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
}

// The experiment with all that it needs; the same for whoever does it: alone, as a shard, as a rank, or to merge.
class Run {
 public:
  explicit Run(const RunOptions& options)
      : options_(options),
        file_(config_file(options.config)),
        config_(Config::load(file_, options.overrides)),
        read_(read_config(config_)),
        backend_(resolve_backend(config_, read_)) {
    Timer timer(work_.timings, "reading");
    work_.identity = config_.identity();
    store_.emplace(read_.store_path);
    const auto known = store_->spaces();
    for (const auto& used : config_.files()) provenance_.data[used.key + " " + used.path] = used.sha256;
    for (const auto& space : read_.experiment->spaces()) {
      if (std::find(known.begin(), known.end(), space) == known.end()) continue;  // prepare() says whether it matters
      const auto sum = store_->checksum(space);
      provenance_.data["space " + space] = sum;
      work_.identity += "# " + space + " " + sum + "\n";
    }
    read_.experiment->prepare(*store_);
    work_.identity += read_.experiment->other_data();
    result_ = ResultFolder::path_of(options.out, read_.kind.name, read_.name, work_.identity);
    share();
  }

  // The result folder, or the file of a shard.
  std::string finish() {
    if (options_.shard.is_whole()) return is_writer() ? write_result() : take_part();
    const FileLock lock(result_ + ".shard-" + std::to_string(options_.shard.number));
    return take_part();
  }

 private:
  bool is_writer() const { return !options_.processes || options_.processes->rank() == 0; }

  void share() {
    auto& sharing = work_.sharing;
    sharing.state = result_ + ".checkpoint";
    sharing.shard = options_.shard;
    sharing.processes = options_.processes;
    const bool shares = !sharing.shard.is_whole() || options_.merged || options_.processes;
    if (const auto reason = read_.experiment->why_not_shared(); shares && !reason.empty())
      throw Error((options_.processes ? "mpirun: " : "--shard: ") + reason);
    if (options_.merged) {
      if (options_.merged->run.identity != "kind = " + read_.kind.name + "\n" + work_.identity)
        throw Error(
            options_.merged->files.front().path + ": its settings or data are not what they were: " +
            first_difference("kind = " + read_.kind.name + "\n" + work_.identity, options_.merged->run.identity) +
            " then; merge where the files are that the shards used");
      sharing.merged = options_.merged->files;
    }
    if (!sharing.shard.is_whole()) {
      sharing.state = shard_path(result_, sharing.shard);
      sharing.about =
          about_shard(sharing.shard, {"run", text_of(options_), "kind = " + read_.kind.name + "\n" + work_.identity});
      if (sharing.processes)
        throw Error("--shard " + to_string(sharing.shard) + " and mpirun both share the work out; take one of them");
      fs::create_directories(fs::path(result_).parent_path());
    }
    if (sharing.processes) require_same_everywhere(*sharing.processes, work_.identity);
  }

  // What a rank above 0 or a shard does: its share of the work, whose results others write.
  std::string take_part() {
    if (options_.processes && broadcast(*options_.processes, "") == kFinished) return result_;
    const ScratchFolder scratch;
    work(scratch.path());
    if (options_.processes) return result_;
    log_info("shard " + to_string(options_.shard) + " is done; when all are, join them: oneproxy merge " + result_ +
             ".shard-*-of-" + std::to_string(options_.shard.count) + ".h5");
    return work_.sharing.state;
  }

  bool is_there() {
    if (!ResultFolder::finished(result_) || options_.force) return false;
    log_info(result_ + " is finished already (same settings, same data); --force runs it again");
    oneproxy::remove_leftovers(fs::path(result_).parent_path().string());
    if (const auto lock = FileLock::without_waiting(result_); lock.held()) remove_states(work_.sharing);
    return true;
  }

  std::string write_result() {
    const auto tell = [&](const std::string& state) {
      if (options_.processes) broadcast(*options_.processes, state);
    };
    if (is_there()) {
      tell(kFinished);
      return result_;
    }
    ResultFolder folder(result_);
    const bool finished = is_there();  // by another program, meanwhile
    tell(finished ? kFinished : "");
    if (finished) return result_;
    log_info("oneproxy " + version() + " (" + commit() + "): " + read_.kind.name + " of " +
             (file_.empty() ? "the command line" : file_) + ", backend " + to_string(backend_) +
             (read_.backend == "auto" ? " (auto)" : "") + ", store " + read_.store_path +
             (options_.processes ? ", " + std::to_string(options_.processes->size()) + " ranks" : ""));
    folder.write("config.toml", "# resolved from " + fs::path(file_).filename().string() + "\n" + config_.resolved());
    copy_used_files(config_, folder);
    work_.report = "# " + read_.name + " (" + read_.kind.name + ")\n\n";
    work(folder.file(""));
    provenance_.kind = read_.kind.name;
    provenance_.config_file = file_;
    provenance_.command = options_.command;
    provenance_.backend = backend_;
    provenance_.seed = static_cast<std::int64_t>(read_.seed);
    provenance_.data["store"] = read_.store_path;
    provenance_.timings = work_.timings;
    if (options_.processes) provenance_.n_ranks = options_.processes->size();
    if (options_.merged) provenance_.n_shards = std::ssize(options_.merged->files);
    folder.write("summary.json", work_.summary.json());
    folder.write("report.md", work_.report);
    folder.write("provenance.json", provenance_.json());
    log_info("\n" + work_.report);
    folder.finish();
    remove_states(work_.sharing);
    return result_;
  }

  void work(const std::string& folder) {
    work_.backend = backend_;
    work_.folder = folder;
    work_.arrays.emplace((fs::path(folder) / "arrays.h5").string());
    work_.arrays->set_attribute("/", "kind", read_.kind.name);
    Timer timer(work_.timings, "run");
    try {
      read_.experiment->run(work_);
      name_devices(*work_.arrays, *store_, read_.experiment->spaces());
      work_.arrays->close();
      check_interrupt();
    } catch (const Interrupted& interrupted) {
      // A stage that is done has left its checkpoint, whatever was interrupted after it.
      const std::string state = own_state(work_.sharing);
      if (interrupted.keeps_state() || !file_exists(state)) throw;
      throw Interrupted("interrupted: " + state + " keeps what was done; the same command goes on from there");
    }
  }

  static constexpr const char* kFinished = "finished";  // rank 0 found the result

  const RunOptions& options_;
  std::string file_, result_;
  Config config_;
  ExperimentConfig read_;
  Backend backend_;
  std::optional<Store> store_;
  Provenance provenance_;
  Workspace work_;
};

}  // namespace

std::string run_experiment(const RunOptions& options) { return Run(options).finish(); }

std::string text_of(const RunOptions& options) {
  std::error_code ignored;
  // Wherever it is merged; a short name of one that ships stays.
  const bool is_file = fs::exists(options.config, ignored);
  nlohmann::ordered_json text;
  text["config"] = is_file ? fs::absolute(options.config).string() : options.config;
  text["overrides"] = options.overrides;
  text["out"] = options.out;
  return text.dump();
}

RunOptions run_options_of(const std::string& text) {
  const auto parsed = nlohmann::json::parse(text, nullptr, false);
  try {
    RunOptions options;
    options.config = parsed.at("config");
    options.overrides = parsed.at("overrides");
    options.out = parsed.at("out");
    return options;
  } catch (const nlohmann::json::exception& fault) {
    throw Error("the options in a shard's file can not be read (" + std::string(fault.what()) +
                "); run the shards again");
  }
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
