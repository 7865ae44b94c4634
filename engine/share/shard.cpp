#include "oneproxy/engine/share/shard.h"

#include <charconv>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

int number_in(const std::string& text, std::size_t begin, std::size_t end) {
  int number = 0;
  const auto [stop, failure] = std::from_chars(text.data() + begin, text.data() + end, number);
  return failure == std::errc() && stop == text.data() + end ? number : 0;
}

}  // namespace

Shard parse_shard(const std::string& text) {
  const auto slash = text.find('/');
  if (slash != std::string::npos) {
    const Shard shard{number_in(text, 0, slash), number_in(text, slash + 1, text.size())};
    if (shard.number >= 1 && shard.count >= 1 && shard.count <= kMaxShards) {
      if (shard.number <= shard.count) return shard;
      throw Error("--shard " + text + ": there is no shard " + std::to_string(shard.number) + " of " +
                  std::to_string(shard.count) + "; they are 1/" + std::to_string(shard.count) + " to " +
                  std::to_string(shard.count) + "/" + std::to_string(shard.count));
    }
  }
  throw Error("--shard " + text + ": should be i/n, for example 1/4 to 4/4, with n up to " +
              std::to_string(kMaxShards));
}

std::string to_string(const Shard& shard) { return std::to_string(shard.number) + "/" + std::to_string(shard.count); }

Interval part_of(const Shard& shard, std::uint64_t n) {
  const auto border = [&](int i) {
    return static_cast<std::uint64_t>(static_cast<unsigned __int128>(n) * static_cast<unsigned>(i) /
                                      static_cast<unsigned>(shard.count));
  };
  return {border(shard.number - 1), border(shard.number)};
}

}  // namespace oneproxy
