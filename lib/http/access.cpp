#include "http/access.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include <boost/asio/ip/address.hpp>

namespace geotally::http {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

/// "name:1", "[::1]:1" without port and brackets; empty = malformed.
std::string_view without_port(std::string_view host) {
  std::string_view port;
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    if (end == std::string_view::npos) return {};
    port = host.substr(end + 1);
    host = host.substr(1, end - 1);
  } else if (const std::size_t colon = host.find(':'); colon != std::string_view::npos) {
    port = host.substr(colon);
    host = host.substr(0, colon);
  }
  if (!port.empty()) {
    std::uint16_t number = 0;
    const char* last = port.data() + port.size();
    if (port.front() != ':') return {};
    const auto [end, error] = std::from_chars(port.data() + 1, last, number);
    if (error != std::errc{} || end != last) return {};
  }
  return host;
}

/// One text for whatever names the same host: small letters, no dot at the end of a name, and an
/// address in its shortest form. What comes over IPv4 to a socket of IPv6 has an address of ours
/// such as ::ffff:10.0.0.7, and its Host says 10.0.0.7 (RFC 4291, 2.5.5.2). The zone of an
/// address is nobody else's business (RFC 6874, 4).
std::string canonical(std::string_view host) {
  namespace ip = boost::asio::ip;
  if (host.find(':') != std::string_view::npos) host = host.substr(0, host.find('%'));
  std::string name = lower(host);
  if (name.ends_with('.')) name.pop_back();
  boost::system::error_code no_address;
  const ip::address address = ip::make_address(name, no_address);
  if (no_address) return name;
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return ip::make_address_v4(ip::v4_mapped, address.to_v6()).to_string();
  }
  return address.to_string();
}

}  // namespace

Access::Access(std::string bound_host, std::vector<std::string> allowed_hosts, config::Secret token)
    : hosts_{"localhost", "127.0.0.1", "::1", canonical(bound_host)}, token_(std::move(token)) {
  for (const std::string& host : allowed_hosts) hosts_.push_back(canonical(host));
}

bool Access::host_allowed(std::string_view host, std::string_view local_address) const {
  const std::string name = canonical(without_port(host));
  if (name.empty()) return false;
  return name == canonical(local_address) || std::ranges::find(hosts_, name) != hosts_.end();
}

bool Access::token_accepted(std::string_view authorization, bool open) const {
  if (open || token_.empty()) return true;
  constexpr std::string_view kScheme = "bearer ";
  if (lower(authorization.substr(0, kScheme.size())) != kScheme) return false;
  return token_.matches(authorization.substr(kScheme.size()));
}

}  // namespace geotally::http
