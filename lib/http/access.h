// Who may ask: the Host header and the bearer token. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/secret.h"

namespace geotally::http {

/// A page in somebody's browser can be made to send requests here under a name of its owner's
/// choice (DNS rebinding); it cannot choose what stands in Host. So only names that we know count.
class Access {
 public:
  /// `bound_host`: as the configuration has it; `allowed_hosts`: further ones.
  Access(std::string bound_host, std::vector<std::string> allowed_hosts, config::Secret token);

  /// `host`: the header's value, with or without a port. `local_address`: the address of our
  /// end of this very connection. Names and addresses are compared, not their spellings:
  /// "LOCALHOST.", "[::ffff:127.0.0.1]" and "[0:0:0:0:0:0:0:1]" are loopback names.
  [[nodiscard]] bool host_allowed(std::string_view host, std::string_view local_address) const;
  /// `authorization`: the header's value, empty = none. `open`: a route for everybody.
  [[nodiscard]] bool token_accepted(std::string_view authorization, bool open) const;

 private:
  std::vector<std::string> hosts_;  // in one spelling each
  config::Secret token_;
};

}  // namespace geotally::http
