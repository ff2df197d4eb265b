#include "study/figures.h"

#include <algorithm>
#include <set>

#include "geotally/v1/api.pb.h"
#include "http/api/days.h"
#include "http/api/parameters.h"
#include "http/api/ranking.h"
#include "tally/windows.h"

namespace geotally::study {
namespace {

// Who overtook whom: among so many countries, and behind for so many days before.
constexpr std::size_t kOvertakers = 10;
constexpr int kBehindDays = 14;
// A new store knows an account only once it has shown itself: the ranks of its first month are
// those of who came first.
constexpr std::int32_t kSettlingDays = 30;

/// Keeps the first reply that is no answer, so that gather() reads from top to bottom.
class Asking {
 public:
  explicit Asking(const http::Ask& ask) : ask_(ask) {}

  template <class Message>
  Message get(const std::string& question, const http::Parameters& parameters) {
    if (failed()) return {};
    http::Reply reply = ask_(question, parameters);
    if (reply.code != 200) {
      failure_ = std::move(reply);
      return {};
    }
    const auto& message = dynamic_cast<const Message&>(*reply.message);
    commits_.insert(message.basis().commit());
    return message;
  }
  void refuse(std::string error) {
    if (!failed()) failure_ = http::Reply::bad(std::move(error));
  }
  [[nodiscard]] bool failed() const { return failure_.code != 200; }
  [[nodiscard]] http::Reply& failure() { return failure_; }
  /// Of the answers so far.
  [[nodiscard]] const std::set<std::uint64_t>& commits() const { return commits_; }

