// Goal: `resolve` answers every line with a line, and `evaluate` counts as defined.
// Method: the functions behind the subcommands, with accounts made up for this test.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <simdjson.h>
#include <unistd.h>

#include "daemon/evaluate.h"
#include "daemon/exit_code.h"
#include "daemon/resolve.h"

namespace geotally {
namespace {

geo::Resolver::Options options() { return {.table = GEOTALLY_TABLE}; }

std::vector<std::string> resolve(const std::string& input, bool explain = false) {
  std::istringstream in(input);
  std::FILE* out = std::tmpfile();
  EXPECT_EQ(run_resolve(in, out, options(), explain), kExitOk);
  std::rewind(out);
  std::vector<std::string> lines;
  std::string line;
  for (int c = std::fgetc(out); c != EOF; c = std::fgetc(out)) {
    if (c == '\n') {
      lines.push_back(line);
      line.clear();
    } else {
      line += static_cast<char>(c);
    }
  }
  std::fclose(out);
  EXPECT_TRUE(line.empty());
  return lines;
}

std::string field(const std::string& line, std::string_view key) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(line).get(root) != simdjson::SUCCESS) return "no JSON: " + line;
  simdjson::dom::element value;
  if (root[key].get(value) != simdjson::SUCCESS) return "absent";
  return simdjson::minify(value);
}

TEST(Resolve, AnswersEveryLine) {
  const auto lines = resolve(
      "{\"location\":\"Tromsø, Norge\"}\n"
      "{\"langs\":[\"ja\"],\"description\":\"\xf0\x9f\x87\xaf\xf0\x9f\x87\xb5\"}\n"
      "{}\n"
      "\n"
      "not json\n"
      "[1,2]\n"
      "{\"latitude\":52.52,\"longitude\":\"13.40\",\"location\":\"Lima\"}\n"
      "{\"handle\":\"a.example.pl\",\"langs\":\"pl\",\"utc_offset\":1e300,\"location\":7}\n");
  ASSERT_EQ(lines.size(), 7u);
  EXPECT_EQ(field(lines[0], "country"), "\"NO\"");
  EXPECT_EQ(field(lines[0], "evidence"), "\"place\"");
  EXPECT_NE(field(lines[0], "city").find("Troms"), std::string::npos) << lines[0];
  EXPECT_EQ(field(lines[1], "country"), "\"JP\"");
  EXPECT_EQ(field(lines[1], "city"), "null");
  EXPECT_EQ(field(lines[2], "country"), "\"ZZ\"");
  EXPECT_EQ(field(lines[2], "evidence"), "\"none\"");
  EXPECT_NE(field(lines[3], "error"), "absent");
  EXPECT_NE(field(lines[4], "error"), "absent");
  EXPECT_EQ(field(lines[5], "country"), "\"DE\"");
  EXPECT_EQ(field(lines[5], "evidence"), "\"explicit\"");
  EXPECT_EQ(field(lines[6], "country"), "\"PL\"");
}

TEST(Resolve, ExplainsWithWeights) {
  const auto lines =
      resolve("{\"location\":\"Quito\",\"time_zone\":\"Quito\",\"langs\":[\"es\"]}\n", true);
  ASSERT_EQ(lines.size(), 1u);
  const std::string explain = field(lines[0], "explain");
  EXPECT_NE(explain.find("\"evidence\":\"place\""), std::string::npos) << explain;
  EXPECT_NE(explain.find("\"evidence\":\"zone\""), std::string::npos) << explain;
  EXPECT_NE(explain.find("\"words\":"), std::string::npos) << explain;
  EXPECT_EQ(field(resolve("{}\n")[0], "explain"), "absent");
}

TEST(Resolve, AMissingTableIsOneClearLine) {
  std::istringstream in("{}\n");
  try {
    (void)run_resolve(in, stdout, {.table = "/nonexistent/geo.table"}, false);
    FAIL();
  } catch (const std::exception& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
  }
}

TEST(Evaluate, FiguresAreAsDefined) {
  const auto country = [](std::string_view code) { return *Country::parse(code); };
  const std::vector<Judged> judged = {{country("FR"), country("FR"), 0.95},
                                      {country("FR"), country("BE"), 0.65},
                                      {country("FR"), kUnknownCountry, 0},
                                      {country("CL"), country("CL"), 0.35}};
  const Figures all = figures(judged, 0);
  EXPECT_EQ(all.accounts, 4u);
  EXPECT_DOUBLE_EQ(all.coverage, 0.75);
  EXPECT_DOUBLE_EQ(all.accuracy, 2.0 / 3);
  EXPECT_DOUBLE_EQ(all.correct, 0.5);
  EXPECT_DOUBLE_EQ(all.country_mean, (1.0 / 3 + 1) / 2);
  // |0.95 − 1| + |0.65 − 0| + |0.35 − 1| over four accounts.
  EXPECT_NEAR(all.calibration, (0.05 + 0.65 + 0.65) / 4, 1e-12);
  const Figures sure = figures(judged, 0.6);
  EXPECT_DOUBLE_EQ(sure.coverage, 0.5);
  EXPECT_DOUBLE_EQ(sure.accuracy, 0.5);
  EXPECT_EQ(figures({}, 0.5).accounts, 0u);
}

TEST(Evaluate, ReportsAccountsAndPlaces) {
  const auto path =
      std::filesystem::temp_directory_path() / ("geotally-evaluate-" + std::to_string(getpid()));
  std::ofstream(path) << R"({"location":"Osaka","langs":["ja"],"country":"JP","sample":"one"})"
                      << "\n"
                      << R"({"location":"Cork / Dublin","countries":["IE"]})"
                      << "\n"
                      << R"({"location":"under my blanket","countries":[]})"
                      << "\n";
  testing::internal::CaptureStdout();
  EXPECT_EQ(run_evaluate(path.string(), options()), kExitOk);
  std::fflush(stdout);
  const std::string report = testing::internal::GetCapturedStdout();
  EXPECT_NE(report.find("all evidence"), std::string::npos);
  EXPECT_NE(report.find("right or rightly silent 100.0 %"), std::string::npos) << report;
  EXPECT_NE(report.find("µs an account"), std::string::npos);
  // How sure and how often right, by what the answers rest on.
  EXPECT_NE(report.find("said at 0.7 to 1"), std::string::npos) << report;
  EXPECT_NE(report.find("place alone"), std::string::npos) << report;
  std::ofstream(path) << "{\"location\":\"Osaka\"}\n";
  EXPECT_EQ(run_evaluate(path.string(), options()), kExitData);
  std::filesystem::remove(path);
  EXPECT_EQ(run_evaluate(path.string(), options()), kExitIo);
}

}  // namespace
}  // namespace geotally
