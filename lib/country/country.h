// A country as a value: ISO 3166-1 alpha-2, plus XK (Kosovo) and ZZ (unknown).
//
// The list is closed and generated (country_table.inc), so a country is also a
// small index: cells of the tally are arrays over it. The index belongs to one
// build; whatever is stored or sent carries the two letters.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace geotally {

class Country {
 public:
  /// Room for every country there is and a few more; arrays over countries have this size.
  static constexpr std::size_t kLimit = 256;

  /// ZZ: no country is known.
  constexpr Country() = default;

  /// Two ASCII letters of either case: a code of the list, or ZZ. Nothing for anything else.
  [[nodiscard]] static std::optional<Country> parse(std::string_view code);

  /// What others write for a country, in either case: two or three letters of ISO 3166-1; UK, EL
  /// and XKX, which the EU and others use; and a part of a country as ISO 3166-2 has it ("US-CA"),
  /// for which the country counts, or the part's own code where it has one ("US-PR" is PR).
  /// Nothing for anything else, and for ZZ.
  [[nodiscard]] static std::optional<Country> parse_iso3166(std::string_view code);

  /// Number of countries, ZZ included. Indexes are below it; ZZ has index 0,
  /// the others follow in code order.
  [[nodiscard]] static std::size_t count();
  /// Requires index < count().
  [[nodiscard]] static Country from_index(std::size_t index);
  [[nodiscard]] constexpr std::uint8_t index() const { return index_; }

  /// "FR". Static storage.
  [[nodiscard]] std::string_view code() const;
  /// CLDR's short name in English or French, "Unknown" and "Inconnu" for ZZ. Static storage.
  [[nodiscard]] std::string_view name_en() const;
  [[nodiscard]] std::string_view name_fr() const;
  /// UN M49 codes of the macro region (150 = Europe) and of the sub-region that
  /// holds the country (155 = Western Europe); 0 where M49 has none.
  [[nodiscard]] std::uint16_t region() const;
  [[nodiscard]] std::uint16_t subregion() const;
  /// Inhabitants by CLDR; 0 = unknown.
  [[nodiscard]] std::uint32_t population() const;

  [[nodiscard]] constexpr bool known() const { return index_ != 0; }
  friend constexpr bool operator==(Country, Country) = default;

 private:
  explicit constexpr Country(std::uint8_t index) : index_(index) {}
  std::uint8_t index_ = 0;
};

inline constexpr Country kUnknownCountry{};

}  // namespace geotally
