// A run that many processes share: how large states of reductions get, what merging, saving and loading them takes, a
// merge of 1,000 shards, and 1 to 8,192 ranks with synthetic clocks.
//   sharing_bench [--filter REGEX] [--list]
//   sharing_bench --dealer COUNT   under mpirun: seconds of a request for a piece, of COUNT by each rank but the first
//   ONEPROXY_SHARING_COUNT=1e7     architectures that are really scored at most (default: 1e9 of tables, 1e7 of MLPs)
//   ONEPROXY_DEALER=200e-6,10e-6   of simulated ranks: seconds between asking for a piece and having it, and seconds
//                                  in which the dealer answers one request, as --dealer measures them
// Of simulated_...: seconds_median is the time of the simulated run; pieces are dealt by engine/share/piece_size.h, as
// reduce_range deals them, and the states that the tree merges at the end are real ones, of `merged` architectures,
// with the times that these merges took here. What is assumed is in the line: the rate of a rank, the network, the
// fixed seconds of a piece. No GPU has run any of it: rates of GPUs are the goals of tools/gpu/goals.json.
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <queue>
#include <tuple>

#include "oneproxy/engine/base/hdf5.h"
#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/score/reduce_range.h"
#include "oneproxy/engine/share/mpi_module.h"
#include "oneproxy/engine/share/piece_size.h"
#include "oneproxy/kernels/base/error.h"
#include "tests/bench/bench.h"
#include "tests/engine/temporary_folder.h"
#include "tests/kernels/score/score_cases.h"

namespace oneproxy::bench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::uint64_t most_scored(double usual) {
  const char* text = std::getenv("ONEPROXY_SHARING_COUNT");
  return static_cast<std::uint64_t>(text ? std::min(std::atof(text), usual) : usual);
}

template <class... Values>
std::string members(const char* format, Values... values) {
  char text[600];
  std::snprintf(text, sizeof(text), format, values...);
  return text;
}

