// Goal: "Continuity is proved only when what comes after a reconnect brings again the event
// at the cursor, or another that was seen shortly before it. Otherwise the stretch from the
// last committed event time to the first received one is a gap, with its cause."
// Method: a small world of numbered events, one a second, and servers that misbehave.
#include "feed/position.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace geotally::feed {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kStart = 1'700'000'000 * kSecond;
constexpr std::string_view kHost = "one.example:443";
constexpr std::string_view kOther = "two.example:443";

std::int64_t at(std::int64_t second) { return kStart + second * kSecond; }
std::uint64_t id(std::int64_t number) { return static_cast<std::uint64_t>(number) * 7919 + 1; }

// Event n happens at second n; `skew` is how far the host's clock is ahead.
void send(Position& position, std::int64_t first, std::int64_t last, std::int64_t skew = 0,
          std::uint64_t sequence_base = 1000) {
  for (std::int64_t n = first; n <= last; ++n) {
    position.observe(id(n), at(n + skew), sequence_base + static_cast<std::uint64_t>(n));
  }
}

Position following(Wire wire = Wire::kJetstreamV1, std::int64_t until = 200) {
  Position position;
  position.connected(kHost, wire, at(0));
  send(position, 1, until);
  return position;
}

Resume by_time(std::int64_t second) {
  return {Resume::Kind::kTime, static_cast<std::uint64_t>(at(second))};
}

TEST(Position, BeginsLiveOrWhereItIsTold) {
  EXPECT_EQ(Position().resume(kHost, Wire::kJetstreamV1), Resume{});
  EXPECT_EQ(Position({.start_us = at(5)}).resume(kHost, Wire::kJetstreamV1), by_time(5));
  EXPECT_EQ(Position({.start_us = -5}).resume(kHost, Wire::kJetstreamV2),
            (Resume{Resume::Kind::kTime, 0}));
  Position position;
  position.disconnected("server_closed");
  position.connected(kHost, Wire::kJetstreamV1, at(0));
  send(position, 1, 500);
  EXPECT_TRUE(position.take_gaps().empty()) << "nothing was seen before, so nothing was missed";
}

TEST(Position, ResumesAMarginBeforeTheCursor) {
  Position position = following();
  position.disconnected("server_closed");
  // The ring's oldest event is number 137; 60 s before it.
  EXPECT_EQ(position.resume(kHost, Wire::kJetstreamV1), by_time(137 - 60));
  EXPECT_EQ(position.time_us(), at(200));
}

TEST(Position, V2ResumesByTheSequenceThatWasReachedAMarginBefore) {
  Position position = following(Wire::kJetstreamV2);
  position.disconnected("server_closed");
  EXPECT_EQ(position.resume(kHost, Wire::kJetstreamV2),
            (Resume{Resume::Kind::kSequence, 1000 + 137 - 60}));
  EXPECT_EQ(position.resume(kOther, Wire::kJetstreamV2), by_time(137 - 60))
      << "never crosses hosts";
  EXPECT_EQ(position.resume(kHost, Wire::kJetstreamV1), by_time(137 - 60)) << "nor wires";
}

TEST(Position, V2GoesByTimeUntilAMarginOfSequencesIsKnown) {
  Position position = following(Wire::kJetstreamV2, 30);
  position.disconnected("server_closed");
  EXPECT_EQ(position.resume(kHost, Wire::kJetstreamV2), by_time(1 - 60));
}

TEST(Position, AReplayThatOverlapsProvesContinuity) {
  Position position = following();
  position.disconnected("server_closed");
  position.connected(kHost, Wire::kJetstreamV1, at(300));
  send(position, 77, 500);
  EXPECT_TRUE(position.take_gaps().empty());
  EXPECT_TRUE(position.suspicions().empty());
  EXPECT_EQ(position.time_us(), at(500));
}

TEST(Position, AnHourOfReplayProvesItToo) {
  Position position = following(Wire::kJetstreamV1, 5000);
  position.disconnected("server_restart");
  position.connected(kHost, Wire::kJetstreamV1, at(5001));
  send(position, 1400, 4936);
  EXPECT_FALSE(position.caught_up());
  EXPECT_EQ(position.time_us(), at(5000)) << "the past does not move the cursor";
  EXPECT_EQ(position.fresh_events(), 0u) << "nor is it progress";
  // Lost again in the middle of it: the cursor is still where it was.
  position.disconnected("io_error");
  EXPECT_EQ(position.resume(kHost, Wire::kJetstreamV1), by_time(5000 - 63 - 60));
  position.connected(kHost, Wire::kJetstreamV1, at(5010));
  send(position, 1400, 5200);
  EXPECT_TRUE(position.take_gaps().empty());
  EXPECT_TRUE(position.caught_up());
}

