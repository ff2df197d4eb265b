// Goal: after kill -9 at any moment the state is that of the last commit, and the feed is resumed
// from the cursor inside it: not one event is lost, not one counts twice.
// Method: this program starts itself as a child that follows the feed; the parent kills it after
// a random number of events, again and again, until the feed has ended; then it compares.
#include "crash_test.h"

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <random>

#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model.h"
#include "rig.h"
#include "store/verify.h"
#include "support/temp_dir.h"

extern char** environ;

namespace geotally::pipeline {
namespace {

using support::kDay_us;
using support::Line;
using support::TempDir;

constexpr std::size_t kEventsPerByte = 100;

std::vector<Line> feed_of_the_test() {
  FeedShape shape;
  shape.accounts = 4'000;
  shape.events = 120'000 / kShorter;
  shape.step_us =
      2 * support::kSecond_us *
      static_cast<std::int64_t>(kShorter);  // some days: days are closed on the way, too
  return make_feed(shape);
}

// A child that follows the feed; says a byte for every so many events.
struct Child {
  Child(const std::string& directory, std::size_t shards) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    std::string program = "/proc/self/exe";
    std::string mode = kFollowFlag;
    std::string where = directory;
    std::string number = std::to_string(shards);
    std::string out = std::to_string(ends[1]);
    char* arguments[] = {program.data(), mode.data(), where.data(),
                         number.data(),  out.data(),  nullptr};
    EXPECT_EQ(::posix_spawn(&pid, program.c_str(), nullptr, nullptr, arguments, environ), 0);
    ::close(ends[1]);
    progress = ends[0];
  }
  ~Child() { ::close(progress); }

  // False = it has ended by itself.
  bool await_bytes(std::size_t bytes) const {
    char byte = 0;
    while (bytes-- > 0) {
      if (::read(progress, &byte, 1) <= 0) return false;
    }
    return true;
  }
  int wait() const {
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    return status;
  }

  ::pid_t pid = 0;
  int progress = 0;
};

TEST(Crash, KilledAtAnyMomentNothingIsLostAndNothingCountsTwice) {
  const TempDir directory;
  const std::vector<Line> lines = feed_of_the_test();
  std::mt19937 random(11);
  static constexpr std::size_t kShards[] = {2, 1, 5, 3};
  int killed = 0;
  for (int round = 0;; ++round) {
    const Child child(directory.path(), kShards[static_cast<std::size_t>(round) % 4]);
    // Room for progress, or it would end where it began: a commit or two must fit in.
    if (!child.await_bytes(random() % (lines.size() / kEventsPerByte / 6))) {
      const int status = child.wait();
      ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
      break;
    }
    ::kill(child.pid, SIGKILL);
    child.wait();
    ++killed;
    ASSERT_LT(killed, 1'000) << "no progress";
  }
  EXPECT_GT(killed, 2);

  Model model;
  model.apply(lines);
  RigOptions options;
  options.directory = directory.path();
  Rig rig(options);
  expect_figures(*rig.snapshot(), model);
  EXPECT_EQ(rig.snapshot()->watermark_us, model.watermark_us());
  EXPECT_EQ(rig.snapshot()->gaps, 0U);
  const store::Verification verified = store::verify(rig.store());
  EXPECT_EQ(verified.differing, 0U)
      << (verified.differences.empty() ? "" : verified.differences.front());

  // Each day once, as an undisturbed process closes it.
  const TempDir undisturbed;
  options.directory = undisturbed.path();
  Rig other(options);
  other.feed(lines);
  other.settle();
  const auto days = rig.store().days(0, INT64_MAX);
  const auto want = other.store().days(0, INT64_MAX);
  ASSERT_EQ(days.size(), want.size());
  EXPECT_GT(days.size(), 1U);
  for (std::size_t i = 0; i < days.size(); ++i) {
    EXPECT_EQ(days[i].day, want[i].day);
    EXPECT_EQ(days[i].head.gap_us, want[i].head.gap_us);
    EXPECT_EQ(days[i].counted.posts, want[i].counted.posts);
    EXPECT_EQ(days[i].counted.accounts, want[i].counted.accounts);
    for (std::size_t c = 0; c < Country::count(); ++c) {
      EXPECT_EQ(days[i].closing[c].accounts, want[i].closing[c].accounts);
      EXPECT_EQ(days[i].closing[c].engagement, want[i].closing[c].engagement);
      EXPECT_EQ(days[i].closing[c].active, want[i].closing[c].active);
    }
  }
}

}  // namespace

int follow(char** arguments) {
  RigOptions options;
  options.directory = arguments[0];
  options.shards = std::strtoul(arguments[1], nullptr, 10);
  options.memory_bytes = std::size_t{1} << 20;  // some accounts are cold
  const int progress = std::atoi(arguments[2]);
  const std::vector<Line> lines = feed_of_the_test();
  Rig rig(options);
  std::size_t done = 0;
  for (std::size_t i = rig.resume_at(lines); i < lines.size(); ++i) {
    rig.feed(lines[i]);
    if (i % 37 == 0) rig.drained();
    if (++done % kEventsPerByte == 0 && ::write(progress, "", 1) != 1) return 1;
  }
  rig.stop();
  return 0;
}

}  // namespace geotally::pipeline
