// Goal: the figures are those of DEFINITIONS, whatever the number of shards, however often the
// feed repeats itself, and wherever the process is restarted; and every event is accounted for.
// Method: feeds at random against a model that counts the slow way.
#include <random>

#include <gtest/gtest.h>

#include "model.h"
#include "rig.h"
#include "store/verify.h"
#include "support/temp_dir.h"

namespace geotally::pipeline {
namespace {

using support::kDay_us;
using support::kSecond_us;
using support::Line;
using support::TempDir;

RigOptions options_in(const TempDir& directory, std::size_t shards) {
  RigOptions options;
  options.directory = directory.path();
  options.shards = shards;
  return options;
}

void expect_verified(Rig& rig) {
  const store::Verification verified = store::verify(rig.store());
  EXPECT_EQ(verified.differing, 0U)
      << (verified.differences.empty() ? "" : verified.differences.front());
}

// Everything that is shown, but for numbers and moments of commits.
void expect_same(const tally::Snapshot& a, const tally::Snapshot& b) {
  EXPECT_EQ(a.edge_us, b.edge_us);
  EXPECT_EQ(a.watermark_us, b.watermark_us);
  EXPECT_EQ(a.observed_since_us, b.observed_since_us);
  EXPECT_EQ(a.gaps, b.gaps);
  EXPECT_EQ(a.gap_us, b.gap_us);
  ASSERT_EQ(a.countries.size(), b.countries.size());
  for (std::size_t i = 0; i < a.countries.size(); ++i) {
    const std::string_view code = Country::from_index(i).code();
    EXPECT_EQ(a.countries[i].posts, b.countries[i].posts) << code;
    EXPECT_EQ(a.countries[i].posts_deleted, b.countries[i].posts_deleted) << code;
    EXPECT_EQ(a.countries[i].accounts, b.countries[i].accounts) << code;
    EXPECT_EQ(a.countries[i].engagement, b.countries[i].engagement) << code;
    EXPECT_EQ(a.countries[i].evidence, b.countries[i].evidence) << code;
    EXPECT_EQ(a.countries[i].confidence_sum, b.countries[i].confidence_sum) << code;
    EXPECT_EQ(a.countries[i].window_posts, b.countries[i].window_posts) << code;
    EXPECT_EQ(a.countries[i].window_active, b.countries[i].window_active) << code;
  }
}

class WithShards : public testing::TestWithParam<std::size_t> {};

TEST_P(WithShards, FiguresAreTheModels) {
  // From seconds to months between two events: every tier, and expiry.
  for (const std::int64_t step_us : {kSecond_us / 10, 60 * kSecond_us, 3'600 * kSecond_us}) {
    const TempDir directory;
    FeedShape shape;
    shape.step_us = step_us;
    const std::vector<Line> lines = make_feed(shape);
    Model model;
    Rig rig(options_in(directory, GetParam()));
    for (std::size_t begin = 0; begin < lines.size(); begin += 1'250) {
      const std::span part = std::span(lines).subspan(begin, 1'250);
      rig.feed(part);
      model.apply(part);
      rig.settle();
      EXPECT_EQ(rig.snapshot()->watermark_us, model.watermark_us());
      expect_figures(*rig.snapshot(), model);
    }
    rig.stop();
    expect_figures(*rig.snapshot(), model);
    expect_verified(rig);
  }
}

INSTANTIATE_TEST_SUITE_P(One, WithShards, testing::Values(1, 2, 5, 64));

TEST(Figures, AreTheSameForEveryNumberOfShards) {
  FeedShape shape;
  shape.accounts = 2'000;
  shape.events = 20'000 / kShorter;
  shape.step_us = 120 * kSecond_us;
  const std::vector<Line> lines = make_feed(shape);
  std::shared_ptr<const tally::Snapshot> first;
  for (const std::size_t shards : {1, 2, 5, 64}) {
    const TempDir directory;
    RigOptions options = options_in(directory, shards);
    options.threshold = 0.5;
    Rig rig(options);
    rig.feed(lines);
    rig.settle();
    if (!first) {
      first = rig.snapshot();
    } else {
      expect_same(*first, *rig.snapshot());
    }
  }
}

TEST(Figures, AStoreOfOneShardIsContinuedWithFive) {
  const TempDir directory;
  FeedShape shape;
  shape.step_us = 30 * kSecond_us;
  shape.events = 12'000;
  const std::vector<Line> lines = make_feed(shape);
  Model model;
  std::size_t begin = 0;
  for (const std::size_t shards : {1, 5, 64, 2, 1}) {
    Rig rig(options_in(directory, shards));
    expect_figures(*rig.snapshot(), model);  // before anything comes: what was committed
    const std::size_t again = rig.resume_at(lines);
    EXPECT_LE(again, begin);
    const std::size_t end = std::min(lines.size(), begin + 2'400);
    rig.feed(std::span(lines).subspan(again, end - again));
    model.apply(std::span(lines).subspan(begin, end - begin));
    rig.settle();
    expect_figures(*rig.snapshot(), model);
    expect_verified(rig);
    begin = end;
  }
  EXPECT_EQ(begin, lines.size());
}

TEST(Figures, ReplaysChangeNothingButTheirCounter) {
  const TempDir directory;
  FeedShape shape;
  shape.step_us = 10 * kSecond_us;
  const std::vector<Line> lines = make_feed(shape);
  Model model;
  model.apply(lines);
  auto first = std::make_unique<Rig>(options_in(directory, 3));
  Rig& rig = *first;
  rig.feed(lines);
  rig.settle();
  const auto before = rig.snapshot();
  expect_figures(*before, model);
  const double counted = rig.counted();
  const double uncounted = rig.dropped("uncounted");
  const double replayed = rig.dropped("replayed");
  EXPECT_EQ(counted, static_cast<double>(model.accepted()));

  rig.feed(lines);  // from the very beginning
  rig.feed(std::span(lines).subspan(lines.size() / 2));
  rig.settle();
  expect_same(*before, *rig.snapshot());
  EXPECT_EQ(rig.counted(), counted);
  const std::size_t again = lines.size() + lines.size() - lines.size() / 2;
  EXPECT_EQ(rig.dropped("replayed") - replayed + rig.dropped("uncounted") - uncounted,
            static_cast<double>(again));

  // Also when all fences come from the store.
  first.reset();
  Rig after(options_in(directory, 3));
  after.feed(lines);
  after.settle();
  expect_same(*before, *after.snapshot());
  EXPECT_EQ(after.counted(), 0);
}

TEST(Figures, RewindsAtRandomChangeNothing) {
  const TempDir directory;
  FeedShape shape;
  shape.step_us = kSecond_us;
  const std::vector<Line> lines = make_feed(shape);
  Model model;
  Rig rig(options_in(directory, 2));
  std::mt19937 random(5);
  for (std::size_t begin = 0; begin < lines.size();) {
    const std::size_t size = std::min<std::size_t>(1 + random() % 400, lines.size() - begin);
    const std::size_t back = std::min<std::size_t>(begin, random() % 1'000);
    rig.feed(std::span(lines).subspan(begin - back, back + size));
    model.apply(std::span(lines).subspan(begin, size));
    begin += size;
  }
  rig.settle();
  expect_figures(*rig.snapshot(), model);
  EXPECT_EQ(rig.counted(), static_cast<double>(model.accepted()));
}

TEST(Figures, NothingIsLostInSilence) {
  const TempDir directory;
  FeedShape shape;
  shape.step_us = kSecond_us;
  std::vector<Line> lines = make_feed(shape);
  Rig rig(options_in(directory, 2));
  rig.feed(lines);
  const std::size_t replayed = 500;
  rig.feed(std::span(lines).last(replayed));

  const std::int64_t now = lines.back().time_us;
  const std::size_t too_old = 40;
  for (std::size_t i = 0; i < too_old; ++i) {
    Line line;
    line.did = "did:plc:late";
    line.time_us = now - 91 * kDay_us - static_cast<std::int64_t>(i);
    rig.feed(line);
  }
  const std::size_t future = 30;
  for (std::size_t i = 0; i < future; ++i) {
    Line line;
    line.did = "did:plc:early";
    line.time_us = now + 31 * kDay_us + static_cast<std::int64_t>(i);
    rig.feed(line);
  }
  const std::vector<std::string> broken = {"",
                                           "{",
                                           "[]",
                                           "null",
                                           "{}",
                                           R"({"did":"x","time_us":1})",
                                           R"({"did":"did:plc:a","time_us":-1,"kind":"commit"})",
                                           std::string(200, '[')};
  for (const std::string& message : broken) rig.feed(message);
  rig.ingest().rejected(Rejection::kTooLarge);
  rig.drained();
  rig.stop();  // the end of the process: nobody will confirm what is held

  const auto likes = std::count_if(lines.begin(), lines.end(),
                                   [](const Line& line) { return line.kind == Line::Kind::kLike; });
  const auto late_likes = std::count_if(lines.end() - replayed, lines.end(), [](const Line& line) {
    return line.kind == Line::Kind::kLike;
  });
  EXPECT_EQ(rig.dropped("uncounted"), static_cast<double>(likes + late_likes));
  EXPECT_EQ(rig.dropped("too_old"), static_cast<double>(too_old));
  EXPECT_EQ(rig.dropped("future"), static_cast<double>(future));
  EXPECT_EQ(rig.rejected(), static_cast<double>(broken.size() + 1));
  const std::size_t fed = lines.size() + replayed + too_old + future;
  EXPECT_EQ(rig.counted() + rig.dropped("replayed") + rig.dropped("uncounted") +
                rig.dropped("too_old") + rig.dropped("future"),
            static_cast<double>(fed));
  EXPECT_GE(rig.dropped("replayed"),
            static_cast<double>(replayed) - static_cast<double>(late_likes));
  // And what is shown says the same.
  std::uint64_t posts = 0;
  for (const tally::CountryFigures& figures : rig.snapshot()->countries) posts += figures.posts;
  EXPECT_EQ(static_cast<double>(posts), rig.metric("geotally_events_total{kind=\"post\"}"));
}

TEST(Figures, LanguagesAndTextsReachTheResolver) {
  const TempDir directory;
  RigOptions options = options_in(directory, 2);
  options.threshold = 0.5;
  Rig rig(options);
  std::vector<Line> lines;
  for (int i = 0; i < 3'000; ++i) {
    Line& line = lines.emplace_back();
    line.did = "did:plc:" + std::to_string(i % 30);
    line.time_us = 1'700'000'000'000'000 + i * kSecond_us;
    line.rkey = std::to_string(i);
    line.langs = {"ja"};
    line.text = std::string(400, 'x');
  }
  rig.feed(lines);
  rig.settle();
  const std::size_t japan = Country::parse("JP")->index();
  EXPECT_EQ(rig.snapshot()->countries[japan].accounts, 30U);
  EXPECT_EQ(rig.snapshot()->countries[japan].posts, 3'000U);
  EXPECT_EQ(rig.metric("geotally_accounts_resolved_total{evidence=\"language\"}"), 30);
}

TEST(Figures, ManyTextsOutgrowABatch) {
  const TempDir directory;
  Rig rig(options_in(directory, 1));
  std::vector<Line> lines;
  for (int i = 0; i < 20'000; ++i) {
    Line& line = lines.emplace_back();
    line.did = "did:plc:" + std::to_string(i);
    line.time_us = 1'700'000'000'000'000 + i;
    line.text = std::string(900, 'y');  // no language: the text travels, and the arena is small
  }
  rig.feed(lines);
  rig.settle();
  EXPECT_EQ(rig.snapshot()->countries[0].posts, lines.size());
  EXPECT_EQ(rig.counted(), static_cast<double>(lines.size()));
}

}  // namespace
}  // namespace geotally::pipeline
