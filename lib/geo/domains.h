// Domains of handles, servers, websites and links: which name a country, and which a service.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "country/country.h"
#include "geo/table.h"

namespace geotally::geo {

/// Country of a domain name by its last label. ZZ for generic domains; for those country codes that
/// are sold to anybody (.io, .ai, .tv, .me, .co, …) and for services that are used from everywhere
/// (linktr.ee), with what lies below them, as data/services.tsv lists both; for a public suffix by
/// itself (co.uk); and for a domain that is a word with the country code for an end ("hou.se").
/// Any bytes. Thread-safe.
[[nodiscard]] Country country_of_domain(const Table& table, std::string_view domain);

/// The same for the host of a URL, with or without scheme.
[[nodiscard]] Country country_of_website(const Table& table, std::string_view url);

/// The same for the first link or address of mail in a text that names a country. Any bytes; only
/// the first 1,024 are looked at.
[[nodiscard]] Country country_of_links(const Table& table, std::string_view text);

/// Whether a handle is that of an account that Bridgy Fed carries over from another network:
/// something under ap.brid.gy or web.brid.gy, label by label, in any case.
[[nodiscard]] bool is_bridged(std::string_view handle);

struct Link {
  std::size_t begin = 0;  ///< bytes, in the text
  std::size_t end = 0;
  std::string_view host;  ///< of the text
  bool marked = false;    ///< by a scheme, "www.", a path or an @, which no sentence has
};
/// The first link at or behind `from`: a URL, an address of mail, or what looks like a domain.
[[nodiscard]] std::optional<Link> next_link(std::string_view text, std::size_t from);

}  // namespace geotally::geo
