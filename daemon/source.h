// Who answers the questions of the command line: a running daemon, or a store that no daemon holds.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "config/load.h"
#include "config/secret.h"
#include "http/api/answers.h"

namespace geotally {

/// Wrong arguments; main() exits with 64.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct SourceOptions {
  /// "http://HOST:PORT" of a daemon; none = where this configuration's daemon listens.
  std::optional<std::string> url;
  /// The configuration's data directory is read instead of asking a daemon.
  bool offline = false;
  std::string token_file;  ///< empty = $GEOTALLY_TOKEN, else the configuration's own
};

/// Throws ConfigError, UsageError, and what store::Store::open() throws; store::Refused too when
/// a daemon holds the store. What it returns throws NoAnswer, or what reading a store throws.
[[nodiscard]] http::Ask make_source(const config::Inputs& inputs, const SourceOptions& options);

/// Where a command that talks to a daemon finds it. Throws ConfigError, UsageError.
struct Server {
  config::Endpoint address;
  config::Secret token;
};
[[nodiscard]] Server server_of(const config::Config& config, const SourceOptions& options);

/// RFC 3986: what is not unreserved is encoded.
[[nodiscard]] std::string percent_encoded(std::string_view text);

/// The exit code for an answer.
[[nodiscard]] int exit_code_of(const http::Reply& reply);

}  // namespace geotally
