// Goal: the table answers as the sources do, and a bad one is refused in one clear line.
#include "geo/table.h"

#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "geo/resolver.h"

namespace geotally::geo {
namespace {

const std::filesystem::path kPath = GEOTALLY_TABLE;

std::string read_table() {
  std::ifstream file(kPath, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

class BadTable : public testing::Test {
 protected:
  ~BadTable() override { std::filesystem::remove(path_); }
  std::string refusal(const std::string& content) {
    std::ofstream(path_, std::ios::binary) << content;
    try {
      const Table table(path_);
      return "";
    } catch (const std::runtime_error& error) {
      return error.what();
    }
  }
  const std::filesystem::path path_ =
      std::filesystem::temp_directory_path() / ("geotally-table-" + std::to_string(getpid()));
};

TEST_F(BadTable, IsRefusedInOneLine) {
  const std::string good = read_table();
  EXPECT_EQ(refusal(good), "");
  for (const std::string& bad :
       {std::string(), std::string("GEOTALLY"), std::string(200, 'x'),
        good.substr(0, good.size() - 1), good + "x", good.substr(0, 100)}) {
    const std::string message = refusal(bad);
    EXPECT_NE(message, "") << bad.size();
    EXPECT_EQ(message.find('\n'), std::string::npos);
    EXPECT_NE(message.find(path_.filename().string()), std::string::npos);
  }
  for (const std::size_t at :
       {sizeof(TableHeader), good.size() / 3, good.size() / 2, good.size() - 1}) {
    std::string damaged = good;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_NE(refusal(damaged).find("checksum"), std::string::npos) << at;
  }
  std::string other = good;
  other[8] = 77;
  EXPECT_NE(refusal(other).find("version 77"), std::string::npos);
}

TEST_F(BadTable, MissingIsRefusedByTheResolver) {
  Resolver::Options options;
  options.table = path_;
  try {
    const Resolver resolver(options);
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("No such file"), std::string::npos) << error.what();
  }
  options.table = std::filesystem::temp_directory_path();
  EXPECT_THROW(const Resolver resolver(options), std::runtime_error);
}

TEST(Table, LiesBesideThePrograms) {
  EXPECT_TRUE(std::filesystem::exists(default_table_path())) << default_table_path();
}

TEST(Table, CarriesItsLicences) {
  const Table table(kPath);
  for (const auto* source : {"GeoNames", "CC BY 4.0", "Unicode-3.0", "country-coder", "ISC"}) {
    EXPECT_NE(table.licences().find(source), std::string_view::npos) << source;
  }
  EXPECT_LE(table.bytes(), 12u << 20);
}

TEST(Table, BordersHoldPoints) {
  const Table table(kPath);
  const struct {
    double latitude, longitude;
    const char* country;
  } points[] = {{48.86, 2.35, "FR"},     {40.42, -3.70, "ES"},   {-29.31, 27.48, "LS"},
                {41.9035, 12.453, "VA"}, {43.94, 12.45, "SM"},   {41.80, 12.60, "IT"},
                {-23.55, -46.63, "BR"},  {35.68, 139.69, "JP"},  {64.15, -21.94, "IS"},
                {28.12, -15.43, "ES"},   {35.89, -5.32, "ES"},   {18.22, -66.43, "PR"},
                {21.31, -157.86, "US"},  {64.84, -147.7, "US"},  {54.71, 20.51, "RU"},
                {42.66, 21.16, "XK"},    {-36.85, 174.76, "NZ"}, {4.94, -52.33, "GF"},
                {30, -40, "ZZ"},         {43.6, -30.5, "ZZ"},    {69.65, 18.96, "NO"},
                {-54.8, -68.3, "AR"},    {22.3, 114.17, "HK"},   {25.03, 121.56, "TW"}};
  for (const auto& point : points) {
    EXPECT_EQ(table.country_at(point.latitude, point.longitude).code(), point.country)
        << point.latitude << " " << point.longitude;
  }
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  for (const auto& [latitude, longitude] :
       {std::pair{nan, 0.0}, {0.0, nan}, {inf, inf}, {91.0, 0.0}, {0.0, -180.1}, {1e300, 1e300}}) {
    EXPECT_FALSE(table.country_at(latitude, longitude).known());
  }
}

TEST(Table, ZonesOfBothKindsOfName) {
  const Table table(kPath);
  const auto country = [&](std::string_view name) {
    const Zone* zone = table.find_zone(name);
    return zone == nullptr ? std::string_view("none") : table.country(zone->country).code();
  };
  EXPECT_EQ(country("Europe/Paris"), "FR");
  EXPECT_EQ(country("Asia/Kolkata"), "IN");
  EXPECT_EQ(country("Asia/Calcutta"), "IN");  // the old name
  EXPECT_EQ(country("Eastern Time (US & Canada)"), "US");
  EXPECT_EQ(country("Brasilia"), "BR");
  EXPECT_EQ(country("Quito"), "EC");  // Rails maps it to Lima's zone
  EXPECT_EQ(country("Edinburgh"), "GB");
  EXPECT_EQ(table.find_zone("Brasilia")->winter, -2 * 4);  // daylight saving of 2015
  for (const auto* name : {"", "Nowhere", "europe/paris"}) EXPECT_EQ(country(name), "none") << name;
  EXPECT_EQ(table.find_zone(std::string(100'000, 'a')), nullptr);
}

TEST(Table, CitiesById) {
  const Resolver resolver(Resolver::Options{.table = kPath});
  const City paris = resolver.find_city(2988507);
  EXPECT_EQ(paris.name, "Paris");
  EXPECT_EQ(paris.country.code(), "FR");
  EXPECT_EQ(resolver.find_city(0).id, 0u);
  EXPECT_EQ(resolver.find_city(4'000'000'000U).id, 0u);
}

}  // namespace
}  // namespace geotally::geo
