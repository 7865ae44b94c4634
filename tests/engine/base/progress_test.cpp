#include "oneproxy/engine/base/progress.h"

#include <gmock/gmock.h>

#include <thread>
#include <tuple>

#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {

using Told = std::vector<std::tuple<std::string, std::int64_t, std::int64_t, std::string>>;

ProgressListener into(Told& told) {
  return [&told](const std::string& what, std::int64_t done, std::int64_t total, const std::string& unit) {
    told.emplace_back(what, done, total, unit);
  };
}

TEST(Progress, TheListenerOfTheThreadThatBeginsTheWorkHearsOfItsEnd) {
  Told told;
  {
    const ListenToProgress listening(into(told));
    Progress progress("fitting", 3, "fits");
    std::thread([&] { progress.advance(2); }).join();  // too soon to be told
    Progress within("a part", 1, "parts");
    within.advance();
    progress.advance();
  }
  Progress("unheard", 1, "fits").advance();
  EXPECT_THAT(told, testing::ElementsAre(std::tuple("fitting", 3, 3, "fits")));
}

TEST(Progress, WhatTheListenerThrowsComesOut) {
  const ListenToProgress listening(
      [](const std::string&, std::int64_t, std::int64_t, const std::string&) { throw Error("enough"); });
  Progress progress("fitting", 1, "fits");
  EXPECT_EQ(error_of([&] { progress.advance(); }), "enough");
}

}  // namespace
}  // namespace oneproxy
