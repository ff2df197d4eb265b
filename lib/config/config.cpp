#include "config/config.h"

namespace geotally::config {

std::string to_string(const Endpoint& endpoint) {
  const bool v6 = endpoint.host.find(':') != std::string::npos;
  return (v6 ? "[" + endpoint.host + "]" : endpoint.host) + ":" + std::to_string(endpoint.port);
}

bool is_loopback(const Endpoint& endpoint) {
  if (endpoint.host == "localhost" || endpoint.host == "::1") return true;
  // An address, not a name that begins like one: "127.0.0.1.example.org" is somewhere else.
  return endpoint.host.starts_with("127.") &&
         endpoint.host.find_first_not_of("0123456789.") == std::string::npos;
}

}  // namespace geotally::config
