#include "feed/proxy.h"

#include <algorithm>
#include <cstdlib>

#include "feed/target.h"
#include "feed/url.h"

namespace geotally::feed {
namespace {

bool same(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

std::string environment(const char* lower, const char* upper) {
  for (const char* name : {lower, upper}) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): at start-up
    if (value != nullptr && *value != '\0') return value;
  }
  return {};
}

bool matches(std::string_view entry, std::string_view host, std::uint16_t port) {
  if (entry == "*") return true;
  // "name:port", but not the colons of an IPv6 address.
  const auto colon = entry.rfind(':');
  if (colon != std::string_view::npos && entry.find(':') == colon) {
    if (entry.substr(colon + 1) != std::to_string(port)) return false;
    entry = entry.substr(0, colon);
  }
  if (entry.starts_with('[') && entry.ends_with(']')) entry = entry.substr(1, entry.size() - 2);
  if (entry.starts_with('.')) entry.remove_prefix(1);
  if (entry.ends_with('.')) entry.remove_suffix(1);
  if (host.ends_with('.')) host.remove_suffix(1);
  if (entry.empty() || host.size() < entry.size()) return false;
  if (!same(host.substr(host.size() - entry.size()), entry)) return false;
  return host.size() == entry.size() || host[host.size() - entry.size() - 1] == '.';
}

}  // namespace

bool Proxy::parse(std::string_view text, Proxy& proxy, std::string& error) {
  if (text.starts_with("http://")) text.remove_prefix(7);
  if (text.find("://") != std::string_view::npos) {
    error = "a proxy address begins with http://";
    return false;
  }
  while (text.ends_with('/')) text.remove_suffix(1);
  Proxy result;
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    result.user = percent_decoded(text.substr(0, at));
    text.remove_prefix(at + 1);
  }
  if (text.find_first_of("/?") != std::string_view::npos) {
    error = "a proxy address has no path";
    return false;
  }
  // Host and port follow the rules of a feed's.
  Url url;
  if (!Url::parse("ws://" + std::string(text), url, error)) {
    error = "a proxy address is http://host:port";
    return false;
  }
  result.host = url.host;
  result.port = url.port;
  proxy = std::move(result);
  return true;
}

bool bypasses_proxy(std::string_view no_proxy, std::string_view host, std::uint16_t port) {
  while (!no_proxy.empty()) {
    const auto end = std::min(no_proxy.find(','), no_proxy.size());
    std::string_view entry = no_proxy.substr(0, end);
    while (entry.starts_with(' ')) entry.remove_prefix(1);
    while (entry.ends_with(' ')) entry.remove_suffix(1);
    if (matches(entry, host, port)) return true;
    no_proxy.remove_prefix(std::min(end + 1, no_proxy.size()));
  }
  return false;
}

ProxySettings proxy_from_environment() {
  return {environment("https_proxy", "HTTPS_PROXY"), environment("no_proxy", "NO_PROXY")};
}

}  // namespace geotally::feed
