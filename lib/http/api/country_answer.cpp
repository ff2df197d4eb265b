#include "http/api/country_answer.h"

#include <array>

#include "http/api/basis.h"
#include "http/api/ranking.h"

namespace geotally::http {
namespace {

using Figures = tally::CountryFigures;

/// Ranks of `country` by `figure`; unset for ZZ.
template <class Figure>
void fill_rank(v1::Rank& rank, const tally::Snapshot& snapshot, Country country, Figure figure) {
  Column column(snapshot.countries.size());
  for (std::size_t i = 0; i < column.size(); ++i) {
    column[i] = static_cast<double>(figure(snapshot.countries[i]));
  }
  const auto in = [&](std::uint16_t code) -> std::uint32_t {
    const Region* region = find_region(code);
    return region == nullptr ? 0 : ranks(column, *region)[country.index()];
  };
  if (const auto world = in(1)) rank.set_world(world);
  if (const auto region = in(country.region())) rank.set_region(region);
  if (const auto subregion = in(country.subregion())) rank.set_subregion(subregion);
}

void fill_growth(v1::CountryFigures& answer, const Days& days, Country country,
                 const tally::Snapshot& snapshot) {
  const auto end = days.newest(day_of(snapshot.edge_us));
  constexpr std::array<std::pair<const char*, std::int32_t>, 3> kWindows = {
      {{"7d", 7}, {"30d", 30}, {"90d", 90}}};
  constexpr std::size_t kActive30d = 2;
  for (const auto& [name, length] : kWindows) {
    v1::GrowthFigures& growth = *answer.add_growth();
    growth.set_window(name);
    if (!end) continue;
    growth.set_from(day_text(end->day - length));
    growth.set_to(day_text(end->day));
    const auto start = days.at(end->day - length);
    if (!start) continue;
    const DailyRow& before = start->rows[country.index()];
    const DailyRow& after = end->rows[country.index()];
    if (const auto accounts = ratio(after.accounts, before.accounts)) {
      growth.set_accounts(*accounts - 1);
    }
    if (const auto active = ratio(after.active[kActive30d], before.active[kActive30d])) {
      growth.set_active_accounts(*active - 1);
    }
  }
}

void fill_windows(v1::CountryFigures& answer, const tally::Snapshot& snapshot, Country country) {
  const Figures& own = snapshot.countries[country.index()];
  for (std::size_t w = 0; w < snapshot.windows.size(); ++w) {
    const auto posts = [w](const Figures& figures) { return figures.window_posts[w]; };
    const auto active = [w](const Figures& figures) { return figures.window_active[w]; };
    v1::WindowFigures& window = *answer.add_windows();
    window.set_window(snapshot.windows[w].name);
    window.set_posts(posts(own));
    set(window, &v1::WindowFigures::set_posts_share,
        ratio(posts(own), sum(snapshot.countries, posts)));
    fill_rank(*window.mutable_posts_rank(), snapshot, country, posts);
    window.set_active_accounts(active(own));
    set(window, &v1::WindowFigures::set_active_share, ratio(active(own), own.accounts));
    fill_rank(*window.mutable_active_rank(), snapshot, country, active);
    v1::Coverage coverage;
    fill(coverage, snapshot, w);
    window.set_covered_seconds(coverage.covered_seconds());
    window.set_complete(coverage.complete());
  }
}

}  // namespace

Reply ask_countries(const tally::Snapshot& snapshot, const Parameters& parameters) {
  const ParameterReader reader(parameters, {});
  if (!reader.complaint().empty()) return Reply::bad(reader.complaint());
  auto answer = std::make_shared<v1::Countries>();
  fill(*answer->mutable_basis(), snapshot);
  for (std::size_t i = 0; i < snapshot.countries.size(); ++i) {
    const Country country = Country::from_index(i);
    v1::CountriesRow& row = *answer->add_rows();
    row.set_country(std::string(country.code()));
    row.set_name(std::string(country.name_en()));
    row.set_name_fr(std::string(country.name_fr()));
    if (country.region() != 0) row.set_region(code_text(country.region()));
    if (country.subregion() != 0) row.set_subregion(code_text(country.subregion()));
    row.set_population(country.population());
    row.set_accounts(snapshot.countries[i].accounts);
    row.set_posts(snapshot.countries[i].posts);
    row.set_posts_deleted(snapshot.countries[i].posts_deleted);
  }
  return {200, "", std::move(answer)};
}

Reply ask_country(const Sources& sources, const tally::Snapshot& snapshot, std::string_view code,
                  const Parameters& parameters) {
  const ParameterReader reader(parameters, {});
  if (!reader.complaint().empty()) return Reply::bad(reader.complaint());
  const auto country = Country::parse(code);
  if (!country) return Reply::bad(unknown_country(code));

  const auto accounts = [](const Figures& figures) { return figures.accounts; };
  const auto engaged = [](const Figures& figures) {
    return figures.engagement[static_cast<std::size_t>(tally::Engagement::kEngaged)];
  };
  const Figures& own = snapshot.countries[country->index()];
  auto answer = std::make_shared<v1::CountryFigures>();
  fill(*answer->mutable_basis(), snapshot);
  fill(*answer->mutable_country(), *country);
  answer->set_posts(own.posts);
  answer->set_posts_deleted(own.posts_deleted);
  answer->set_accounts(own.accounts);
  answer->set_bridged(own.bridged);
  set(*answer, &v1::CountryFigures::set_accounts_share,
      ratio(own.accounts, sum(snapshot.countries, accounts)));
  set(*answer, &v1::CountryFigures::set_accounts_per_million,
      ratio(own.accounts * 1'000'000, country->population()));
  fill_rank(*answer->mutable_accounts_rank(), snapshot, *country, accounts);

  v1::Engagement& engagement = *answer->mutable_engagement();
  engagement.set_never(own.engagement[static_cast<std::size_t>(tally::Engagement::kNever)]);
  engagement.set_once(own.engagement[static_cast<std::size_t>(tally::Engagement::kOnce)]);
  engagement.set_occasional(
      own.engagement[static_cast<std::size_t>(tally::Engagement::kOccasional)]);
  engagement.set_engaged(engaged(own));
  fill_rank(*answer->mutable_engaged_rank(), snapshot, *country, engaged);

  fill_windows(*answer, snapshot, *country);
  fill_growth(*answer, Days(sources), *country, snapshot);
  for (std::size_t i = 0; i < kEvidenceKinds; ++i) {
    v1::EvidenceFigures& evidence = *answer->add_evidence();
    evidence.set_evidence(std::string(to_string(static_cast<EvidenceKind>(i))));
    evidence.set_accounts(own.evidence[i]);
    set(evidence, &v1::EvidenceFigures::set_share, ratio(own.evidence[i], own.accounts));
  }
  constexpr double kConfidenceUnits = 255;
  if (const auto mean = ratio(own.confidence_sum, own.accounts)) {
    answer->set_mean_confidence(*mean / kConfidenceUnits);
  }
  return {200, "", std::move(answer)};
}

}  // namespace geotally::http
