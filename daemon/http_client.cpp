#include "daemon/http_client.h"

#include <charconv>
#include <chrono>
#include <iterator>

#include <boost/algorithm/string/predicate.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fmt/format.h>

namespace geotally {
namespace {

// `more`: header lines beyond those that every request has.
HttpReply exchange(const config::Endpoint& server, std::string_view method, std::string_view target,
                   std::string_view more, const config::Secret& token,
                   std::chrono::seconds patience) {
  const std::string where = config::to_string(server);
  boost::asio::ip::tcp::iostream stream;
  stream.expires_after(patience);
  stream.connect(server.host, std::to_string(server.port));
  stream << method << ' ' << target << " HTTP/1.1\r\nHost: " << where << "\r\nConnection: close\r\n"
         << more;
  if (!token.empty()) stream << "Authorization: Bearer " << token.reveal() << "\r\n";
  stream << "\r\n" << std::flush;

  HttpReply reply;
  std::string protocol;
  std::string line;
  if (!(stream >> protocol >> reply.code) || !std::getline(stream, line)) {
    throw NoAnswer(fmt::format("{}: no answer", where));
  }
  constexpr std::string_view kLength = "content-length:";
  std::size_t length = std::string::npos;
  while (std::getline(stream, line) && line != "\r") {
    if (!boost::algorithm::istarts_with(line, kLength)) continue;
    const std::size_t digits = line.find_first_of("0123456789");
    if (digits == std::string::npos) continue;
    std::from_chars(line.data() + digits, line.data() + line.size(), length);
  }
  reply.body.assign(std::istreambuf_iterator<char>(stream), {});
  // The server always says how long its answer is; a shorter one was cut off.
  if (reply.body.size() != length) throw NoAnswer(fmt::format("{}: the answer ends early", where));
  return reply;
}

}  // namespace

HttpReply http_get(const config::Endpoint& server, std::string_view target,
                   const config::Secret& token) {
  return exchange(server, "GET", target, "", token, std::chrono::seconds(10));
}

HttpReply http_post(const config::Endpoint& server, std::string_view target,
                    std::string_view action, const config::Secret& token) {
  const std::string more = fmt::format("Content-Length: 0\r\nGeotally-Action: {}\r\n", action);
  return exchange(server, "POST", target, more, token, std::chrono::seconds(60));
}

}  // namespace geotally
