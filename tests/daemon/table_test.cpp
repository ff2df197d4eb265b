// Goal: tables are aligned whatever their cells hold, and no cell can steer the terminal.
// Method: texts whose bytes, code points and columns differ.
#include "daemon/table.h"

#include <gtest/gtest.h>

namespace geotally {
namespace {

TEST(DisplayWidth, IsInColumns) {
  EXPECT_EQ(display_width(""), 0U);
  EXPECT_EQ(display_width("France"), 6U);
  EXPECT_EQ(display_width("Åland Islands"), 13U) << "two bytes, one column";
  EXPECT_EQ(display_width("日本"), 4U) << "wide";
  EXPECT_EQ(display_width("e\u0301"), 1U) << "a combining accent has none of its own";
  EXPECT_EQ(display_width("🇫🇷"), 2U) << "two regional indicators make one flag";
}

TEST(CutToWidth, KeepsWhatFits) {
  EXPECT_EQ(cut_to_width("France", 3), "Fra");
  EXPECT_EQ(cut_to_width("France", 6), "France");
  EXPECT_EQ(cut_to_width("日本", 3), "日") << "half of a wide one does not fit";
  EXPECT_EQ(cut_to_width("e\u0301e", 1), "e\u0301") << "an accent stays with its letter";
  EXPECT_EQ(cut_to_width("France", 0), "");
}

TEST(Table, IsAlignedByColumns) {
  Table table;
  table.column("name", Table::Align::kLeft);
  table.column("n", Table::Align::kRight);
  table.row({"日本", "1"});
  table.row({"Åland", "23"});
  EXPECT_EQ(table.text(),
            "name    n\n"
            "日本    1\n"
            "Åland  23\n");
}

TEST(Table, ShowsWhatCouldSteerATerminalAsQuestionMarks) {
  Table table;
  table.column("cause", Table::Align::kLeft);
  table.row({"a\x1b[2Jb\nc\u202e"});
  EXPECT_EQ(table.text(), "cause\na?[2Jb?c?\n");
  Table broken;
  broken.column("x", Table::Align::kLeft);
  broken.row({"\xff"});
  EXPECT_EQ(broken.text(), "x\n\uFFFD\n");
}

}  // namespace
}  // namespace geotally
