#include <optional>

#include <fmt/format.h>

#include "daemon/table.h"
#include "geotally/v1/api.pb.h"

namespace geotally {
namespace {

using Align = Table::Align;
using google::protobuf::Message;

std::string count(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

std::string percent(double value, bool sign = false) {
  return sign ? fmt::format("{:+.1f} %", value * 100) : fmt::format("{:.1f} %", value * 100);
}

std::string percent_or_dash(bool known, double value, bool sign = false) {
  return known ? percent(value, sign) : "-";
}

std::string rank(bool known, std::uint32_t place) { return known ? std::to_string(place) : "-"; }

// "2012-07-01T12:00:00.250000Z": a reader needs no more than the second.
std::string moment(const std::string& time) {
  if (time.size() < 20) return time.empty() ? "never" : time;
  return time.substr(0, 10) + ' ' + time.substr(11, 8) + " UTC";
}

std::string named(const std::string& code, const std::string& name, bool flags) {
  if (!flags || code.size() != 2) return name;
  std::string flag;  // two regional indicators, U+1F1E6 = A
  for (const char c : code) {
    flag += "\xF0\x9F\x87";
    flag += static_cast<char>(0xA6 + (c - 'A'));
  }
  return flag + ' ' + name;
}

// What every answer rests on, in its last lines.
std::string foot(const v1::Basis& basis, const v1::Coverage* coverage = nullptr) {
  std::string text = fmt::format(
      "{} accounts, {} of them ZZ; observed since {}; commit {} of {}\n", count(basis.accounts()),
      percent_or_dash(basis.has_unknown_share(), basis.unknown_share()),
      moment(basis.observed_since()), basis.commit(), moment(basis.committed_at()));
  if (coverage != nullptr && !coverage->complete()) {
    text += fmt::format("{} of {} s of this period were observed: figures are lower bounds\n",
                        coverage->covered_seconds(), coverage->window_seconds());
  }
  return text;
}

std::string value_of(const v1::Rankings& answer, double value) {
  if (answer.by() == "growth") return percent(value, true);
  if (answer.by() == "active_share") return percent(value);
  if (answer.by() == "posts_per_million") return fmt::format("{:.1f}", value);
  return count(static_cast<std::uint64_t>(value));
}

std::string text_of(const v1::Rankings& answer, bool flags) {
  const bool everywhere = answer.region().code() == "001";
  Table table;
  table.column("rank", Align::kRight);
  if (!everywhere) table.column("world", Align::kRight);
  table.column("code", Align::kLeft);
  table.column("country", Align::kLeft);
  table.column(answer.by(), Align::kRight);
  if (answer.has_total()) table.column("share", Align::kRight);
  if (answer.by() != "accounts") table.column("accounts", Align::kRight);
  if (answer.by() != "active") table.column("active " + answer.window(), Align::kRight);
  if (answer.by() != "active_share") table.column("active share", Align::kRight);
  for (const v1::RankingsRow& row : answer.rows()) {
    std::vector<std::string> cells{std::to_string(row.rank())};
    if (!everywhere) cells.push_back(std::to_string(row.world_rank()));
    cells.push_back(row.country());
    cells.push_back(named(row.country(), row.name(), flags));
    cells.push_back(value_of(answer, row.value()));
    if (answer.has_total()) cells.push_back(percent_or_dash(row.has_share(), row.share()));
    if (answer.by() != "accounts") cells.push_back(count(row.accounts()));
    if (answer.by() != "active") cells.push_back(count(row.active_accounts()));
    if (answer.by() != "active_share") {
      cells.push_back(percent_or_dash(row.has_active_share(), row.active_share()));
    }
    table.row(std::move(cells));
  }
  std::string period = answer.at().empty() ? "now" : "at the end of " + answer.at();
  if (!answer.from().empty()) {
    period = fmt::format("of {} from {} to {}", answer.of(), answer.from(), answer.at());
  }
  return fmt::format("{}, by {}, {}\n\n{}\n{} of {} countries shown; {}", answer.region().name(),
                     answer.by(), period, table.text(), answer.rows_size(), answer.ranked(),
                     foot(answer.basis(), &answer.coverage()));
}

std::string text_of(const v1::Cities& answer) {
  Table table;
  table.column("rank", Align::kRight);
  table.column("city", Align::kLeft);
  table.column("country", Align::kLeft);
  table.column("accounts", Align::kRight);
  table.column("posts", Align::kRight);
  table.column("share", Align::kRight);
  for (const v1::CitiesRow& row : answer.rows()) {
    table.row({std::to_string(row.rank()), row.name(), row.country(), count(row.accounts()),
               count(row.posts()), percent_or_dash(row.has_share(), row.share())});
  }
  return fmt::format("Cities{}, by {}\n\n{}\n{} of {} cities shown; {}",
                     answer.country().empty() ? "" : " of " + answer.country(), answer.by(),
                     table.text(), answer.rows_size(), answer.ranked(), foot(answer.basis()));
}

std::string ranks_text(const v1::Rank& place, const v1::CountryFigures& answer) {
  if (!place.has_world()) return "no rank";
  std::string text = fmt::format("{} in the world", place.world());
  if (place.has_region()) {
    text += fmt::format(", {} in {}", place.region(), answer.country().region().name());
  }
  if (place.has_subregion()) {
    text += fmt::format(", {} in {}", place.subregion(), answer.country().subregion().name());
  }
  return text;
}

std::string text_of(const v1::CountryFigures& answer, bool flags) {
  const v1::Country& country = answer.country();
  Table facts;
  facts.column("", Align::kLeft);
  facts.column("", Align::kLeft);
  facts.row({"accounts",
             fmt::format("{}, {} of all; {}", count(answer.accounts()),
                         percent_or_dash(answer.has_accounts_share(), answer.accounts_share()),
                         ranks_text(answer.accounts_rank(), answer))});
  if (answer.has_accounts_per_million()) {
    facts.row({"per million inhabitants", fmt::format("{:.1f}", answer.accounts_per_million())});
  }
  const v1::Engagement& engagement = answer.engagement();
  facts.row({"engaged", fmt::format("{}; {}", count(engagement.engaged()),
                                    ranks_text(answer.engaged_rank(), answer))});
  facts.row({"occasional, once, never",
             fmt::format("{}, {}, {}", count(engagement.occasional()), count(engagement.once()),
                         count(engagement.never()))});
  facts.row({"bridged", count(answer.bridged())});
  facts.row({"posts ever, deleted",
             fmt::format("{}, {}", count(answer.posts()), count(answer.posts_deleted()))});
  facts.row({"certainty", answer.has_mean_confidence()
                              ? percent(answer.mean_confidence()) + " in the mean"
                              : "-"});

  Table windows;
  for (const char* title :
       {"window", "posts", "share", "rank", "active", "active share", "rank", "observed"}) {
    windows.column(title, title == std::string_view("window") ? Align::kLeft : Align::kRight);
  }
  for (const v1::WindowFigures& window : answer.windows()) {
    windows.row({window.window(), count(window.posts()),
                 percent_or_dash(window.has_posts_share(), window.posts_share()),
                 rank(window.posts_rank().has_world(), window.posts_rank().world()),
                 count(window.active_accounts()),
                 percent_or_dash(window.has_active_share(), window.active_share()),
                 rank(window.active_rank().has_world(), window.active_rank().world()),
                 window.complete() ? "all" : fmt::format("{:.0f} s", window.covered_seconds())});
  }

  Table growth;
  growth.column("growth", Align::kLeft);
  growth.column("accounts", Align::kRight);
  growth.column("active in 30d", Align::kRight);
  for (const v1::GrowthFigures& figures : answer.growth()) {
    growth.row({figures.window(), percent_or_dash(figures.has_accounts(), figures.accounts(), true),
                percent_or_dash(figures.has_active_accounts(), figures.active_accounts(), true)});
  }

  Table evidence;
  evidence.column("evidence", Align::kLeft);
  evidence.column("accounts", Align::kRight);
  evidence.column("share", Align::kRight);
  for (const v1::EvidenceFigures& figures : answer.evidence()) {
    evidence.row({figures.evidence(), count(figures.accounts()),
                  percent_or_dash(figures.has_share(), figures.share())});
  }
  return fmt::format("{} ({})\n{}\n{}\n{}\n{}\n{}", named(country.code(), country.name(), flags),
                     country.code(), facts.text(), windows.text(), growth.text(), evidence.text(),
                     foot(answer.basis()));
}

std::string text_of(const v1::History& answer, bool flags) {
  Table table;
  for (const char* title : {"day", "accounts", "new", "posts", "deleted", "active 24h", "7d", "30d",
                            "90d", "engaged", "missed s"}) {
    table.column(title, title == std::string_view("day") ? Align::kLeft : Align::kRight);
  }
  for (const v1::HistoryRow& row : answer.rows()) {
    table.row({row.date(), count(row.accounts()), count(row.accounts_new()), count(row.posts()),
               count(row.posts_deleted()), count(row.active_24h()), count(row.active_7d()),
               count(row.active_30d()), count(row.active_90d()), count(row.engagement().engaged()),
               fmt::format("{}", row.gap_seconds())});
  }
  return fmt::format("{}, {} to {}\n\n{}\n{}", named(answer.country(), answer.name(), flags),
                     answer.from(), answer.to(), table.text(), foot(answer.basis()));
}

std::string text_of(const v1::Gaps& answer) {
  Table table;
  table.column("number", Align::kRight);
  table.column("from", Align::kLeft);
  table.column("to", Align::kLeft);
  table.column("seconds", Align::kRight);
  table.column("cause", Align::kLeft);
  for (const v1::GapsRow& row : answer.rows()) {
    table.row({std::to_string(row.number()), row.from(), row.to(), fmt::format("{}", row.seconds()),
               row.cause()});
  }
  return fmt::format("{}\n{} gaps, {} s; {}", table.text(), answer.basis().gaps(),
                     answer.basis().gap_seconds(), foot(answer.basis()));
}

std::string text_of(const v1::StatusAnswer& answer) {
  Table table;
  table.column("", Align::kLeft);
  table.column("", Align::kLeft);
  table.row({"ready", answer.ready() ? "yes" : "no: " + answer.not_ready()});
  table.row({"version", answer.version()});
  table.row({"started", fmt::format("{} ({:.0f} s ago)", moment(answer.started_at()),
                                    answer.uptime_seconds())});
  const v1::FeedStatus& feed = answer.feed();
  table.row({"feed", (feed.connected() ? "connected to " : "not connected; last to ") +
                         (feed.host().empty() ? "none" : feed.host())});
  table.row({"last message", moment(feed.last_message_at())});
  table.row({"newest event", feed.has_delay_seconds()
                                 ? fmt::format("{} ({:.1f} s ago)", moment(feed.last_event_at()),
                                               feed.delay_seconds())
                                 : moment(feed.last_event_at())});
  if (answer.has_basis()) {
    const v1::Basis& basis = answer.basis();
    table.row({"windows end", moment(basis.edge())});
    table.row({"gaps", fmt::format("{}, {} s", basis.gaps(), basis.gap_seconds())});
    for (const v1::Coverage& coverage : basis.coverage()) {
      table.row(
          {"observed of " + coverage.window(),
           coverage.complete() ? "all" : fmt::format("{:.0f} s", coverage.covered_seconds())});
    }
  }
  return table.text().substr(1) + (answer.has_basis() ? foot(answer.basis()) : "");
}

}  // namespace

std::string to_text(const Message& answer, bool flags) {
  if (const auto* rankings = dynamic_cast<const v1::Rankings*>(&answer)) {
    return text_of(*rankings, flags);
  }
  if (const auto* cities = dynamic_cast<const v1::Cities*>(&answer)) return text_of(*cities);
  if (const auto* country = dynamic_cast<const v1::CountryFigures*>(&answer)) {
    return text_of(*country, flags);
  }
  if (const auto* history = dynamic_cast<const v1::History*>(&answer)) {
    return text_of(*history, flags);
  }
  if (const auto* gaps = dynamic_cast<const v1::Gaps*>(&answer)) return text_of(*gaps);
  if (const auto* status = dynamic_cast<const v1::StatusAnswer*>(&answer)) return text_of(*status);
  return "";
}

}  // namespace geotally
