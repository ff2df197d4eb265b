#include "geo/domains.h"

#include <algorithm>

namespace geotally::geo {
namespace {

// Country codes that are used as words or sold all over the world.
bool is_generic(std::string_view label) {
  static constexpr std::string_view kGeneric[] = {
      "ac", "ad", "ag", "ai",  "am", "as", "bz", "cc", "cd", "ci", "co", "cx",  "dj", "fm",
      "ga", "gd", "gg", "gl",  "gp", "gq", "gs", "ht", "im", "io", "je", "la",  "lc", "li",
      "ly", "md", "me", "ml",  "mn", "ms", "mu", "nf", "nr", "nu", "pm", "pn",  "pw", "re",
      "sc", "sh", "so", "st",  "su", "sx", "tc", "tf", "tk", "tl", "to", "tv",  "ug", "vc",
      "vg", "wf", "ws", "xxx", "yt", "cf", "eu", "aq", "bv", "sj", "um", "cat", "zz"};
  return std::find(std::begin(kGeneric), std::end(kGeneric), label) != std::end(kGeneric);
}

}  // namespace

Country country_of_handle(std::string_view handle) {
  constexpr std::size_t kDomainMax = 253;
  while (!handle.empty() && handle.back() == '.') handle.remove_suffix(1);
  if (handle.size() > kDomainMax) return kUnknownCountry;
  const std::size_t dot = handle.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return kUnknownCountry;
  const std::string_view label = handle.substr(dot + 1);
  if (label.size() != 2) return kUnknownCountry;
  const char lower[] = {static_cast<char>(label[0] | 0x20), static_cast<char>(label[1] | 0x20)};
  const std::string_view code(lower, 2);
  if (is_generic(code)) return kUnknownCountry;
  return Country::parse(code == "uk" ? "GB" : code).value_or(kUnknownCountry);
}

Country country_of_website(std::string_view url) {
  if (const std::size_t scheme = url.find("://"); scheme != std::string_view::npos)
    url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?# \t\n"));
  if (const std::size_t at = url.rfind('@'); at != std::string_view::npos)
    url.remove_prefix(at + 1);
  url = url.substr(0, url.find(':'));
  return country_of_handle(url);
}

}  // namespace geotally::geo
