#include "oneproxy/engine/base/attribute_reader.h"

#include <gmock/gmock.h>

#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

const H5Attributes kAttributes = {
    {"name", std::string("pixel3")}, {"rows", std::int64_t{7}}, {"scale", 0.5}, {"licence", std::string("MIT")}};

TEST(AttributeReader, ReadsByTypeAndKeepsTheRest) {
  AttributeReader reader(kAttributes, "a.h5", "import it again");
  EXPECT_EQ(reader.text("name"), "pixel3");
  EXPECT_EQ(reader.integer("rows"), 7);
  EXPECT_EQ(reader.number("rows"), 7.0);
  EXPECT_EQ(reader.number("scale"), 0.5);
  EXPECT_THAT(reader.rest(), ElementsAre(Pair("licence", H5Attribute(std::string("MIT")))));
  EXPECT_EQ(attribute_text(kAttributes, "licence"), "MIT");
  EXPECT_EQ(attribute_text(kAttributes, "rows"), "");
  EXPECT_EQ(attribute_text(kAttributes, "none"), "");
}

TEST(AttributeReader, ErrorsNameFileAttributeTypeAndRemedy) {
  AttributeReader reader(kAttributes, "a.h5", "import it again");
  EXPECT_THAT(error_of([&] { reader.text("rows"); }),
              AllOf(HasSubstr("a.h5"), HasSubstr("rows"), HasSubstr("text"), HasSubstr("import it again")));
  EXPECT_THAT(error_of([&] { reader.integer("scale"); }), HasSubstr("scale (an integer)"));
  EXPECT_THAT(error_of([&] { reader.number("none"); }), HasSubstr("none (a number)"));
}

}  // namespace
}  // namespace oneproxy
