#include "model.h"

#include <algorithm>

namespace geotally::tally {
namespace {

// Whole buckets: t is in window W at E iff floor(t/b) > floor(E/b) - W/b.
bool in_window(std::int64_t time_s, std::int64_t seconds, std::int64_t edge_s) {
  const std::int64_t b = seconds <= 15 * 60 ? 1 : seconds <= 86'400 ? 60 : 3'600;
  return time_s / b > edge_s / b - seconds / b && time_s / b <= edge_s / b;
}

Engagement engagement(const std::vector<std::int64_t>& posts, std::int64_t edge_s) {
  if (posts.empty()) return Engagement::kNever;
  std::set<std::int64_t> days;
  for (const std::int64_t time_s : posts) days.insert(time_s / 86'400);
  if (days.size() == 1) return Engagement::kOnce;
  const auto recent = std::count_if(days.begin(), days.end(),
                                    [&](std::int64_t day) { return day > edge_s / 86'400 - 28; });
  return recent >= 8 ? Engagement::kEngaged : Engagement::kOccasional;
}

}  // namespace

bool Model::add(const Sample& sample, const Placement& placement) {
  if (sample.kind == EventKind::kAccount || sample.kind == EventKind::kIdentity) {
    std::int64_t& latest_us = sample.kind == EventKind::kAccount ? status_us_[sample.account]
                                                                 : identity_us_[sample.account];
    if (sample.upstream_time_us <= latest_us) return false;
    latest_us = sample.upstream_time_us;
  } else if (!records_.emplace(sample.account, sample.revision, sample.discriminator).second) {
    return false;
  }

  Account& account = accounts_[sample.account];
  account.placement = placement;
  const std::int64_t time_s = sample.time_us / 1'000'000;
  auto& day = days_[time_s / 86'400];
  const std::size_t where = placement.country.index();
  const bool deletes = sample.kind == EventKind::kPostDelete ||
                       sample.kind == EventKind::kProfileDelete ||
                       sample.kind == EventKind::kAddressDelete;
  const bool leaves = sample.kind == EventKind::kAccount && sample.status != AccountStatus::kActive;
  if (!account.known && !deletes && !leaves) {
    account.known = true;
    ++day[where].accounts;
  }
  if (sample.kind == EventKind::kPost) {
    account.posts.push_back(time_s);
    posts_.push_back({time_s, placement.country, placement.city});
    ++day[where].posts;
  }
  if (sample.kind == EventKind::kPostDelete) {
    deletions_.push_back(placement.country);
    ++day[where].deleted;
  }
  if (sample.kind == EventKind::kAccount && sample.status != AccountStatus::kHostTrouble) {
    account.gone = sample.status != AccountStatus::kActive;
  }
  return true;
}

void Model::erase(AccountKey account) { accounts_.erase(account); }

Placement Model::placement(AccountKey account) const {
  const auto found = accounts_.find(account);
  return found == accounts_.end() ? Placement{} : found->second.placement;
}

std::map<std::uint32_t, CityTotals> Model::cities() const {
  std::map<std::uint32_t, CityTotals> cities;
  for (const Post& post : posts_) {
    if (post.city != 0) ++cities[post.city].posts;
  }
  for (const auto& [key, account] : accounts_) {
    if (account.placement.city == 0 || !account.known || account.gone) continue;
    ++cities[account.placement.city].accounts;
  }
  return cities;
}

std::vector<CountryFigures> Model::figures(std::span<const Window> windows,
                                           std::int64_t edge_s) const {
  std::vector<CountryFigures> figures(Country::count());
  for (const Post& post : posts_) {
    CountryFigures& out = figures[post.country.index()];
    ++out.posts;
    for (std::size_t w = 0; w < windows.size(); ++w) {
      if (in_window(post.time_s, windows[w].seconds, edge_s)) ++out.window_posts[w];
    }
  }
  for (const Country country : deletions_) ++figures[country.index()].posts_deleted;
  for (const auto& [key, account] : accounts_) {
    if (!account.known || account.gone) continue;
    CountryFigures& out = figures[account.placement.country.index()];
    ++out.accounts;
    ++out.evidence[static_cast<std::size_t>(account.placement.evidence)];
    out.confidence_sum += account.placement.confidence;
    ++out.engagement[static_cast<std::size_t>(engagement(account.posts, edge_s))];
    if (account.posts.empty()) continue;
    const std::int64_t last_s = *std::max_element(account.posts.begin(), account.posts.end());
    for (std::size_t w = 0; w < windows.size(); ++w) {
      if (in_window(last_s, windows[w].seconds, edge_s)) ++out.window_active[w];
    }
  }
  return figures;
}

}  // namespace geotally::tally
