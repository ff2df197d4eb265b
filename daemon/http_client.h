// One question to a running daemon over HTTP/1.1, for the commands that talk to one.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "config/config.h"
#include "config/secret.h"

namespace geotally {

struct HttpReply {
  unsigned code = 0;
  std::string body;
};

/// Nobody answers there, or not within ten seconds, or not to the end. main() exits with 69.
class NoAnswer : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// GET `target` (a path with its query, encoded). Blocks. Throws NoAnswer.
[[nodiscard]] HttpReply http_get(const config::Endpoint& server, std::string_view target,
                                 const config::Secret& token = {});
/// POST `target`, without a body, and with the header Geotally-Action.
[[nodiscard]] HttpReply http_post(const config::Endpoint& server, std::string_view target,
                                  std::string_view action, const config::Secret& token = {});

}  // namespace geotally
