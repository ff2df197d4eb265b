// Country-code domains of handles, servers and websites.
#pragma once

#include <string_view>

#include "country/country.h"

namespace geotally::geo {

/// Country of a domain name by its last label; ZZ for generic domains and for those country
/// codes that are sold to anybody (.io, .ai, .tv, .me, .co, …).
[[nodiscard]] Country country_of_handle(std::string_view handle);

/// The same for the host of a URL, with or without scheme.
[[nodiscard]] Country country_of_website(std::string_view url);

}  // namespace geotally::geo
