// Declared places: from what people write ("Criciúma, SC", "📍 Lagos / London", "東京在住")
// to countries and a city, by the names of the table.
//
// Each name that is found can mean several things and can also mean nothing at all. Names that
// stand together confirm each other (a city and its state); a name alone is trusted by what it
// is, how large the place is, and how common the word. What comes out is a log-likelihood ratio
// per country: how much more likely this text is from an account of that country.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "country/country.h"
#include "geo/table.h"

namespace geotally::geo {

struct Reading {
  struct Item {
    Country country;
    float lift = 0;          ///< nats
    std::uint32_t city = 0;  ///< GeoNames id, 0 = none
    bool demonym = false;    ///< rests on what people call themselves, not on a place
    bool coordinates = false;
    bool confirmed = false;  ///< two names that stand together say the same
  };
  static constexpr std::size_t kMax = 8;
  std::array<Item, kMax> items;  ///< largest lift first
  std::size_t count = 0;

  void add(const Item& item);
  void sort();
};

enum class Field : std::uint8_t {
  kLocation,     ///< meant for a place
  kDescription,  ///< may hold one
  kPost,         ///< seldom holds one
};

/// Log of the share of accounts, by index of the country.
using Prior = std::array<float, Country::kLimit>;

/// Adds what `text` says to `reading`. `shift` (nats) is added to the log-odds that a name means a
/// place at all. Any bytes; bounded work, no allocation.
void read_places(const Table& table, const Prior& prior, std::string_view text, Field field,
                 float shift, Reading& reading);

}  // namespace geotally::geo
