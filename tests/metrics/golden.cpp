#include "golden.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include <gtest/gtest.h>
#include <unistd.h>

namespace geotally::metrics {
namespace {

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

void expect_golden(const std::string& name, const std::string& page) {
  const std::filesystem::path path = std::filesystem::path(GEOTALLY_GOLDEN_DIR) / name;
  if (std::getenv("GEOTALLY_WRITE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << page;
    return;
  }
  const std::string golden = contents(path);
  ASSERT_FALSE(golden.empty()) << path;
  if (golden == page) return;
  std::istringstream expected(golden);
  std::istringstream actual(page);
  std::string a;
  std::string b;
  for (int line = 1;; ++line) {
    const bool more_a = static_cast<bool>(std::getline(expected, a));
    const bool more_b = static_cast<bool>(std::getline(actual, b));
    if (!more_a && !more_b) break;
    ASSERT_EQ(more_a, more_b) << name << " ends at line " << line;
    ASSERT_EQ(a, b) << name << ":" << line;
  }
  FAIL() << name << " differs in its line ends";
}

void expect_lint_silent(const std::string& page) {
  const std::string base =
      (std::filesystem::path(::testing::TempDir()) / ("page-" + std::to_string(::getpid())))
          .string();
  std::ofstream(base, std::ios::binary) << page;
  const std::string command =
      GEOTALLY_PROMTOOL " check metrics < '" + base + "' > '" + base + ".out' 2>&1";
  EXPECT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(contents(base + ".out"), "");
  std::filesystem::remove(base);
  std::filesystem::remove(base + ".out");
}

}  // namespace geotally::metrics
