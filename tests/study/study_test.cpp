// Goal: the document's words fit its figures, in grammar too, and a mistake is answered.
// Method: the words one by one; the document over the small world of tests/http.
#include "study/study.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "http/api/api.h"
#include "http/api/days.h"
#include "study/charts.h"
#include "study/figures.h"
#include "study/page.h"
#include "study/wording.h"
#include "tests/http/world.h"

namespace geotally::study {
namespace {

Country country(std::string_view code) { return *Country::parse(code); }

const Wording kEnglish(Language::kEnglish);
const Wording kFrench(Language::kFrench);

TEST(Wording, NumbersAndDates) {
  EXPECT_EQ(kEnglish.number(1'234'567), "1,234,567");
  EXPECT_EQ(kFrench.number(1'234'567), "1\u202f234\u202f567");
  EXPECT_EQ(kEnglish.number(123), "123");
  EXPECT_EQ(kEnglish.percent(0.2744), "27.4%");
  EXPECT_EQ(kFrench.percent(0.2744), "27,4\u202f%");
  EXPECT_EQ(kEnglish.change(-0.05), "−5.0%");
  EXPECT_EQ(kEnglish.date(15'521), "30 June 2012");
  EXPECT_EQ(kFrench.date(15'522), "1er juillet 2012");
  EXPECT_EQ(kEnglish.list({"a", "b", "c"}), "a, b and c");
}

TEST(Wording, Ordinals) {
  const std::vector<std::pair<std::uint32_t, const char*>> cases = {
      {1, "1st"},   {2, "2nd"},   {3, "3rd"},   {4, "4th"},     {11, "11th"},
      {12, "12th"}, {13, "13th"}, {21, "21st"}, {102, "102nd"}, {111, "111th"}};
  for (const auto& [rank, text] : cases) EXPECT_EQ(kEnglish.ordinal(rank), text);
  EXPECT_EQ(kFrench.ordinal(18), "18e");
}

TEST(Wording, Articles) {
  const std::vector<std::tuple<const char*, const char*, const char*>> cases = {
      {"FR", "France", "la France"},
      {"BR", "Brazil", "le Brésil"},
      {"ES", "Spain", "l’Espagne"},
      {"US", "the United States", "les États-Unis"},
      {"NL", "the Netherlands", "les Pays-Bas"},
      {"GB", "the United Kingdom", "le Royaume-Uni"},
      {"MX", "Mexico", "le Mexique"},
      {"KR", "South Korea", "la Corée du Sud"},
      {"SA", "Saudi Arabia", "l’Arabie saoudite"},
      {"CU", "Cuba", "Cuba"},
      {"KY", "the Cayman Islands", "les Îles Caïmans"}};
  for (const auto& [code, english, french] : cases) {
    EXPECT_EQ(kEnglish.the(country(code)), english);
    EXPECT_EQ(kFrench.the(country(code)), french);
  }
  EXPECT_EQ(kEnglish.in(*http::find_region(19)), "in the Americas");
  EXPECT_EQ(kFrench.in(*http::find_region(19)), "dans les Amériques");
  EXPECT_EQ(kFrench.in(*http::find_region(150)), "en Europe");
}

TEST(Page, EscapesWhatItIsGiven) {
  for (const Format format : {Format::kHtml, Format::kMarkdown}) {
    Page page(format, "en", "<script>");
    page.paragraph("a <b> & c");
    page.table({"x|y"}, {{"<i>"}}, {0});
    const std::string text = page.finish();
    EXPECT_EQ(text.find("<script>"), std::string::npos) << text;
    EXPECT_EQ(text.find("<b>"), std::string::npos) << text;
    EXPECT_EQ(text.find("<i>"), std::string::npos) << text;
  }
  Page page(Format::kMarkdown, "en", "t");
  page.table({"x|y"}, {}, {});
  EXPECT_NE(page.finish().find("x\\|y"), std::string::npos);
}

TEST(Charts, OfNothingAreStillCharts) {
  EXPECT_NE(bars("none", {}).find("</svg>"), std::string::npos);
  EXPECT_NE(slopes("none", "a", "b", {}).find("</svg>"), std::string::npos);
  EXPECT_NE(bars("zero", {{"x", 0, 0.0, "0", false}}).find("width=\"0.0\""), std::string::npos);
}

class OfTheSmallWorld : public testing::Test {
 protected:
  const http::Sources sources_ = http::world_sources();
  const http::Ask ask_ = [this](std::string_view question, const http::Parameters& parameters) {
    return http::ask(sources_, question, parameters);
  };
  Options options_{.from = "2012-06-01"};
};

TEST_F(OfTheSmallWorld, SaysWhatItsFiguresAre) {
  const Study study = write(ask_, options_);
  ASSERT_EQ(study.code, 200U) << study.error;
  // Brazil grows from a tenth, all others from a half; on the first day it is behind France.
  for (const char* sentence :
       {"The United States is 1st with 40,000 accounts (40.0%)", "Brazil grows fastest (+900.0%)",
        "France is 3rd with 10,000 accounts", "it was 2nd on 1 June 2012",
        "Brazil overtook France in the period", "France is 1st in Europe"}) {
    EXPECT_NE(study.document.find(sentence), std::string::npos) << sentence << study.document;
  }
}

TEST_F(OfTheSmallWorld, HasNoFigureOfWhoIsNotThere) {
  options_.country = "JP";
  options_.language = Language::kFrench;
  const Study study = write(ask_, options_);
  ASSERT_EQ(study.code, 200U) << study.error;
  EXPECT_NE(study.document.find("Aucun compte n’est connu pour le Japon"), std::string::npos);
}

TEST_F(OfTheSmallWorld, AnswersAMistakeWithWhatIsAllowed) {
  const auto error = [&](Options options) {
    const Study study = write(ask_, options);
    EXPECT_EQ(study.code, 400U);
    return study.error;
  };
  EXPECT_NE(error({.from = "yesterday"}).find("YYYY-MM-DD"), std::string::npos);
  EXPECT_NE(error({.from = "2012-05-01"}).find("no daily row"), std::string::npos);
  EXPECT_NE(error({.from = "2012-06-01", .country = "ZZ"}).find("unknown country"),
            std::string::npos);
  EXPECT_NE(error({.from = "2012-06-01", .limit = "0"}).find("from 1 to 256"), std::string::npos);
}

/// Answers of a daemon whose commit number is `commit_of(how many questions came before)`.
http::Ask committing(std::function<std::uint64_t(int)> commit_of, int& questions) {
  return [&questions, commit_of = std::move(commit_of)](std::string_view question,
                                                        const http::Parameters& parameters) {
    http::Sources sources = http::world_sources();
    sources.snapshot = [commit = commit_of(questions++)] {
      auto snapshot = std::make_shared<tally::Snapshot>(*http::world());
      snapshot->commit = commit;
      return snapshot;
    };
    return http::ask(sources, question, parameters);
  };
}

// Two countries over ninety days of a store that is older: France stays, Brazil grows past it.
class OfTwoCountries : public testing::Test {
 protected:
  static constexpr std::int32_t kFirst = http::kWorldLastDay - 89;
  static constexpr std::int32_t kFrom = http::kWorldLastDay - 29;
  static constexpr std::int32_t kOvertakes = kFrom + 11;  // the first day that ends with it ahead

  OfTwoCountries() : sources_(http::world_sources()) {
    sources_.snapshot = [] {
      auto snapshot = std::make_shared<tally::Snapshot>(*http::world());
      snapshot->observed_since_us = std::int64_t{kFirst - 60} * 86'400 * 1'000'000;
      return snapshot;
    };
    sources_.daily_rows = [this](std::int32_t from, std::int32_t to) {
      std::vector<http::DailyRow> rows;
      for (std::int32_t day = std::max(from, kFirst); day <= std::min(to, http::kWorldLastDay);
           ++day) {
        for (const char* code : {"FR", "BR"}) {
          http::DailyRow row;
          row.day = day;
          row.country = country(code);
          row.accounts = code == std::string_view("FR") ? 10'000
                         : day < kOvertakes             ? 9'000
                                                        : 11'000;
          row.active = {100, 200, 300, 400};
          row.engagement = {0, 0, 0, row.accounts};
          row.gap_us = day == kFrom ? first_gap_us_ : day == kFrom + 1 ? second_gap_us_ : 0;
          rows.push_back(row);
        }
      }
      return rows;
    };
  }
  [[nodiscard]] Figures figures(const std::string& window = "30d") const {
    const http::Ask ask = [this](std::string_view question, const http::Parameters& parameters) {
      return http::ask(sources_, question, parameters);
    };
    auto [figures, reply] = gather(ask, {.from = http::day_text(kFrom), .window = window});
    EXPECT_TRUE(figures) << reply.error;
    return figures.value_or(Figures{});
  }

  http::Sources sources_;
  std::int64_t first_gap_us_ = 0;
  std::int64_t second_gap_us_ = 0;
};

TEST_F(OfTwoCountries, ActiveAccountsAreOfTheWindowThatWasAskedFor) {
  std::uint64_t active = 0;
  for (const auto& [window, days] :
       {std::pair("24h", 1), std::pair("7d", 7), std::pair("30d", 30), std::pair("90d", 90)}) {
    active += 200;  // of both
    const Figures of = figures(window);
    EXPECT_EQ(of.window_days, days);
    EXPECT_EQ(of.world.active, active) << window;
    ASSERT_EQ(of.days.size(), 30U);
    EXPECT_EQ(of.days.front().active, active) << window;
  }
}

TEST_F(OfTwoCountries, AnOvertakingIsOfTheFirstDayThatEndsWithTheOtherAhead) {
  const Figures of = figures();
  ASSERT_EQ(of.overtakings.size(), 1U);
  EXPECT_EQ(of.overtakings[0].ahead.code(), "BR");
  EXPECT_EQ(of.overtakings[0].behind.code(), "FR");
  EXPECT_EQ(http::day_text(of.overtakings[0].day), http::day_text(kOvertakes));
}

// Growth is from the end of the first day on: what was missed of that day is not missed of it.
TEST_F(OfTwoCountries, AGapOfTheFirstDayIsNotOfThePeriod) {
  first_gap_us_ = 43'200'000'000;
  EXPECT_EQ(figures().covered, 1);
  second_gap_us_ = 21'600'000'000;
  EXPECT_DOUBLE_EQ(figures().covered, 1 - 0.25 / 29);
}

TEST_F(OfTheSmallWorld, IsAskedAgainUntilAllIsOfOneCommit) {
  int questions = 0;
  const Study steady = write(committing([](int) { return 8; }, questions), options_);
  const int once = questions;
  EXPECT_GT(once, 10);
  questions = 0;
  const Study moved = write(committing([](int n) { return n < 3 ? 7 : 8; }, questions), options_);
  EXPECT_EQ(questions, 2 * once);
  EXPECT_EQ(moved.document, steady.document);
  EXPECT_NE(moved.document.find("commit 8 of"), std::string::npos) << moved.document;
}

TEST_F(OfTheSmallWorld, SaysWhenItNeverIsOfOneCommit) {
  for (const auto& [language, sentence] :
       {std::pair(Language::kEnglish, "are of commits {} to {}"),
        std::pair(Language::kFrench, "de plusieurs commits, de {} à {}")}) {
    options_.language = language;
    int questions = 0;
    const Study study = write(committing([](int n) { return 100 + n; }, questions), options_);
    const int once = questions / kGatherTries;
    EXPECT_EQ(questions, once * kGatherTries);
    const std::string said =
        fmt::format(fmt::runtime(sentence), 100 + questions - once, 100 + questions - 1);
    EXPECT_NE(study.document.find(said), std::string::npos) << said << study.document;
  }
}

TEST_F(OfTheSmallWorld, GoesThroughTheEnvelopeUnchanged) {
  const http::Ask remote = [this](std::string_view question, const http::Parameters& parameters) {
    const http::Reply reply = ask_(question, parameters);
    return http::parse_envelope(question, reply.code, http::envelope(reply));
  };
  EXPECT_EQ(write(remote, options_).document, write(ask_, options_).document);
  const http::Reply wrong = remote("rankings", {{"region", "999"}});
  EXPECT_EQ(wrong.code, 400U);
  EXPECT_EQ(wrong.error, ask_("rankings", {{"region", "999"}}).error);
  EXPECT_EQ(http::parse_envelope("rankings", 200, "<html>").code, 502U);
  EXPECT_EQ(http::parse_envelope("rankings", 200, R"({"status":"success","data":[})").code, 502U);
  EXPECT_EQ(http::parse_envelope("status", 401, "a token is needed\n").error, "a token is needed");
}

}  // namespace
}  // namespace geotally::study
