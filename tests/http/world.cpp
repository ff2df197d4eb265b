#include "world.h"

#include <array>
#include <string_view>

namespace geotally::http {
namespace {

struct Entry {
  std::string_view code;
  std::uint64_t accounts;
};
constexpr std::array<Entry, 7> kEntries = {{{"US", 40'000},
                                            {"BR", 30'000},
                                            {"FR", 10'000},
                                            {"GB", 10'000},
                                            {"NL", 5'000},
                                            {"LI", 10},
                                            {"ZZ", 5'000}}};

Country country(std::string_view code) { return *Country::parse(code); }

}  // namespace

std::shared_ptr<const tally::Snapshot> world() {
  auto snapshot = std::make_shared<tally::Snapshot>();
  snapshot->commit = 7;
  snapshot->committed_at_us = kWorldEdgeUs + 250'000;
  snapshot->edge_us = kWorldEdgeUs;
  snapshot->watermark_us = kWorldEdgeUs - 1'000'000;
  snapshot->ingested_until_us = kWorldEdgeUs;
  snapshot->observed_since_us = (std::int64_t{kWorldFirstDay} * 86'400 + 43'200) * 1'000'000;
  snapshot->windows = {{"24h", 86'400}, {"30d", 2'592'000}};
  snapshot->window_coverage_us = {43'200'000'000, 2'592'000'000'000};
  snapshot->countries.resize(Country::count());
  snapshot->gaps = 2;
  snapshot->gap_us = 43'200'500'000;
  snapshot->cities = {{11, 9, 5}, {12, 30, 5}, {13, 7, 6}, {14, 50, 0}};
  for (const auto& [code, accounts] : kEntries) {
    tally::CountryFigures& figures = snapshot->countries[country(code).index()];
    figures.accounts = accounts;
    figures.posts = accounts * 3;
    figures.posts_deleted = accounts / 100;
    figures.engagement = {accounts / 5, accounts / 5, accounts * 2 / 5, accounts / 5};
    figures.evidence[static_cast<std::size_t>(EvidenceKind::kFlag)] = accounts / 4;
    figures.evidence[static_cast<std::size_t>(EvidenceKind::kLanguage)] = accounts - accounts / 4;
    figures.confidence_sum = accounts * 204;
    figures.bridged = accounts / 50;
    figures.window_posts = {accounts / 10, accounts * 3};
    figures.window_active = {code == "NL" ? accounts / 2 : accounts / 10, accounts / 2};
  }
  return snapshot;
}

Sources world_sources() {
  Sources sources;
  sources.snapshot = world;
  sources.metrics_page = [] { return std::string(); };
  sources.now_us = [] { return kWorldEdgeUs + 1'000'000; };
  sources.status = [] {
    Status status;
    status.ready = true;
    status.version = "1.2.3";
    status.feed_connected = true;
    status.feed_host = "feed.example:443";
    status.started_at_us = kWorldEdgeUs - 60'000'000;
    status.last_event_us = kWorldEdgeUs - 1'000'000;
    return status;
  };
  sources.city = [](std::uint32_t id) {
    return CityName{"City " + std::to_string(id), country(id == 13 ? "BR" : "FR")};
  };
  sources.daily_rows = [](std::int32_t from, std::int32_t to) {
    std::vector<DailyRow> rows;
    for (std::int32_t day = std::max(from, kWorldFirstDay); day <= std::min(to, kWorldLastDay);
         ++day) {
      for (const auto& [code, accounts] : kEntries) {
        const std::uint64_t start = code == "BR" ? accounts / 10 : accounts / 2;
        const auto step = static_cast<std::uint64_t>(day - kWorldFirstDay);
        constexpr std::uint64_t kSteps = kWorldLastDay - kWorldFirstDay;
        DailyRow row;
        row.day = day;
        row.country = country(code);
        row.accounts = start + (accounts - start) * step / kSteps;
        row.accounts_new = step == 0 ? row.accounts : (accounts - start) / kSteps;
        row.posts = row.accounts / 10;
        row.engagement = {0, 0, row.accounts, 0};
        row.active = {row.accounts / 10, row.accounts / 5, row.accounts / 2, row.accounts / 2};
        row.evidence[static_cast<std::size_t>(EvidenceKind::kFlag)] = row.accounts;
        row.gap_us = day == kWorldLastDay ? 3'600'000'000 : 0;
        rows.push_back(row);
      }
    }
    return rows;
  };
  sources.gaps = [](std::size_t limit) {
    std::vector<Gap> gaps = {{{kWorldEdgeUs - 500'000, kWorldEdgeUs, "server_closed"}, 2},
                             {{1'000'000, 43'201'000'000, "odd, \"quoted\" cause"}, 1}};
    if (gaps.size() > limit) gaps.resize(limit);
    return gaps;
  };
  return sources;
}

}  // namespace geotally::http
