#include "http/api/rankings.h"

#include <algorithm>
#include <array>

#include "http/api/basis.h"
#include "http/api/ranking.h"

namespace geotally::http {
namespace {

enum class By { kAccounts, kPosts, kActive, kActiveShare, kEngaged, kGrowth, kPostsPerMillion };
constexpr std::array<std::string_view, 7> kBy = {
    "accounts", "posts", "active", "active_share", "engaged", "growth", "posts_per_million"};
/// What can grow: the first of kBy, so that one enum does.
constexpr std::array<std::string_view, 5> kOf = {"accounts", "posts", "active", "active_share",
                                                 "engaged"};

constexpr std::array<std::int32_t, DailyRow::kWindows> kDailyWindowDays = {1, 7, 30, 90};
/// Below it a share or a growth is the luck of a few.
constexpr std::uint64_t kMinAccounts = 1'000;

/// One country at one moment, seen through one window.
struct Figures {
  std::uint64_t accounts = 0;
  std::uint64_t posts = 0;
  std::uint64_t active = 0;
  std::uint64_t engaged = 0;
};
using Moment = std::vector<Figures>;  // by Country::index()

Moment now(const tally::Snapshot& snapshot, std::size_t window) {
  Moment moment;
  for (const tally::CountryFigures& figures : snapshot.countries) {
    moment.push_back({figures.accounts, figures.window_posts[window], figures.window_active[window],
                      figures.engagement[static_cast<std::size_t>(tally::Engagement::kEngaged)]});
  }
  return moment;
}

/// As the daily rows have it at the end of `day`; `window` is a place in kDailyWindowDays.
std::optional<Moment> at(const Days& days, std::int32_t day, std::size_t window) {
  const auto closing = days.at(day);
  if (!closing) return std::nullopt;
  Moment moment(Country::count());
  for (std::size_t i = 0; i < moment.size(); ++i) {
    const DailyRow& row = closing->rows[i];
    moment[i] = {row.accounts, 0, row.active[window],
                 row.engagement[static_cast<std::size_t>(tally::Engagement::kEngaged)]};
  }
  days.each(day - kDailyWindowDays[window] + 1, day, [&](const Day& counted) {
    for (std::size_t i = 0; i < moment.size(); ++i) moment[i].posts += counted.rows[i].posts;
  });
  return moment;
}

std::optional<double> value_of(By by, const Figures& figures, Country country) {
  switch (by) {
    case By::kAccounts:
      return static_cast<double>(figures.accounts);
    case By::kPosts:
      return static_cast<double>(figures.posts);
    case By::kActive:
      return static_cast<double>(figures.active);
    case By::kActiveShare:
      return ratio(figures.active, figures.accounts);
    case By::kEngaged:
      return static_cast<double>(figures.engaged);
    case By::kPostsPerMillion:
      if (country.population() == 0) return std::nullopt;
      return static_cast<double>(figures.posts) * 1e6 / country.population();
    case By::kGrowth:
      break;
  }
  return std::nullopt;
}

bool is_ratio(By by) {
  return by == By::kActiveShare || by == By::kGrowth || by == By::kPostsPerMillion;
}

/// The question, understood.
struct Query {
  By by{};
  By of{};
  std::size_t window = 0;  ///< place in the snapshot's windows, or in kDailyWindowDays
  std::string window_name;
  const Region* region = nullptr;
  std::size_t limit = 0;
  std::uint64_t min_accounts = 0;
  bool daily = false;  ///< answered from daily rows
  std::optional<std::int32_t> at;
  std::optional<std::int32_t> from;
};

std::string complaint_about(Query& query, const tally::Snapshot& snapshot,
                            const Parameters& parameters) {
  ParameterReader reader(parameters,
                         {"by", "of", "window", "region", "limit", "min_accounts", "at", "from"});
  query.by = static_cast<By>(reader.choice("by", kBy, 0));
  const bool growth = query.by == By::kGrowth;
  if (!growth && (reader.given("of") || reader.given("from"))) {
    reader.complain("of and from are for by=growth only");
  }
  query.of = static_cast<By>(reader.choice("of", kOf, 0));
  query.at = reader.day("at");
  query.from = reader.day("from");
  query.daily = growth || query.at.has_value();

  std::vector<std::string_view> windows;
  if (query.daily) {
    windows.assign(DailyRow::kWindowNames.begin(), DailyRow::kWindowNames.end());
  } else {
    for (const tally::Window& window : snapshot.windows) windows.push_back(window.name);
  }
  const std::string_view preferred = growth ? "30d" : "24h";
  const auto found = std::ranges::find(windows, preferred);
  const auto fallback =
      static_cast<std::size_t>(found == windows.end() ? 0 : found - windows.begin());
  query.window = reader.choice("window", windows, fallback);
  query.window_name = windows[query.window];

  query.region = &reader.region("region");
  query.limit = reader.number("limit", 20, 1, Country::kLimit);
  const bool needs_many = growth || query.by == By::kActiveShare;
  query.min_accounts = reader.number("min_accounts", needs_many ? kMinAccounts : 0, 0, UINT32_MAX);
  return reader.complaint();
}

std::string no_row(std::int32_t day, const tally::Snapshot& snapshot) {
  return "there is no daily row for " + day_text(day) +
         "; a day has one once it is over, and the first is that of observed_since, " +
         time_text(snapshot.observed_since_us);
}

}  // namespace

Reply ask_rankings(const Sources& sources, const tally::Snapshot& snapshot,
                   const Parameters& parameters) {
  Query query;
  if (std::string complaint = complaint_about(query, snapshot, parameters); !complaint.empty()) {
    return Reply::bad(std::move(complaint));
  }
  const Days days(sources);
  auto answer = std::make_shared<v1::Rankings>();
  fill(*answer->mutable_basis(), snapshot);

  Moment moment;
  Column column(Country::count());
  if (!query.daily) {
    moment = now(snapshot, query.window);
    fill(*answer->mutable_coverage(), snapshot, query.window);
  } else {
    if (!query.at) {
      const auto newest = days.newest(day_of(snapshot.edge_us));
      if (!newest) return Reply::bad(no_row(day_of(snapshot.edge_us), snapshot));
      query.at = newest->day;
    }
    const auto end = at(days, *query.at, query.window);
    if (!end) return Reply::bad(no_row(*query.at, snapshot));
    moment = *end;
    answer->set_at(day_text(*query.at));
  }

  if (query.by == By::kGrowth) {
    const std::int32_t from = query.from.value_or(*query.at - kDailyWindowDays[query.window]);
    if (from >= *query.at) return Reply::bad("from must be before at, " + day_text(*query.at));
    const auto start = at(days, from, query.window);
    if (!start) return Reply::bad(no_row(from, snapshot));
    for (std::size_t i = 0; i < column.size(); ++i) {
      const Country country = Country::from_index(i);
      const auto before = value_of(query.of, (*start)[i], country);
      const auto after = value_of(query.of, moment[i], country);
      if (before && after && *before > 0) column[i] = *after / *before - 1;
    }
    answer->set_of(std::string(kOf[static_cast<std::size_t>(query.of)]));
    answer->set_from(day_text(from));
    fill(*answer->mutable_coverage(), days, from + 1, *query.at, snapshot.observed_since_us);
  } else {
    for (std::size_t i = 0; i < column.size(); ++i) {
      column[i] = value_of(query.by, moment[i], Country::from_index(i));
    }
    if (query.daily) {
      fill(*answer->mutable_coverage(), days, *query.at - kDailyWindowDays[query.window] + 1,
           *query.at, snapshot.observed_since_us);
    }
  }

  std::optional<double> total;
  if (!is_ratio(query.by)) {
    total = 0;
    for (const auto& value : column) *total += value.value_or(0);
    answer->set_total(*total);
    answer->set_unknown(column[kUnknownCountry.index()].value_or(0));
  }
  for (std::size_t i = 0; i < column.size(); ++i) {
    if (moment[i].accounts < query.min_accounts) column[i].reset();
  }

  answer->set_by(std::string(kBy[static_cast<std::size_t>(query.by)]));
  answer->set_window(query.window_name);
  fill(*answer->mutable_region(), *query.region);
  answer->set_min_accounts(query.min_accounts);
  const auto world_ranks = ranks(column, *find_region(1));
  const auto here_ranks = ranks(column, *query.region);
  const std::vector<Country> order = ranked(column, *query.region);
  answer->set_ranked(static_cast<std::uint32_t>(order.size()));
  for (std::size_t place = 0; place < std::min(order.size(), query.limit); ++place) {
    const Country country = order[place];
    const std::size_t i = country.index();
    const Region* macro = find_region(country.region());
    v1::RankingsRow& row = *answer->add_rows();
    row.set_rank(here_ranks[i]);
    row.set_world_rank(world_ranks[i]);
    if (macro != nullptr) {
      row.set_region_rank(ranks(column, *macro)[i]);
      row.set_region(code_text(macro->code));
    }
    row.set_country(std::string(country.code()));
    row.set_name(std::string(country.name_en()));
    row.set_name_fr(std::string(country.name_fr()));
    row.set_value(*column[i]);
    if (total && *total > 0) row.set_share(*column[i] / *total);
    row.set_accounts(moment[i].accounts);
    row.set_active_accounts(moment[i].active);
    set(row, &v1::RankingsRow::set_active_share, ratio(moment[i].active, moment[i].accounts));
  }
  return {200, "", std::move(answer)};
}

}  // namespace geotally::http
