// countries and countries/FR: everything about one country.
#pragma once

#include "http/api/answers.h"
#include "tally/snapshot.h"

namespace geotally::http {

[[nodiscard]] Reply ask_countries(const tally::Snapshot& snapshot, const Parameters& parameters);
/// `code`: what stands behind "countries/".
[[nodiscard]] Reply ask_country(const Sources& sources, const tally::Snapshot& snapshot,
                                std::string_view code, const Parameters& parameters);

}  // namespace geotally::http
