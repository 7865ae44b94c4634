// Text that is not UTF-8: refused at the door, and no reason for the files of a result to be lost.
#include "oneproxy/engine/base/arguments.h"

#include <gmock/gmock.h>

#include "oneproxy/engine/base/provenance.h"
#include "oneproxy/engine/base/summary.h"
#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(Arguments, WhatIsNotUtf8IsRefusedAtTheDoor) {
  const auto refusal = [](const char* word) {
    const char* words[] = {"oneproxy", "run", word};
    return error_of([&] { check_arguments(3, words); });
  };
  for (const char* good : {"", "a.toml", "M\xc3\xbcnchen.toml", "\xe2\x82\xac", "\xf0\x9f\x98\x80"})
    EXPECT_EQ(refusal(good), "no error") << good;
  for (const char* bad : {"\xff", "caf\xe9.toml", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80"})
    EXPECT_THAT(refusal(bad), AllOf(HasSubstr("argument 2"), HasSubstr("not UTF-8")));
  const char* program[] = {"\xff"};  // its own name is not the user's to change
  EXPECT_EQ(error_of([&] { check_arguments(1, program); }), "no error");
}

TEST(Json, IsWrittenWhateverATextHolds) {
  Summary summary;
  summary.set("name", std::string("caf\xe9"));
  EXPECT_THAT(summary.json(), HasSubstr("caf\xef\xbf\xbd"));  // U+FFFD in its place
  Provenance provenance;
  provenance.command = "oneproxy run caf\xe9.toml";
  EXPECT_THAT(provenance.json(), HasSubstr("caf\xef\xbf\xbd.toml"));
}

}  // namespace
}  // namespace oneproxy
