#include "feed/url.h"

#include <charconv>

namespace geotally::feed {
namespace {

constexpr std::size_t kHostBytesMax = 253;
constexpr std::size_t kTargetBytesMax = 16 * 1024;

bool take_port(std::string_view text, std::uint16_t& port) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  return failed == std::errc() && end == text.data() + text.size() && port != 0;
}

bool host_char(char c, bool bracketed) {
  if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.') return true;
  return bracketed ? c == ':' : c == '-' || c == '_';
}

std::string with_port(std::string_view host, std::uint16_t port) {
  const bool bracketed = host.find(':') != std::string_view::npos;
  std::string text(host);
  return (bracketed ? "[" + text + "]" : text) + ":" + std::to_string(port);
}

}  // namespace

std::string Url::authority() const { return with_port(host, port); }

std::string_view Url::name() const {
  std::string_view name = host;
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

std::string Url::host_header() const {
  std::string header = with_port(name(), port);
  if (port == (tls ? 443 : 80)) header.resize(header.rfind(':'));
  return header;
}

bool Url::parse(std::string_view text, Url& url, std::string& error) {
  const auto refuse = [&error](std::string_view why) {
    error = why;
    return false;
  };
  Url result;
  if (text.starts_with("wss://")) {
    result.tls = true;
    text.remove_prefix(6);
  } else if (text.starts_with("ws://")) {
    text.remove_prefix(5);
  } else {
    return refuse("a feed address begins with ws:// or wss://");
  }
  for (const char c : text) {
    if (c <= ' ' || c == 0x7F || static_cast<unsigned char>(c) >= 0x80) {
      return refuse("a feed address holds printable ASCII only; percent-encode the rest");
    }
  }
  if (text.find('#') != std::string_view::npos) return refuse("a feed address has no fragment");

  const auto slash = std::min(text.find_first_of("/?"), text.size());
  std::string_view authority = text.substr(0, slash);
  result.target = text.substr(slash);
  if (!result.target.starts_with('/')) result.target.insert(0, "/");
  if (result.target.size() > kTargetBytesMax) return refuse("the path and query are too long");
  if (authority.find('@') != std::string_view::npos) {
    return refuse("a feed address holds no user or password; use a credential file");
  }

  const bool bracketed = authority.starts_with('[');
  std::string_view host = authority;
  std::string_view port;
  if (bracketed) {
    const auto close = authority.find(']');
    if (close == std::string_view::npos) return refuse("the bracket of the address is not closed");
    host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
    if (!port.empty() && port[0] != ':') return refuse("a port follows the host after a colon");
  } else if (const auto colon = authority.find(':'); colon != std::string_view::npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon);
  }
  result.port = result.tls ? 443 : 80;
  if (!port.empty() && !take_port(port.substr(1), result.port)) {
    return refuse("the port is a number from 1 to 65535");
  }
  if (host.empty()) return refuse("the host is missing");
  if (host.size() > kHostBytesMax) return refuse("the host is too long");
  if (!bracketed && (host.starts_with('.') || host.find("..") != std::string_view::npos)) {
    return refuse("the host holds an empty label");
  }
  for (char c : host) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    if (!host_char(c, bracketed)) return refuse("the host holds a character that no host has");
    result.host += c;
  }
  url = std::move(result);
  return true;
}

}  // namespace geotally::feed
