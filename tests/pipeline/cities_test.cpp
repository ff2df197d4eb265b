// Goal: an account counts in the city that its profile names, while that lies in its country; its
// posts stay where they were made; what was committed is there after a restart.
#include <gtest/gtest.h>

#include "rig.h"
#include "store/verify.h"
#include "support/temp_dir.h"

namespace geotally::pipeline {
namespace {

using support::kSecond_us;
using support::Line;
using Kind = Line::Kind;

constexpr std::uint32_t kLyon = 2'996'944;
constexpr std::uint32_t kKyoto = 1'857'910;

class Cities : public testing::Test {
 protected:
  Cities() {
    options_.directory = directory_.path();
    options_.threshold = 0.7;
    open();
  }
  void open() {
    rig_.reset();
    rig_ = std::make_unique<Rig>(options_);
  }
  void feed(Kind kind, const std::string& description = "", const std::string& status = "") {
    Line line;
    line.kind = kind;
    line.did = "did:plc:somebody";
    line.time_us = time_us_ += kSecond_us;
    line.rkey = kind == Kind::kPost ? std::to_string(time_us_) : "self";
    line.description = description;
    line.active = status.empty();
    line.status = status;
    rig_->feed(line);
    rig_->settle();
  }
  // "city: posts, accounts; …"
  [[nodiscard]] std::string shown() const {
    std::string text;
    for (const tally::CityFigures& city : rig_->snapshot()->cities) {
      text += std::to_string(city.city) + ": " + std::to_string(city.posts) + ", " +
              std::to_string(city.accounts) + "; ";
    }
    return text;
  }
  static std::string is(std::uint32_t city, int posts, int accounts) {
    return std::to_string(city) + ": " + std::to_string(posts) + ", " + std::to_string(accounts) +
           "; ";
  }

  const support::TempDir directory_;
  RigOptions options_;
  std::int64_t time_us_ = 1'700'000'000 * kSecond_us;
  std::unique_ptr<Rig> rig_;
};

TEST_F(Cities, FollowTheProfile) {
  feed(Kind::kPost);
  EXPECT_EQ(shown(), "");
  feed(Kind::kProfile, "Lyon, France");
  EXPECT_EQ(shown(), is(kLyon, 0, 1));
  feed(Kind::kPost);
  feed(Kind::kPost);
  EXPECT_EQ(shown(), is(kLyon, 2, 1));
  feed(Kind::kProfile, "Kyoto, Japan");
  EXPECT_EQ(shown(), is(kKyoto, 0, 1) + is(kLyon, 2, 0));
  EXPECT_EQ(rig_->metric("geotally_accounts_moved_total"), 2);  // from ZZ, and to Japan
  feed(Kind::kPost);
  EXPECT_EQ(shown(), is(kKyoto, 1, 1) + is(kLyon, 2, 0));

  open();  // as after a restart
  EXPECT_EQ(shown(), is(kKyoto, 1, 1) + is(kLyon, 2, 0));
  feed(Kind::kPost);
  feed(Kind::kAccount, "", "takendown");
  EXPECT_EQ(shown(), is(kKyoto, 2, 0) + is(kLyon, 2, 0));
  feed(Kind::kAccount);
  EXPECT_EQ(shown(), is(kKyoto, 2, 1) + is(kLyon, 2, 0));
  feed(Kind::kProfile, "");
  EXPECT_EQ(shown(), is(kKyoto, 2, 0) + is(kLyon, 2, 0));
  rig_->stop();
  EXPECT_EQ(store::verify(rig_->store()).differing, 0U);
}

TEST_F(Cities, AreLeftForACountryThatTheyAreNotIn) {
  feed(Kind::kProfile, "Lyon, France");
  EXPECT_EQ(shown(), is(kLyon, 0, 1));
  Line line;
  line.kind = Kind::kAddress;
  line.did = "did:plc:somebody";
  line.time_us = time_us_ += kSecond_us;
  line.country = "JP";
  rig_->feed(line);
  rig_->settle();
  EXPECT_EQ(shown(), "");
}

}  // namespace
}  // namespace geotally::pipeline
