#include "oneproxy/engine/share/shared_units.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <utility>

#include "oneproxy/engine/base/attribute_reader.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/base/progress.h"
#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/share/packed.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"

namespace oneproxy {
namespace {

constexpr const char* kFormat = "oneproxy-units-1";

bool falls_to(const Shard& shard, const UnitStage& stage, std::int64_t unit) {
  if (stage.in_turn) return unit % shard.count == shard.number - 1;
  const auto part = part_of(shard, static_cast<std::uint64_t>(stage.n));
  const auto place = static_cast<std::uint64_t>(unit);
  return place >= part.begin && place < part.end;
}

}  // namespace

SharedUnits::SharedUnits(const Sharing& sharing, const std::string& identity) : sharing_(sharing), identity_(identity) {
  const auto files = states_of(sharing);
  bool foreign = false;
  for (const auto& file : files)
    if (takes_over(sharing, file)) {
      load(file);
      foreign |= file.path != own_state(sharing);
    }
  if (foreign && !sharing.is_merge()) {
    save();
    remove_taken_over(sharing, files);
  }
  if (sharing.processes) {
    Packer packer;
    for (const auto& [stage, results] : own_)
      for (const auto& [unit, result] : results) {
        packer.add(stage);
        packer.add(unit);
      }
    for (const auto& bytes : all_gather(*sharing.processes, std::move(packer).bytes()))
      for (Unpacker unpacker(bytes); !unpacker.at_end();) {
        const auto stage = unpacker.get<std::string>();
        elsewhere_[stage].insert(unpacker.get<std::int64_t>());
      }
  }
}

void SharedUnits::load(const StateFile& from) {
  read_checkpoint(from.path, {kFormat, identity_, from.remedy}, [&](const H5File& file) {
    for (const auto& group : file.children("stages")) {
      const std::string at = "stages/" + group;
      const auto units = file.read_integers(at + "/units"), sizes = file.read_integers(at + "/sizes");
      const auto numbers = file.read_doubles(at + "/numbers");
      const auto texts = file.read_strings(at + "/texts");
      Results& own = own_[attribute_text(file.attributes(at), "name")];
      std::size_t begin = 0;
      const auto bad = [&] { return Error(from.path + ": " + at + " has another number of values than of units"); };
      if (sizes.size() != units.size() || texts.size() != units.size()) throw bad();
      for (std::size_t i = 0; i < units.size(); ++i) {
        if (sizes[i] < 0 || static_cast<std::uint64_t>(sizes[i]) > numbers.size() - begin) throw bad();
        const auto end = begin + static_cast<std::size_t>(sizes[i]);
        own[units[i]] = {
            {numbers.begin() + static_cast<std::ptrdiff_t>(begin), numbers.begin() + static_cast<std::ptrdiff_t>(end)},
            texts[i]};
        begin = end;
      }
      if (begin != numbers.size()) throw bad();
    }
  });
}

void SharedUnits::save() const {
  write_checkpoint(own_state(sharing_), {kFormat, identity_}, [&](H5File& file) {
    for (const auto& [name, value] : sharing_.about) file.set_attribute("/", name, value);
    int number = 0;
    for (const auto& [stage, results] : own_) {
      std::vector<std::int64_t> units, sizes;
      std::vector<double> numbers;
      std::vector<std::string> texts;
      for (const auto& [unit, result] : results) {
        units.push_back(unit);
        sizes.push_back(std::ssize(result.numbers));
        numbers.insert(numbers.end(), result.numbers.begin(), result.numbers.end());
        texts.push_back(result.text);
      }
      const std::string at = "stages/" + std::to_string(number++);
      file.write(at + "/units", std::span<const std::int64_t>(units));
      file.write(at + "/sizes", std::span<const std::int64_t>(sizes));
      file.write(at + "/numbers", std::span<const double>(numbers));
      file.write(at + "/texts", std::span<const std::string>(texts));
      file.set_attribute(at, "name", stage);
    }
  });
}

std::vector<std::int64_t> SharedUnits::open(const UnitStage& stage) const {
  std::vector<std::int64_t> units;
  if (sharing_.is_merge()) return units;
  const auto own = own_.find(stage.name);
  const auto others = elsewhere_.find(stage.name);
  for (std::int64_t unit = 0; unit < stage.n; ++unit)
    if (falls_to(sharing_.shard, stage, unit) && (own == own_.end() || !own->second.contains(unit)) &&
        (others == elsewhere_.end() || !others->second.contains(unit)))
      units.push_back(unit);
  return units;
}

std::vector<UnitResult> SharedUnits::run(const UnitStage& stage,
                                         const std::function<UnitResult(std::int64_t unit)>& compute) {
  using Clock = std::chrono::steady_clock;
  Results& own = own_[stage.name];
  const auto units = open(stage);
  const auto n_open = static_cast<std::uint64_t>(units.size());
  Processes* const processes = sharing_.processes;
  const bool keeps = !sharing_.state.empty() && !sharing_.is_merge(), speaks = !processes || processes->rank() == 0;
  if (keeps && speaks && !own.empty())
    log_info("going on from " + sharing_.state + ": " + std::to_string(own.size()) + " " + stage.counted + " of " +
             stage.name + " are done");
  const std::uint64_t counter = processes ? processes->new_counter() : 0;
  std::atomic<std::uint64_t> next{0};
  const auto take = [&] { return processes ? processes->take(counter, 1) : next.fetch_add(1); };
  std::mutex mutex;  // of own and saved
  auto saved = Clock::now();
  {
    std::optional<Progress> progress;  // of all processes together, as far as this one knows
    if (speaks && n_open > 0) progress.emplace(stage.doing, std::ssize(units), stage.counted);
    std::uint64_t shown = 0;
    const auto work = [&] {
      for (std::uint64_t i; (i = take()) < n_open;) {
        check_interrupt();
        const auto unit = units[i];
        UnitResult result = compute(unit);
        const std::lock_guard lock(mutex);
        own[unit] = std::move(result);
        if (progress && i + 1 > shown)
          progress->advance(static_cast<std::int64_t>(i + 1 - std::exchange(shown, i + 1)));
        if (keeps && std::chrono::duration<double>(Clock::now() - saved).count() >= sharing_.seconds) {
          save();
          saved = Clock::now();
        }
      }
    };
    try {
      const auto workers = stage.side_by_side ? std::min<std::int64_t>(thread_count(), std::ssize(units)) : 1;
      parallel_for(std::max<std::int64_t>(workers, processes ? 1 : 0), [&](std::int64_t) { work(); });
    } catch (const Interrupted&) {
      if (!keeps || own.empty()) throw;
      save();
      throw Interrupted("interrupted: " + own_state(sharing_) + " keeps what was done; the same command goes on from " +
                        "there");
    }
  }
  if (sharing_.is_part() && keeps && (n_open > 0 || !file_exists(own_state(sharing_)))) save();
  Results all = own;
  if (processes) {
    Packer packer;
    for (const auto& [unit, result] : own) {
      packer.add(unit);
      packer.add(result.numbers);
      packer.add(result.text);
    }
    for (const auto& bytes : all_gather(*processes, std::move(packer).bytes()))
      for (Unpacker unpacker(bytes); !unpacker.at_end();) {
        const auto unit = unpacker.get<std::int64_t>();
        auto numbers = unpacker.vector<double>();
        all[unit] = {std::move(numbers), unpacker.get<std::string>()};
      }
  }
  if (!sharing_.is_part()) require_finished(stage, all);
  std::vector<UnitResult> results(static_cast<std::size_t>(stage.n));
  for (auto& [unit, result] : all)
    if (unit >= 0 && unit < stage.n) results[static_cast<std::size_t>(unit)] = std::move(result);
  return results;
}

void SharedUnits::require_finished(const UnitStage& stage, const Results& results) const {
  for (const auto& file : sharing_.merged) {
    std::uint64_t n = 0, done = 0;
    for (std::int64_t unit = 0; unit < stage.n; ++unit)
      if (falls_to(file.shard, stage, unit)) {
        ++n;
        done += results.contains(unit);
      }
    if (done < n) throw_unfinished(file, done, n);
  }
}

}  // namespace oneproxy