// FBNet's 9^22 codes with a latency and a quality: two tables, or a table and an MLP in fp32, whose margins keep more.
class Search {
 public:
  explicit Search(bool mlp, bool lists, bool third)
      : models_{latency_.table(), mlp ? ScoreFunction(mlp_.mlp()) : ScoreFunction(quality_.table())} {
    if (third) models_.push_back(energy_.table());
    scorer_.emplace(digits_.code(), models_, Backend::cpu, Precision::fp32);
    settings_.latency_margin = scorer_->error_bound(0);
    settings_.quality_margin = scorer_->error_bound(1);
    settings_.third = third ? 2 : -1;
    if (!lists) return;
    std::vector<double> some(2 * 10'000 + (third ? 10'000 : 0));
    scorer_->score(run(10'000), some);
    std::sort(some.begin(), some.begin() + 10'000);
    for (const int place : {1'000, 2'500, 5'000, 7'500}) settings_.limits.push_back(some[place]);
    settings_.best = 10;
  }
  IndexRange run(std::uint64_t count) const { return {0, count, true, 1}; }
  const Scorer& scorer() const { return *scorer_; }
  const ReductionSettings& settings() const { return settings_; }

  Reduction score(std::uint64_t begin, std::uint64_t count) const {
    Reduction reduction(settings_);
    IndexRange part = run(count);
    part.begin = begin;
    scorer_->reduce(part, reduction);
    return reduction;
  }

 private:
  test::OwnedDigits digits_{std::vector<std::uint32_t>(22, 9), 1, 1};
  test::OwnedDigitTable latency_{digits_, false, 2}, quality_{digits_, false, 3}, energy_{digits_, false, 4};
  test::OwnedMlp mlp_{digits_, {128, 128}, 5};
  std::vector<ScoreFunction> models_;
  std::optional<Scorer> scorer_;
  ReductionSettings settings_;
};

std::size_t candidates_of(const Reduction& reduction) {
  const auto state = reduction.state();
  std::size_t n = state.front.size();
  for (const auto& best : state.best) n += best.size();
  return n;
}

std::size_t bytes_of(const Reduction& reduction) { return candidates_of(reduction) * sizeof(Candidate); }

bool same(const Reduction& a, const Reduction& b) {
  const auto equal = [](const std::vector<Candidate>& x, const std::vector<Candidate>& y) {
    return std::equal(x.begin(), x.end(), y.begin(), y.end(), [](const Candidate& p, const Candidate& q) {
      return p.index == q.index && p.latency == q.latency && p.quality == q.quality && p.third == q.third;
    });
  };
  const auto x = a.state(), y = b.state();
  return equal(x.front, y.front) && std::equal(x.best.begin(), x.best.end(), y.best.begin(), y.best.end(), equal);
}

// A state as a file, written and read as runs do: as the shard of a run, and as one that is merged.
void run_state(const std::string& name, const Search& search, std::uint64_t count) {
  const std::uint64_t half = count / 2;
  const auto start = Clock::now();
  const Reduction first = search.score(0, half), second = search.score(half, count - half);
  const double scoring = seconds_since(start);
  const Timing merging = time_median(5, [&] {
    Reduction both = first;
    both.merge(second);
  });
  Reduction both = first;
  both.merge(second);
  const TemporaryFolder folder;
  // The file of the first half, as a shard leaves it.
  const Sharing large{folder / "large.h5", 1e9, {1, 2}};
  reduce_range(search.scorer(), search.run(count), search.settings(), "", large, "");
  const auto load = [&] { reduce_range(search.scorer(), search.run(count), search.settings(), "", large, ""); };
  const Timing loading = time_median(5, load);
  // A state of a rank that there is no more is taken over: loaded, saved as one's own, removed.
  std::vector<double> seconds;
  for (int i = 0; i < 5; ++i) {
    std::filesystem::copy_file(large.state, folder / "own.h5.1");
    const Sharing own{folder / "own.h5", 1e9, {1, 2}};
    const auto begun = Clock::now();
    reduce_range(search.scorer(), search.run(count), search.settings(), "", own, "");
    seconds.push_back(seconds_since(begun));
    std::filesystem::remove(own.state);
  }
  std::sort(seconds.begin(), seconds.end());
  report(name, static_cast<std::int64_t>(count), Backend::cpu, merging,
         members(", \"candidates\": %zu, \"bytes\": %zu, \"gave_up_margins\": %s, \"file_bytes\": %ju, "
                 "\"load_seconds\": %.4g, \"save_seconds\": %.4g, \"archs_per_s\": %.4g",
                 candidates_of(both), bytes_of(both), both.gave_up_margins() ? "true" : "false",
                 static_cast<std::uintmax_t>(std::filesystem::file_size(large.state)), loading.seconds_median,
                 std::max(0.0, seconds[2] - loading.seconds_median), static_cast<double>(count) / scoring));
}

// Files of 1,000 shards, merged as `oneproxy merge` does it, but for the headers.
void run_merge_of_shards(const Search& search, std::uint64_t count) {
  constexpr int kShards = 1000;
  const TemporaryFolder folder;
  Sharing merge;
  std::vector<std::string> paths;
  for (int i = 1; i <= kShards; ++i) {
    const Shard shard{i, kShards};
    paths.push_back(folder / ("shard-" + std::to_string(i) + ".h5"));
    reduce_range(search.scorer(), search.run(count), search.settings(), "", {paths.back(), 1e9, shard}, "");
    merge.merged.push_back({paths.back(), shard});
  }
  const auto start = Clock::now();
  probe_h5_files(paths);
  const Reduction all = reduce_range(search.scorer(), search.run(count), search.settings(), "", merge, "");
  const double seconds = seconds_since(start);  // once: a file is probed once
  if (!same(all, search.score(0, count))) throw Error("the merged shards differ from the whole run");
  report("merge_of_1000_shards", static_cast<std::int64_t>(count), Backend::cpu, {seconds, 1},
         members(", \"candidates\": %zu", candidates_of(all)));
}

struct Network {
  double answer = 200e-6, service = 10e-6;  // of the dealer
  double message = 50e-6, bytes_per_s = 1.25e9;
};

Network network() {
  Network net;
  if (const char* text = std::getenv("ONEPROXY_DEALER"))
    if (std::sscanf(text, "%lf,%lf", &net.answer, &net.service) != 2)
      throw Error(std::string("ONEPROXY_DEALER=") + text + " should be two numbers, as 200e-6,10e-6");
  return net;
}

struct Rank {
  double rate;
  PieceSize pieces;
  std::uint64_t known = 0;
  double saved = 0, finished = 0;
};

std::vector<double> speeds(const std::string& kind, int n) {
  std::vector<double> all(n, 1.0);
  const Philox random{1, 7};
  for (int r = 0; r < n; ++r) {
    if (kind == "uneven") all[r] = 0.7 + 0.6 * random.uniform(r);
    if (kind == "stragglers" && (r % 100 == 50 || (n < 100 && r == n - 1))) all[r] = 0.5;
  }
  return all;
}

struct Dealt {
  double seconds = 0;  // when the last rank has nothing left to do
  std::uint64_t pieces = 0;
  double dealer_share = 0;    // of the time in which the dealer is at work
  double busiest_second = 0;  // most requests in one second
};

// Each rank asks, waits for the answer, scores; every 30 s it saves. Requests are answered one after the other in the
// order in which they come; rank 0 has the counter and asks nobody.
Dealt deal(std::vector<Rank>& ranks, std::uint64_t count, double piece_seconds, double save_seconds,
           const Network& net) {
  using Event = std::pair<double, int>;  // a request comes in
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events;
  for (int r = 0; r < static_cast<int>(ranks.size()); ++r) events.push({0.0, r});
  Dealt dealt;
  std::uint64_t counter = 0, in_second = 0;
  double free_at = 0, busy = 0, second = 0;
  while (!events.empty()) {
    const auto [at, r] = events.top();
    events.pop();
    Rank& rank = ranks[r];
    const std::uint64_t step = rank.pieces.next(rank.known), from = counter;
    counter += step;
    double now = at;
    if (r > 0) {
      free_at = std::max(free_at, at) + net.service;
      busy += net.service;
      now = free_at + net.answer;
      if (at >= second + 1) second = std::floor(at), in_second = 0;
      dealt.busiest_second = std::max(dealt.busiest_second, static_cast<double>(++in_second));
    }
    if (from >= count) {
      rank.finished = now;
      continue;
    }
    ++dealt.pieces;
    rank.known = from;
    const double work = piece_seconds + static_cast<double>(std::min(step, count - from)) / rank.rate;
    rank.pieces.took(step, work);
    now += work;
    if (now - rank.saved >= 30 && from + step < count) now += save_seconds, rank.saved = now;
    events.push({now, r});
  }
  for (const auto& rank : ranks) dealt.seconds = std::max(dealt.seconds, rank.finished);
  dealt.dealer_share = busy / dealt.seconds;
  return dealt;
}

// What the tree takes: measured merges, assumed messages. `ready`: when each rank has done its pieces.
class Tree {
 public:
  Tree(const Search& search, int n_ranks, std::uint64_t count) {
    for (int r = 0; r < n_ranks; ++r) {
      const Interval part = part_of({r + 1, n_ranks}, count);
      states_.push_back(search.score(part.begin, part.length()));
    }
    merges_.resize(n_ranks);
    for (int step = 1; step < n_ranks; step *= 2)
      for (int r = 0; r + step < n_ranks; r += 2 * step) {
        const double bytes = static_cast<double>(bytes_of(states_[r + step]));
        const auto start = Clock::now();
        states_[r].merge(states_[r + step]);
        merges_[r].push_back({r + step, bytes, seconds_since(start)});
        largest_ = std::max(largest_, bytes);
      }
    if (!same(states_[0], search.score(0, count))) throw Error("the tree of merges differs from the whole run");
  }
  const Reduction& merged() const { return states_[0]; }
  double largest_bytes() const { return largest_; }

  double seconds(const std::vector<Rank>& ranks, const Network& net) const {
    std::vector<double> ready;
    for (const auto& rank : ranks) ready.push_back(rank.finished);
    // By steps, as they were merged.
    for (std::size_t level = 0; level < merges_[0].size(); ++level)
      for (std::size_t r = 0; r < merges_.size(); r += std::size_t{2} << level)
        if (level < merges_[r].size()) {
          const auto& [from, bytes, took] = merges_[r][level];
          ready[r] = std::max(ready[r], ready[from] + net.message + bytes / net.bytes_per_s) + took;
        }
    const double whole = static_cast<double>(bytes_of(states_[0]));
    return ready[0] + std::ceil(std::log2(ranks.size())) * (net.message + whole / net.bytes_per_s);
  }

 private:
  std::vector<Reduction> states_;
  std::vector<std::vector<std::tuple<int, double, double>>> merges_;  // [rank]: from whom, bytes, seconds
  double largest_ = 0;
};

struct Kind {
  std::string name;
  bool mlp;
  double rate;           // of a rank, architectures/s; 0: 64 times a thread of this machine
  double piece_seconds;  // beside the scoring: launches, the filter's first rounds
};

void run_simulation(const Kind& kind) {
  const Search search(kind.mlp, true, false);
  const std::uint64_t scored = most_scored(kind.mlp ? 1e7 : 1e8);
  const Network net = network();
  double rate = kind.rate;
  if (rate == 0) {
    const auto n = std::max<std::uint64_t>(scored / 10, 100'000);
    const Timing timing = time_median(3, [&] { search.score(0, n); });
    rate = 64 * static_cast<double>(n) / timing.seconds_median / thread_count();
  }
  const double save_seconds = 0.02;  // states_...: of the largest ones there
  for (const int n_ranks : {1, 2, 4, 8, 32, 128, 1024, 8192}) {
    const Tree tree(search, n_ranks, scored);
    for (const std::string speed : {"alike", "uneven", "stragglers"})
      for (const std::uint64_t count : {1'000'000'000ull, 1'000'000'000'000ull, 1'000'000'000'000'000ull}) {
        // One rank alone would need years; what it shows, shows at 1e12.
        if (static_cast<double>(count) / rate / n_ranks > 3e6) continue;
        std::vector<Rank> ranks;
        double together = 0, least = 1e300;
        for (const double factor : speeds(speed, n_ranks)) {
          ranks.push_back({rate * factor, PieceSize(n_ranks, count)});
          together += rate * factor;
          least = std::min(least, rate * factor);
        }
        const Dealt dealt = deal(ranks, count, kind.piece_seconds, save_seconds, net);
        const double seconds = tree.seconds(ranks, net), ideal = static_cast<double>(count) / together;
        report(
            "simulated_" + kind.name, static_cast<std::int64_t>(count), Backend::cpu, {seconds, 1},
            members(", \"ranks\": %d, \"speeds\": \"%s\", \"rate\": %.4g, \"piece_seconds\": %.3g, "
                    "\"answer_seconds\": %.3g, \"service_seconds\": %.3g, \"merged\": %ju, \"efficiency\": %.4f, "
                    "\"shards_efficiency\": %.4f, \"pieces\": %ju, \"dealer_share\": %.4f, "
                    "\"requests_per_s_most\": %.4g, \"reduction_seconds\": %.4g, \"state_bytes\": %.0f",
                    n_ranks, speed.c_str(), rate, kind.piece_seconds, net.answer, net.service,
                    static_cast<std::uintmax_t>(scored), ideal / seconds,
                    ideal / (static_cast<double>(count) / n_ranks / least), static_cast<std::uintmax_t>(dealt.pieces),
                    dealt.dealer_share, dealt.busiest_second, seconds - dealt.seconds, tree.largest_bytes()));
      }
  }
}

std::vector<Case> sharing_cases() {
  std::vector<Case> cases;
  const auto add = [&](const std::string& name, bool mlp, bool lists, bool third, double most) {
    for (double n = 1e6; n <= static_cast<double>(most_scored(most)); n *= 10) {
      const auto count = static_cast<std::uint64_t>(n);
      const std::string own = "state_" + name;
      cases.push_back({own + "_" + std::to_string(count), [=] { run_state(own, Search(mlp, lists, third), count); }});
    }
  };
  add("tables_front", false, false, false, 1e9);
  add("tables_lists", false, true, false, 1e9);
  add("tables_three", false, false, true, 1e8);
  add("mlp_lists", true, true, false, 1e7);
  cases.push_back({"merge_of_1000_shards", [] { run_merge_of_shards(Search(false, true, false), most_scored(1e8)); }});
  const Kind kinds[] = {{"cpu_node_mlp", true, 0, 2e-4},
                        {"cpu_node_tables", false, 0, 2e-4},
                        {"gpu_mlp", true, 12e9, 2e-3},
                        {"gpu_tables", false, 200e9, 2e-3}};
  for (const auto& kind : kinds) cases.push_back({"simulated_" + kind.name, [kind] { run_simulation(kind); }});
  return cases;
}

// Every rank but the first asks for pieces as fast as it is answered.
void run_dealer(std::int64_t count) {
  const auto processes = connect_processes();
  if (!processes) throw Error("--dealer: start it with mpirun -n 2 or more");
  const auto counter = processes->new_counter();
  all_gather(*processes, "");  // all are there
  const auto start = Clock::now();
  if (processes->rank() > 0)
    for (std::int64_t i = 0; i < count; ++i) processes->take(counter, 1);
  const double own = seconds_since(start);
  all_gather(*processes, "");
  const double all = seconds_since(start);
  if (processes->rank() == 1)
    report("dealer", count, Backend::cpu, {own / static_cast<double>(count), 1},
           members(", \"ranks\": %d, \"seconds_a_request\": %.4g", processes->size(),
                   all / static_cast<double>(count * (processes->size() - 1))));
}

}  // namespace
}  // namespace oneproxy::bench

int main(int argc, char** argv) {
  using namespace oneproxy::bench;
  oneproxy::set_quiet(true);
  if (argc != 3 || std::string(argv[1]) != "--dealer") return run_cases(argc, argv, sharing_cases());
  try {
    run_dealer(std::atoll(argv[2]));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
