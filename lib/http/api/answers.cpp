#include "http/api/answers.h"

#include <algorithm>

#include "http/api/basis.h"
#include "http/api/cities.h"
#include "http/api/country_answer.h"
#include "http/api/rankings.h"

namespace geotally::http {
namespace {

constexpr std::int32_t kHistoryDaysMax = 3'660;
constexpr std::int32_t kHistoryDays = 90;

void add(v1::HistoryRow& row, const DailyRow& day) {
  row.set_accounts(row.accounts() + day.accounts);
  row.set_accounts_new(row.accounts_new() + day.accounts_new);
  row.set_posts(row.posts() + day.posts);
  row.set_posts_deleted(row.posts_deleted() + day.posts_deleted);
  row.set_active_24h(row.active_24h() + day.active[0]);
  row.set_active_7d(row.active_7d() + day.active[1]);
  row.set_active_30d(row.active_30d() + day.active[2]);
  row.set_active_90d(row.active_90d() + day.active[3]);
  v1::Engagement& engagement = *row.mutable_engagement();
  engagement.set_never(engagement.never() + day.engagement[0]);
  engagement.set_once(engagement.once() + day.engagement[1]);
  engagement.set_occasional(engagement.occasional() + day.engagement[2]);
  engagement.set_engaged(engagement.engaged() + day.engagement[3]);
  for (std::size_t i = 0; i < kEvidenceKinds; ++i) {
    const auto place = static_cast<int>(i);
    if (row.evidence_size() <= place) {
      row.add_evidence()->set_evidence(std::string(to_string(static_cast<EvidenceKind>(i))));
    }
    auto& evidence = *row.mutable_evidence(place);
    evidence.set_accounts(evidence.accounts() + day.evidence[i]);
  }
}

Reply ask_history(const Sources& sources, const tally::Snapshot& snapshot,
                  const Parameters& parameters) {
  ParameterReader reader(parameters, {"country", "from", "to"});
  const auto country = reader.country("country");
  const std::int32_t to = reader.day("to").value_or(day_of(snapshot.edge_us));
  const std::int32_t from = reader.day("from").value_or(std::max(to - kHistoryDays + 1, 0));
  if (to < from) reader.complain("from must not be after to");
  if (to - from >= kHistoryDaysMax) {
    reader.complain("from and to must be at most " + std::to_string(kHistoryDaysMax) +
                    " days apart");
  }
  if (!reader.complaint().empty()) return Reply::bad(reader.complaint());

  auto answer = std::make_shared<v1::History>();
  fill(*answer->mutable_basis(), snapshot);
  if (country) {
    answer->set_country(std::string(country->code()));
    answer->set_name(std::string(country->name_en()));
  } else {
    answer->set_name(std::string(find_region(1)->name_en));
  }
  answer->set_from(day_text(from));
  answer->set_to(day_text(to));
  Days(sources).each(from, to, [&](const Day& day) {
    v1::HistoryRow& row = *answer->add_rows();
    row.set_date(day_text(day.day));
    row.set_gap_seconds(static_cast<double>(day.gap_us) / 1e6);
    if (country) {
      add(row, day.rows[country->index()]);
    } else {  // accounts are in one country each, so that even the active ones add up
      for (const DailyRow& one : day.rows) add(row, one);
    }
    for (v1::EvidenceFigures& evidence : *row.mutable_evidence()) {
      set(evidence, &v1::EvidenceFigures::set_share, ratio(evidence.accounts(), row.accounts()));
    }
  });
  return {200, "", std::move(answer)};
}

Reply ask_gaps(const Sources& sources, const tally::Snapshot& snapshot,
               const Parameters& parameters) {
  ParameterReader reader(parameters, {"limit"});
  const std::uint64_t limit = reader.number("limit", 100, 1, 10'000);
  if (!reader.complaint().empty()) return Reply::bad(reader.complaint());
  auto answer = std::make_shared<v1::Gaps>();
  fill(*answer->mutable_basis(), snapshot);
  if (sources.gaps) {
    for (const Gap& entry : sources.gaps(limit)) {
      v1::GapsRow& row = *answer->add_rows();
      row.set_number(entry.number);
      row.set_from(time_text(entry.gap.from_us));
      row.set_to(time_text(entry.gap.to_us));
      row.set_seconds(static_cast<double>(entry.gap.to_us - entry.gap.from_us) / 1e6);
      row.set_cause(entry.gap.cause);
    }
  }
  return {200, "", std::move(answer)};
}

Reply ask_status(const Sources& sources, const tally::Snapshot* snapshot,
                 const Parameters& parameters) {
  const ParameterReader reader(parameters, {});
  if (!reader.complaint().empty()) return Reply::bad(reader.complaint());
  const Status status = sources.status();
  const std::int64_t now_us = sources.now_us();
  auto answer = std::make_shared<v1::StatusAnswer>();
  answer->set_ready(status.ready);
  answer->set_not_ready(status.not_ready);
  answer->set_version(status.version);
  answer->set_started_at(time_text(status.started_at_us));
  answer->set_uptime_seconds(static_cast<double>(now_us - status.started_at_us) / 1e6);
  v1::FeedStatus& feed = *answer->mutable_feed();
  feed.set_connected(status.feed_connected);
  feed.set_host(status.feed_host);
  feed.set_last_message_at(time_text(status.last_message_us));
  feed.set_last_event_at(time_text(status.last_event_us));
  if (status.last_event_us != 0) {
    feed.set_delay_seconds(static_cast<double>(now_us - status.last_event_us) / 1e6);
  }
  if (snapshot != nullptr) fill(*answer->mutable_basis(), *snapshot);
  return {200, "", std::move(answer)};
}

}  // namespace

Reply ask(const Sources& sources, std::string_view question, const Parameters& parameters) {
  const std::shared_ptr<const tally::Snapshot> snapshot = sources.snapshot();
  if (question == "status") return ask_status(sources, snapshot.get(), parameters);

  constexpr std::string_view kCountry = "countries/";
  const bool one_country = question.starts_with(kCountry);
  const bool known = one_country || question == "rankings" || question == "cities" ||
                     question == "countries" || question == "history" || question == "gaps";
  if (!known) {
    return {404, "there are: rankings, cities, countries, countries/CODE, history, gaps, status",
            nullptr};
  }
  if (snapshot == nullptr) return {503, "the state is not loaded yet", nullptr};
  if (question == "rankings") return ask_rankings(sources, *snapshot, parameters);
  if (question == "cities") return ask_cities(sources, *snapshot, parameters);
  if (question == "countries") return ask_countries(*snapshot, parameters);
  if (question == "history") return ask_history(sources, *snapshot, parameters);
  if (question == "gaps") return ask_gaps(sources, *snapshot, parameters);
  return ask_country(sources, *snapshot, question.substr(kCountry.size()), parameters);
}

std::shared_ptr<google::protobuf::Message> empty_answer(std::string_view question) {
  if (question == "rankings") return std::make_shared<v1::Rankings>();
  if (question == "cities") return std::make_shared<v1::Cities>();
  if (question == "countries") return std::make_shared<v1::Countries>();
  if (question.starts_with("countries/")) return std::make_shared<v1::CountryFigures>();
  if (question == "history") return std::make_shared<v1::History>();
  if (question == "gaps") return std::make_shared<v1::Gaps>();
  if (question == "status") return std::make_shared<v1::StatusAnswer>();
  return nullptr;
}

}  // namespace geotally::http