 private:
  const http::Ask& ask_;
  http::Reply failure_;
  std::set<std::uint64_t> commits_;
};

using Column = http::Column;

template <class Value>
Column column_of(const Figures& figures, std::uint64_t min_accounts, Value value) {
  Column column(Country::count());
  for (std::size_t i = 0; i < column.size(); ++i) {
    if (figures.countries[i].accounts >= std::max<std::uint64_t>(min_accounts, 1)) {
      column[i] = value(figures.countries[i]);
    }
  }
  return column;
}

std::uint64_t active_of(const v1::HistoryRow& row, std::int32_t window_days) {
  switch (window_days) {
    case 1:
      return row.active_24h();
    case 7:
      return row.active_7d();
    case 30:
      return row.active_30d();
    default:
      return row.active_90d();
  }
}

void rank(Figures& figures) {
  const http::Region& world = *http::find_region(1);
  const Column now = column_of(figures, 0, [](const Standing& s) { return double(s.accounts); });
  Column before(Country::count());
  for (std::size_t i = 0; i < before.size(); ++i) {
    const std::uint64_t accounts = figures.countries[i].accounts_before;
    if (accounts > 0) before[i] = static_cast<double>(accounts);
  }
  figures.order = http::ranked(now, world);
  figures.order_before = http::ranked(before, world);
  figures.region_order = http::ranked(now, *figures.region);
  const auto ranks = http::ranks(now, world);
  const auto ranks_before = http::ranks(before, world);
  const auto here = http::ranks(now, *figures.region);
  const auto here_before = http::ranks(before, *figures.region);
  for (std::size_t i = 0; i < now.size(); ++i) {
    Standing& standing = figures.countries[i];
    standing.rank = ranks[i];
    standing.rank_before = ranks_before[i];
    standing.region_rank = here[i];
    standing.region_rank_before = here_before[i];
  }
  const auto by = [&](auto value) {
    return http::ranked(column_of(figures, figures.min_accounts, value), world);
  };
  figures.by_active_share = by([](const Standing& s) { return s.active_share(); });
  figures.by_growth = by([](const Standing& s) { return s.growth(); });
  figures.by_engaged = by([](const Standing& s) { return std::optional(double(s.engaged)); });
}

// The rows of a country from as long before the period as the period is.
std::vector<std::pair<std::int32_t, std::uint64_t>> accounts_by_day(Asking& asking,
                                                                    const Figures& figures,
                                                                    Country country) {
  const std::int32_t first = std::max(figures.from - (figures.to - figures.from),
                                      figures.observed_since_day + kSettlingDays);
  if (first > figures.to) return {};
  const auto history = asking.get<v1::History>("history", {{"country", std::string(country.code())},
                                                           {"from", http::day_text(first)},
                                                           {"to", http::day_text(figures.to)}});
  std::vector<std::pair<std::int32_t, std::uint64_t>> rows;
  for (const v1::HistoryRow& row : history.rows()) {
    rows.emplace_back(http::parse_day(row.date()).value_or(0), row.accounts());
  }
  return rows;
}

void find_overtakings(Asking& asking, Figures& figures) {
  std::vector<std::vector<std::pair<std::int32_t, std::uint64_t>>> rows;
  const std::size_t count = std::min(kOvertakers, figures.order.size());
  for (std::size_t i = 0; i < count; ++i) {
    rows.push_back(accounts_by_day(asking, figures, figures.order[i]));
  }
  for (std::size_t a = 0; a < count; ++a) {
    for (std::size_t b = a + 1; b < count; ++b) {
      const std::size_t days = std::min(rows[a].size(), rows[b].size());
      std::size_t ahead_since = 0;
      int behind_days = 0;
      for (std::size_t i = 0; i < days; ++i) {
        if (rows[b][i].second <= rows[a][i].second) continue;
        ahead_since = i + 1;
        ++behind_days;
      }
      if (behind_days < kBehindDays || ahead_since >= days) continue;
      figures.overtakings.push_back(
          {figures.order[a], figures.order[b], rows[a][ahead_since].first});
    }
  }
}

void find_certainty(Asking& asking, Figures& figures) {
  for (std::size_t i = 0; i < std::min(figures.limit, figures.order.size()); ++i) {
    const Country country = figures.order[i];
    const auto answer =
        asking.get<v1::CountryFigures>("countries/" + std::string(country.code()), {});
    Certainty certainty{country, answer.mean_confidence(), {}, 0};
    for (int kind = 0; kind < answer.evidence_size(); ++kind) {
      if (answer.evidence(kind).share() <= certainty.strongest_share) continue;
      certainty.strongest = static_cast<EvidenceKind>(kind);
      certainty.strongest_share = answer.evidence(kind).share();
    }
    figures.certainty.push_back(certainty);
  }
}

std::pair<std::optional<Figures>, http::Reply> gather_once(Asking& asking, const Options& options) {
  Figures figures;
  http::Parameters given{{"country", options.country}};
  if (!options.region.empty()) given.emplace_back("region", options.region);
  if (!options.min_accounts.empty()) given.emplace_back("min_accounts", options.min_accounts);
  given.emplace_back("limit", options.limit);
  given.emplace_back("from", options.from);
  if (!options.to.empty()) given.emplace_back("to", options.to);
  http::ParameterReader reader(
      given, {"from", "to", "country", "region", "window", "limit", "min_accounts"});
  figures.focus = reader.country("country").value_or(kUnknownCountry);
  if (!figures.focus.known()) reader.complain(http::unknown_country(options.country));
  figures.region = &reader.region("region");
  figures.limit = reader.number("limit", 20, 1, Country::kLimit);
  const auto from = reader.day("from");
  const auto to = reader.day("to");
  if (from && to && *from >= *to) reader.complain("from must be before to");
  if (!reader.complaint().empty()) asking.refuse(reader.complaint());
  if (options.region.empty()) {
    const http::Region* own = http::find_region(figures.focus.region());
    if (own != nullptr) figures.region = own;
  }

  const std::string all = std::to_string(Country::kLimit);
  // Without a day, growth over any period says which is the newest that is over.
  http::Parameters end{
      {"by", "growth"}, {"window", options.window}, {"limit", "1"}, {"from", options.from}};
  if (!options.to.empty()) end.emplace_back("at", options.to);
  const std::string last = asking.get<v1::Rankings>("rankings", end).at();
  const auto rankings = [&](const char* by, const std::string& day) {
    return asking.get<v1::Rankings>(
        "rankings", {{"by", by}, {"at", day}, {"window", options.window}, {"limit", all}});
  };
  const auto now = rankings("accounts", last);
  const auto before = rankings("accounts", options.from);
  const auto engaged = rankings("engaged", last);
  if (asking.failed()) return {std::nullopt, asking.failure()};

  figures.from = *from;
  figures.to = *http::parse_day(last);
  const auto& names = http::DailyRow::kWindowNames;
  const auto place = std::find(names.begin(), names.end(), options.window) - names.begin();
  figures.window_days = static_cast<std::int32_t>(
      tally::kDayRowWindows[static_cast<std::size_t>(place)] / tally::kDaySeconds);
  figures.countries.resize(Country::count());
  const auto standing = [&](const v1::RankingsRow& row) -> Standing& {
    return figures.countries[Country::parse(row.country()).value_or(kUnknownCountry).index()];
  };
  for (const v1::RankingsRow& row : now.rows()) {
    standing(row).accounts = row.accounts();
    standing(row).active = row.active_accounts();
  }
  for (const v1::RankingsRow& row : before.rows()) {
    standing(row).accounts_before = row.accounts();
  }
  for (const v1::RankingsRow& row : engaged.rows()) {
    standing(row).engaged = static_cast<std::uint64_t>(row.value());
  }
  Standing& unknown = figures.countries[kUnknownCountry.index()];
  unknown.accounts = static_cast<std::uint64_t>(now.unknown());
  unknown.accounts_before = static_cast<std::uint64_t>(before.unknown());
  figures.world.accounts = static_cast<std::uint64_t>(now.total());
  figures.world.accounts_before = static_cast<std::uint64_t>(before.total());
  figures.world.engaged = static_cast<std::uint64_t>(engaged.total());
  // A thousand accounts, fewer in a small network: below, a share is the luck of a few.
  figures.min_accounts = reader.number(
      "min_accounts", std::clamp<std::uint64_t>(figures.world.accounts / 1'000, 100, 1'000), 0,
      UINT32_MAX);
  rank(figures);

  const auto history = asking.get<v1::History>("history", {{"from", options.from}, {"to", last}});
  double missed_s = 0;
  for (const v1::HistoryRow& row : history.rows()) {
    figures.days.push_back({http::parse_day(row.date()).value_or(0), row.accounts(),
                            active_of(row, figures.window_days)});
    if (figures.days.back().day != figures.from) missed_s += row.gap_seconds();
    for (int kind = 0; kind < row.evidence_size(); ++kind) {
      figures.evidence[static_cast<std::size_t>(kind)] = row.evidence(kind).share();
    }
  }
  if (!figures.days.empty()) figures.world.active = figures.days.back().active;
  const double period_s = static_cast<double>(figures.to - figures.from) * tally::kDaySeconds;
  figures.covered = 1 - missed_s / period_s;
  const v1::Basis& basis = now.basis();
  figures.gaps = basis.gaps();
  figures.observed_since = basis.observed_since();
  figures.observed_since_day = http::parse_day(basis.observed_since().substr(0, 10)).value_or(0);
  figures.committed_at = basis.committed_at();
  find_overtakings(asking, figures);
  find_certainty(asking, figures);
  if (asking.failed()) return {std::nullopt, asking.failure()};
  figures.commit = *asking.commits().begin();
  figures.commit_last = *asking.commits().rbegin();
  return {std::move(figures), {}};
}

}  // namespace

std::optional<double> Standing::growth() const {
  if (accounts_before == 0) return std::nullopt;
  return static_cast<double>(accounts) / static_cast<double>(accounts_before) - 1;
}

std::optional<double> Standing::active_share() const {
  if (accounts == 0) return std::nullopt;
  return static_cast<double>(active) / static_cast<double>(accounts);
}

std::pair<std::optional<Figures>, http::Reply> gather(const http::Ask& ask,
                                                      const Options& options) {
  for (int tries = 1;; ++tries) {
    Asking asking(ask);
    auto gathered = gather_once(asking, options);
    if (!gathered.first || asking.commits().size() == 1 || tries == kGatherTries) return gathered;
  }
}

}  // namespace geotally::study
