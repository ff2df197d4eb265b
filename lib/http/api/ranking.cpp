#include "http/api/ranking.h"

#include <algorithm>

namespace geotally::http {

std::vector<Country> ranked(const Column& column, const Region& region) {
  std::vector<Country> countries;
  for (std::size_t i = 0; i < column.size(); ++i) {
    const Country country = Country::from_index(i);
    if (column[i] && region.holds(country)) countries.push_back(country);
  }
  // Indexes follow the codes, and a stable sort leaves equals in their order.
  std::ranges::stable_sort(
      countries, [&](Country a, Country b) { return *column[a.index()] > *column[b.index()]; });
  return countries;
}

std::vector<std::uint32_t> ranks(const Column& column, const Region& region) {
  std::vector<std::uint32_t> out(column.size(), 0);
  std::uint32_t place = 0;
  std::uint32_t rank = 0;
  std::optional<double> last;
  for (const Country country : ranked(column, region)) {
    ++place;
    if (!last || *column[country.index()] < *last) rank = place;
    last = column[country.index()];
    out[country.index()] = rank;
  }
  return out;
}

}  // namespace geotally::http
