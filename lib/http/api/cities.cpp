#include "http/api/cities.h"

#include <algorithm>
#include <array>

#include "http/api/basis.h"

namespace geotally::http {
namespace {

constexpr std::array<std::string_view, 2> kBy = {"accounts", "posts"};
constexpr std::uint64_t kLimitMax = 1'000;

struct Ranked {
  const tally::CityFigures* figures = nullptr;
  CityName name;
  std::uint64_t value = 0;
};

}  // namespace

Reply ask_cities(const Sources& sources, const tally::Snapshot& snapshot,
                 const Parameters& parameters) {
  ParameterReader reader(parameters, {"by", "country", "limit", "min_accounts"});
  const bool by_posts = reader.choice("by", kBy, 0) == 1;
  const auto country = reader.country("country");
  const std::uint64_t limit = reader.number("limit", 20, 1, kLimitMax);
  const std::uint64_t min_accounts = reader.number("min_accounts", 0, 0, UINT32_MAX);
  if (!reader.complaint().empty()) return Reply::bad(reader.complaint());

  std::vector<Ranked> cities;
  std::uint64_t total = 0;
  for (const tally::CityFigures& figures : snapshot.cities) {
    const CityName name = sources.city ? sources.city(figures.city) : CityName{};
    if (country && name.country != *country) continue;
    const std::uint64_t value = by_posts ? figures.posts : figures.accounts;
    total += value;
    if (value != 0 && figures.accounts >= min_accounts) cities.push_back({&figures, name, value});
  }
  // Equal ones in the order of their ids, so that an answer is the same each time.
  std::ranges::sort(cities, [](const Ranked& a, const Ranked& b) {
    return a.value != b.value ? a.value > b.value : a.figures->city < b.figures->city;
  });

  auto answer = std::make_shared<v1::Cities>();
  fill(*answer->mutable_basis(), snapshot);
  answer->set_by(std::string(kBy[by_posts ? 1 : 0]));
  if (country) answer->set_country(std::string(country->code()));
  answer->set_min_accounts(min_accounts);
  answer->set_total(total);
  answer->set_ranked(static_cast<std::uint32_t>(cities.size()));
  std::uint32_t rank = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(cities.size(), limit); ++i) {
    const Ranked& city = cities[i];
    if (i == 0 || city.value != cities[i - 1].value) rank = static_cast<std::uint32_t>(i) + 1;
    v1::CitiesRow& row = *answer->add_rows();
    row.set_rank(rank);
    row.set_city(city.figures->city);
    row.set_name(std::string(city.name.name));
    row.set_country(std::string(city.name.country.code()));
    row.set_accounts(city.figures->accounts);
    row.set_posts(city.figures->posts);
    set(row, &v1::CitiesRow::set_share, ratio(city.value, total));
  }
  return {200, "", std::move(answer)};
}

}  // namespace geotally::http