TEST(Position, AClampedCursorIsAGap) {
  Position position = following();
  position.disconnected("server_closed");
  position.connected(kHost, Wire::kJetstreamV1, at(90'000));
  send(position, 1000, 1059);
  EXPECT_TRUE(position.take_gaps().empty()) << "it stays a suspicion for a margin of feed time";
  EXPECT_EQ(position.suspicions(), (std::vector<Gap>{{at(200), at(1000), "server_closed"}}));
  send(position, 1060, 1060);
  EXPECT_EQ(position.take_gaps(), (std::vector<Gap>{{at(200), at(1000), "server_closed"}}));
  EXPECT_TRUE(position.take_gaps().empty());
  EXPECT_TRUE(position.suspicions().empty());
}

TEST(Position, AServerThatLostItsSequenceAndWentLiveIsAGap) {
  Position position = following(Wire::kJetstreamV2);
  position.disconnected("server_restart");
  position.connected(kHost, Wire::kJetstreamV2, at(230));
  send(position, 230, 260, 0, 5);  // it counts anew, from a low number
  Position early = position;
  early.disconnected("io_error");
  EXPECT_EQ(early.resume(kHost, Wire::kJetstreamV2).kind, Resume::Kind::kTime)
      << "a number of the old count means another event now";
  send(position, 261, 400, 0, 5);
  EXPECT_EQ(position.take_gaps(), (std::vector<Gap>{{at(200), at(230), "server_restart"}}));
  // Its old numbers are forgotten: what resumes now is of the new count.
  position.disconnected("io_error");
  EXPECT_EQ(position.resume(kHost, Wire::kJetstreamV2),
            (Resume{Resume::Kind::kSequence, 5 + 337 - 60}));
}

TEST(Position, ReorderingAroundTheCutoverIsNoGap) {
  Position position = following();
  position.disconnected("server_closed");
  position.connected(kHost, Wire::kJetstreamV1, at(210));
  send(position, 215, 230);  // live first …
  EXPECT_EQ(position.suspicions().size(), 1u);
  send(position, 150, 214);  // … then what was replayed
  EXPECT_TRUE(position.suspicions().empty());
  send(position, 231, 500);
  EXPECT_TRUE(position.take_gaps().empty());
}

TEST(Position, AHostWithAnotherClockIsNoGap) {
  for (const std::int64_t skew : {-5, 5}) {
    Position position = following();
    position.disconnected("silent");
    EXPECT_EQ(position.resume(kOther, Wire::kJetstreamV1), by_time(77));
    position.connected(kOther, Wire::kJetstreamV1, at(210));
    send(position, 77 - skew, 500, skew);
    EXPECT_TRUE(position.take_gaps().empty()) << skew;
    EXPECT_EQ(position.host(), kOther);
  }
}

TEST(Position, AfterAFailoverTheOtherHostsSequencesAreForgotten) {
  Position position = following(Wire::kJetstreamV2);
  position.disconnected("silent");
  position.connected(kOther, Wire::kJetstreamV2, at(210));
  send(position, 77, 230, 0, 500'000);
  EXPECT_EQ(position.sequence(), 500'230u);
  // Of its own numbers there are none yet that lie a margin back: by time, then.
  Position early = position;
  early.disconnected("io_error");
  EXPECT_EQ(early.resume(kOther, Wire::kJetstreamV2), by_time(230 - 63 - 60));
  send(position, 231, 400, 0, 500'000);
  position.disconnected("io_error");
  EXPECT_EQ(position.resume(kOther, Wire::kJetstreamV2),
            (Resume{Resume::Kind::kSequence, 500'000 + 337 - 60}));
  EXPECT_EQ(position.resume(kHost, Wire::kJetstreamV2).kind, Resume::Kind::kTime);
}

TEST(Position, AHostThatLacksTheLastEventsIsAGap) {
  Position position = following();
  position.disconnected("silent");
  position.connected(kOther, Wire::kJetstreamV1, at(210));
  send(position, 77, 130);
  send(position, 205, 300);
  EXPECT_EQ(position.take_gaps(), (std::vector<Gap>{{at(200), at(205), "silent"}}));
}

TEST(Position, AQuietFeedIsProvedByItsLastEvent) {
  Position position;
  position.connected(kHost, Wire::kJetstreamV1, at(0));
  for (std::int64_t n = 0; n < 10; ++n) position.observe(id(n), at(n * 3600), 0);
  position.disconnected("silent");
  // Not hours back for a few events: no further than one wrong time could mislead.
  EXPECT_EQ(position.resume(kHost, Wire::kJetstreamV1), by_time(9 * 3600 - 600 - 60));
  position.connected(kHost, Wire::kJetstreamV1, at(9 * 3600 + 100));
  position.observe(id(9), at(9 * 3600), 0);
  position.observe(id(10), at(10 * 3600), 0);
  position.observe(id(11), at(11 * 3600), 0);
  EXPECT_TRUE(position.take_gaps().empty());
}

TEST(Position, AQuietFeedIsCaughtUpWhenNothingMoreComes) {
  Position position = following();
  position.disconnected("server_closed");
  position.connected(kHost, Wire::kJetstreamV1, at(1000));
  send(position, 77, 130);
  position.idle();
  EXPECT_FALSE(position.caught_up()) << "it may be stuck: what we have seen did not come again";
  send(position, 131, 205);
  EXPECT_FALSE(position.caught_up());
  position.idle();
  EXPECT_TRUE(position.caught_up());
  position.disconnected("server_closed");
  EXPECT_FALSE(position.caught_up());
  position.idle();
  EXPECT_FALSE(position.caught_up()) << "silence without a connection proves nothing";
}

TEST(Position, CaughtUpByAnEventFromAfterTheConnect) {
  Position position = following(Wire::kJetstreamV1, 100);
  EXPECT_TRUE(position.caught_up());
  position.disconnected("server_closed");
  position.connected(kHost, Wire::kJetstreamV1, at(150));
  send(position, 40, 149);
  EXPECT_FALSE(position.caught_up());
  send(position, 150, 150);
  EXPECT_TRUE(position.caught_up());
}

TEST(Position, FlappingNeverForgetsASuspicion) {
  Position position = following();
  std::vector<Gap> expected;
  for (std::int64_t round = 0; round < 20; ++round) {
    position.disconnected("io_error");
    position.connected(kHost, Wire::kJetstreamV1, at(0));
    const std::int64_t from = 210 + round * 2;  // far more than can stay open at once
    send(position, from, from);                 // the live end only, each time
    expected.push_back({at(round == 0 ? 200 : from - 2), at(from), "io_error"});
  }
  send(position, 500, 600);
  EXPECT_EQ(position.take_gaps(), expected);
}

TEST(Position, OneWrongTimeDoesNotMoveTheResumePast) {
  Position position = following();
  position.observe(id(201), at(201 + 590), 0);
  position.disconnected("server_closed");
  const Resume resume = position.resume(kHost, Wire::kJetstreamV1);
  EXPECT_LE(resume.value, static_cast<std::uint64_t>(at(201 + 590 - 600 - 60)));
  position.connected(kHost, Wire::kJetstreamV1, at(210));
  send(position, 140, 900);
  EXPECT_TRUE(position.take_gaps().empty());
}

TEST(Position, ARefusalResumesFromTheFloorAndIsTheCause) {
  Position position = following(Wire::kJetstreamV2);
  position.disconnected("server_closed");
  position.refused(kHost, 9'000);
  EXPECT_EQ(position.resume(kHost, Wire::kJetstreamV2), (Resume{Resume::Kind::kSequence, 9'000}));
  EXPECT_EQ(position.resume(kOther, Wire::kJetstreamV2), by_time(77));
  position.refused(kHost, static_cast<std::uint64_t>(at(8'000)));
  EXPECT_EQ(position.resume(kHost, Wire::kJetstreamV2), by_time(8'000));
  position.refused(kHost, std::nullopt);
  EXPECT_EQ(position.resume(kHost, Wire::kJetstreamV2), Resume{});
  position.connected(kHost, Wire::kJetstreamV2, at(9'000));
  send(position, 8'000, 8'100);
  EXPECT_EQ(position.take_gaps(), (std::vector<Gap>{{at(200), at(8'000), "cursor_too_old"}}));
}

TEST(Position, ARestartIsACauseAndLosesNothing) {
  const std::string bytes = following(Wire::kJetstreamV2).serialize();
  Position position;
  ASSERT_TRUE(position.parse(bytes));
  EXPECT_FALSE(position.empty());
  EXPECT_EQ(position.host(), kHost);
  EXPECT_EQ(position.sequence(), 1200u);
  EXPECT_EQ(position.resume(kHost, Wire::kJetstreamV2),
            (Resume{Resume::Kind::kSequence, 1000 + 137 - 60}));
  Position proved = position;
  proved.connected(kHost, Wire::kJetstreamV2, at(300));
  send(proved, 77, 500);
  EXPECT_TRUE(proved.take_gaps().empty());
  position.connected(kHost, Wire::kJetstreamV2, at(300));
  send(position, 290, 500);
  EXPECT_EQ(position.take_gaps(), (std::vector<Gap>{{at(200), at(290), "restart"}}));
}

TEST(Position, AnOpenSuspicionOutlivesTheProcess) {
  Position before = following();
  before.disconnected("silent");
  before.connected(kHost, Wire::kJetstreamV1, at(300));
  send(before, 300, 310);
  ASSERT_EQ(before.suspicions().size(), 1u);
  for (const bool proved : {false, true}) {
    Position after;
    ASSERT_TRUE(after.parse(before.serialize()));
    after.connected(kHost, Wire::kJetstreamV1, at(320));
    send(after, proved ? 200 : 250, 400);
    const std::vector<Gap> expected = {{at(200), at(300), "silent"}};
    EXPECT_EQ(after.take_gaps(), proved ? std::vector<Gap>{} : expected);
  }
}

TEST(Position, ADisconnectThatIsStillUnprovedOutlivesTheProcess) {
  Position before = following();
  before.disconnected("silent");
  before.connected(kHost, Wire::kJetstreamV1, at(300));
  send(before, 60, 100);  // replay of the past, nothing proved yet
  Position after;
  ASSERT_TRUE(after.parse(before.serialize()));
  after.connected(kHost, Wire::kJetstreamV1, at(320));
  send(after, 320, 400);
  EXPECT_EQ(after.take_gaps(), (std::vector<Gap>{{at(200), at(320), "silent"}}));
}

TEST(Position, GapsNotYetTakenOutliveTheProcess) {
  Position before = following();
  before.disconnected("silent");
  before.connected(kHost, Wire::kJetstreamV1, at(300));
  send(before, 300, 400);
  Position after;
  ASSERT_TRUE(after.parse(before.serialize()));
  EXPECT_EQ(after.take_gaps(), (std::vector<Gap>{{at(200), at(300), "silent"}}));
}

TEST(Position, AnOrderlyStopIsARestartToTheNextProcess) {
  Position before = following();
  before.disconnected("stopped");
  Position after;
  ASSERT_TRUE(after.parse(before.serialize()));
  after.connected(kHost, Wire::kJetstreamV1, at(1000));
  send(after, 1000, 1100);
  EXPECT_EQ(after.take_gaps(), (std::vector<Gap>{{at(200), at(1000), "restart"}}));
}

TEST(Position, SerializingIsStable) {
  Position before = following(Wire::kJetstreamV2, 3000);
  before.disconnected("silent");
  before.connected(kOther, Wire::kJetstreamV2, at(300));
  send(before, 3300, 3310);
  before.disconnected("Not A Word!");
  Position after;
  ASSERT_TRUE(after.parse(before.serialize()));
  EXPECT_EQ(after.serialize(), before.serialize());
  EXPECT_TRUE(Position().parse(Position().serialize()));
}

TEST(Position, HostileBytesAreRefusedAndChangeNothing) {
  Position source = following(Wire::kJetstreamV2);
  source.disconnected("silent");
  source.connected(kHost, Wire::kJetstreamV2, at(300));
  send(source, 300, 310);
  const std::string good = source.serialize();
  Position position = following();
  const std::string before = position.serialize();
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    ASSERT_FALSE(position.parse(good.substr(0, cut))) << cut;
  }
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ (1 << (i % 8)));
    ASSERT_FALSE(position.parse(bad)) << i;
  }
  EXPECT_FALSE(position.parse(good + "x"));
  std::mt19937 random(3);
  for (int round = 0; round < 1000; ++round) {
    std::string noise(random() % 200, '\0');
    for (char& c : noise) c = static_cast<char>(random());
    ASSERT_FALSE(position.parse(noise));
  }
  EXPECT_EQ(position.serialize(), before);
}

}  // namespace
}  // namespace geotally::feed
