#include <array>
#include <chrono>
#include <string>

#include <boost/asio/ip/tcp.hpp>
#include <fmt/format.h>

#include "daemon/commands.h"
#include "daemon/exit_code.h"

namespace geotally {

int healthcheck(const config::Inputs& inputs) {
  const config::Config config = config::load(inputs).config;
  const std::string where = config::to_string(config.http.listen);
  boost::asio::ip::tcp::iostream stream;
  stream.expires_after(std::chrono::seconds(5));
  stream.connect(config.http.listen.host, std::to_string(config.http.listen.port));
  stream << "GET /readyz HTTP/1.1\r\nHost: " << where << "\r\nConnection: close\r\n\r\n"
         << std::flush;
  std::string protocol;
  int code = 0;
  std::string line;
  if (!(stream >> protocol >> code)) {
    fmt::print(stderr, "geotally: {}: no answer\n", where);
    return kExitFailure;
  }
  while (std::getline(stream, line) && line != "\r") {
  }
  std::getline(stream, line);
  fmt::print("{}\n", line);
  return code == 200 ? kExitOk : kExitFailure;
}

}  // namespace geotally
