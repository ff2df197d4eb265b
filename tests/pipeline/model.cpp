#include "model.h"

#include <algorithm>
#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "country/country.h"

namespace geotally::pipeline {

using support::kDay_us;
using support::kSecond_us;
using support::Line;
using Kind = Line::Kind;

bool Model::apply(const Line& line) {
  watermark_us_ = std::max(watermark_us_, line.time_us);
  if (line.kind == Kind::kLike) return false;
  Account& account = accounts_[line.did];
  if (line.kind == Kind::kAccount || line.kind == Kind::kIdentity) {
    auto& newest = line.kind == Kind::kAccount ? account.status : account.identity;
    const std::pair order(line.upstream_us != 0 ? line.upstream_us : line.time_us, line.sequence);
    if (order <= newest) return false;
    newest = order;
  } else {
    const std::uint64_t revision =
        line.revision != 0 ? line.revision : support::revision_at(line.time_us);
    const std::string record =
        fmt::format("{} {} {} {}", line.did, revision, static_cast<int>(line.kind), line.rkey);
    if (!seen_.insert(record).second) return false;
  }
  ++accepted_;

  if (line.kind == Kind::kAddress) account.country = line.country;
  if (line.kind == Kind::kAddressDelete) account.country = "ZZ";
  const bool deletion = line.kind == Kind::kPostDelete || line.kind == Kind::kAddressDelete;
  if (!deletion && !account.known && (line.kind != Kind::kAccount || line.active)) {
    account.known = true;
    fresh_.push_back({line.time_us, account.country});
  }
  switch (line.kind) {
    case Kind::kPost:
      posts_.push_back({line.time_us, account.country});
      account.last_post_us = std::max(account.last_post_us, line.time_us);
      account.days.insert(line.time_us / kDay_us);
      break;
    case Kind::kPostDelete:
      deleted_.push_back({line.time_us, account.country});
      break;
    case Kind::kAccount:
      if (line.active) {
        account.gone = false;
      } else if (line.status != "desynchronized" && line.status != "throttled") {
        account.gone = true;
      }
      break;
    default:
      break;
  }
  return true;
}

void Model::erase(const std::string& did) {
  Account& account = accounts_[did];
  Account left;
  left.status = account.status;
  left.identity = account.identity;
  account = left;
}

std::map<std::string, Expected> Model::figures(std::span<const tally::Window> windows,
                                               std::int64_t edge_us) const {
  const auto in_window = [&](std::int64_t time_us, std::int64_t window_s) {
    const std::int64_t bucket_s = window_s <= 900 ? 1 : window_s <= 86'400 ? 60 : 3'600;
    const std::int64_t t = time_us / kSecond_us / bucket_s;
    const std::int64_t e = edge_us / kSecond_us / bucket_s;
    return t > e - window_s / bucket_s && t <= e;
  };
  std::map<std::string, Expected> all;
  const auto of = [&](const std::string& country) -> Expected& {
    Expected& one = all[country];
    one.window_posts.resize(windows.size());
    one.window_active.resize(windows.size());
    return one;
  };
  for (const Post& post : posts_) {
    Expected& country = of(post.country);
    ++country.posts;
    for (std::size_t w = 0; w < windows.size(); ++w) {
      if (in_window(post.time_us, windows[w].seconds)) ++country.window_posts[w];
    }
  }
  for (const Post& post : deleted_) ++of(post.country).deleted;
  const std::int64_t today = edge_us / kDay_us;
  for (const auto& [did, account] : accounts_) {
    if (!account.known || account.gone) continue;
    Expected& country = of(account.country);
    ++country.accounts;
    const auto recent = std::count_if(account.days.begin(), account.days.end(),
                                      [&](auto day) { return day > today - 28 && day <= today; });
    const auto engagement = account.days.empty()       ? tally::Engagement::kNever
                            : account.days.size() == 1 ? tally::Engagement::kOnce
                            : recent >= 8              ? tally::Engagement::kEngaged
                                                       : tally::Engagement::kOccasional;
    ++country.engagement[static_cast<std::size_t>(engagement)];
    for (std::size_t w = 0; w < windows.size(); ++w) {
      if (!account.days.empty() && in_window(account.last_post_us, windows[w].seconds)) {
        ++country.window_active[w];
      }
    }
  }
  return all;
}

std::map<std::string, ExpectedDay> Model::day(std::int64_t day) const {
  std::map<std::string, ExpectedDay> all;
  const auto on_day = [&](const Post& post) { return post.time_us / kDay_us == day; };
  for (const Post& post : posts_) all[post.country].posts += on_day(post) ? 1 : 0;
  for (const Post& post : deleted_) all[post.country].deleted += on_day(post) ? 1 : 0;
  for (const Post& post : fresh_) all[post.country].fresh += on_day(post) ? 1 : 0;
  return all;
}

void expect_figures(const tally::Snapshot& snapshot, const Model& model) {
  auto expected = model.figures(snapshot.windows, snapshot.edge_us);
  ASSERT_EQ(snapshot.countries.size(), Country::count());
  for (std::size_t i = 0; i < Country::count(); ++i) {
    const std::string code(Country::from_index(i).code());
    const tally::CountryFigures& shown = snapshot.countries[i];
    Expected& want = expected[code];
    want.window_posts.resize(snapshot.windows.size());
    want.window_active.resize(snapshot.windows.size());
    EXPECT_EQ(shown.posts, want.posts) << code;
    EXPECT_EQ(shown.posts_deleted, want.deleted) << code;
    EXPECT_EQ(shown.accounts, want.accounts) << code;
    EXPECT_EQ(shown.engagement, want.engagement) << code;
    for (std::size_t w = 0; w < snapshot.windows.size(); ++w) {
      EXPECT_EQ(shown.window_posts[w], want.window_posts[w]) << code << snapshot.windows[w].name;
      EXPECT_EQ(shown.window_active[w], want.window_active[w]) << code << snapshot.windows[w].name;
    }
  }
}

std::vector<Line> make_feed(const FeedShape& shape) {
  static constexpr const char* kCountries[] = {"FR", "BR", "JP", "US", "XK", "DE", "IN"};
  static constexpr const char* kStatuses[] = {"takendown", "suspended",      "deactivated",
                                              "",          "desynchronized", "throttled"};
  std::mt19937 random(shape.seed);
  const auto below = [&](std::int64_t limit) {
    return std::uniform_int_distribution<std::int64_t>(0, limit - 1)(random);
  };
  std::vector<Line> lines;
  std::int64_t time_us = shape.start_us;
  for (std::size_t i = 0; i < shape.events; ++i) {
    time_us += 1 + below(2 * shape.step_us);
    Line& line = lines.emplace_back();
    // A few are much busier than the others.
    const auto accounts = static_cast<std::int64_t>(shape.accounts);
    line.did = fmt::format(
        "did:plc:{}-{}", shape.seed,
        below(4) == 0 ? below(std::max<std::int64_t>(accounts / 20, 1)) : below(accounts));
    line.time_us = time_us;
    line.revision = support::revision_at(time_us, static_cast<unsigned>(i));
    line.rkey = fmt::format("r{}", i);
    line.sequence = i + 1;
    const std::int64_t dice = below(100);
    if (dice < 70) {
      line.kind = Kind::kPost;
    } else if (dice < 75) {
      line.kind = Kind::kPostDelete;
    } else if (dice < 83) {
      line.kind = Kind::kAddress;
      line.rkey = "home";
      line.country = kCountries[below(std::size(kCountries))];
    } else if (dice < 85) {
      line.kind = Kind::kAddressDelete;
      line.rkey = "home";
    } else if (dice < 89) {
      line.kind = Kind::kProfile;
      line.rkey = "self";
    } else if (dice < 92) {
      line.kind = Kind::kIdentity;
      line.upstream_us = time_us - below(5'000'000);
    } else if (dice < 97 && shape.with_status) {
      line.kind = Kind::kAccount;
      line.active = below(2) == 0;
      if (!line.active) line.status = kStatuses[below(std::size(kStatuses))];
    } else {
      line.kind = Kind::kLike;
    }
    // Within the fence's horizon a feed may be out of order.
    if (i > 0 && line.kind == Kind::kPost && lines[i - 1].kind == Kind::kPost &&
        line.time_us - lines[i - 1].time_us < 20 * kSecond_us && below(5) == 0) {
      std::swap(line, lines[i - 1]);
    }
  }
  return lines;
}

}  // namespace geotally::pipeline
