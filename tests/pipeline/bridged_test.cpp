// Goal: an account that a bridge brings from another network is counted as such, and never for the
// country code that the bridge's name ends with.
// Method: identity events with handles, through a whole pipeline and over a restart.
#include <memory>

#include <gtest/gtest.h>

#include "rig.h"
#include "store/verify.h"
#include "support/temp_dir.h"

namespace geotally::pipeline {
namespace {

using support::Line;

constexpr std::int64_t kStart = 1'780'000'000'000'000;

class Bridged : public testing::Test {
 protected:
  Bridged() { open(); }

  void open() {
    rig_.reset();
    RigOptions options;
    options.directory = directory_.path();
    options.threshold = 0.5;
    rig_ = std::make_unique<Rig>(options);
  }
  void handle(std::string did, std::string handle) {
    Line line;
    line.kind = Line::Kind::kIdentity;
    line.did = std::move(did);
    line.handle = std::move(handle);
    line.time_us = now_us_ += support::kSecond_us;
    rig_->feed(line);
  }
  std::uint64_t bridged() {
    rig_->settle();
    std::uint64_t sum = 0;
    for (const auto& country : rig_->snapshot()->countries) sum += country.bridged;
    return sum;
  }
  std::uint64_t accounts_of(std::string_view code) {
    rig_->settle();
    return rig_->snapshot()->countries[Country::parse(code)->index()].accounts;
  }
  void expect_verified() {
    rig_->settle();
    const store::Verification verification = store::verify(rig_->store());
    EXPECT_EQ(verification.differing, 0U) << store::summary(verification);
  }

  const support::TempDir directory_;
  std::unique_ptr<Rig> rig_;
  std::int64_t now_us_ = kStart;
};

TEST_F(Bridged, ThirtyOfThemPutNoCountryFirst) {
  for (int i = 0; i < 30; ++i) {
    handle("did:plc:bridged" + std::to_string(i), "someone" + std::to_string(i) + ".ap.brid.gy");
  }
  handle("did:plc:own", "someone.example.com");
  EXPECT_EQ(bridged(), 30U);
  EXPECT_EQ(accounts_of("GY"), 0U);
  expect_verified();
}

TEST_F(Bridged, AnAccountMovesBetweenThem) {
  handle("did:plc:a", "a.web.brid.gy");
  EXPECT_EQ(bridged(), 1U);
  open();
  EXPECT_EQ(bridged(), 1U);
  handle("did:plc:a", "");  // nothing was said of it
  EXPECT_EQ(bridged(), 1U);
  handle("did:plc:a", "a.example.com");
  EXPECT_EQ(bridged(), 0U);
  expect_verified();
}

}  // namespace
}  // namespace geotally::pipeline
