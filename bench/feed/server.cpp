#include "feed/server.h"

#include <utility>
//
#include <algorithm>
#include <cstdio>
#include <stdexcept>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include "feed/session.h"

namespace geotally::feedgen {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;
using TlsStream = asio::ssl::stream<tcp::socket>;

constexpr std::string_view kV1Path = "/subscribe";
constexpr std::string_view kV2Path = "/xrpc/network.bsky.jetstream.subscribeEvents";
constexpr std::string_view kDictionaryPath = "/xrpc/network.bsky.jetstream.getZstdDictionary";

std::int64_t wall_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Response answer(const Request& request, unsigned status, std::string body,
                std::string_view type = "application/json") {
  Response response(static_cast<http::status>(status), request.version());
  response.set(http::field::content_type, beast::string_view(type.data(), type.size()));
  response.keep_alive(false);
  response.body() = std::move(body);
  response.prepare_payload();
  return response;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) out += c;
  }
  return out;
}

std::string error_body(std::string_view error, std::string_view message) {
  return R"({"error":")" + std::string(error) + R"(","message":")" + escaped(message) + "\"}";
}

}  // namespace

struct Server::Impl {
  Impl(Feed& feed_, ServerOptions options_)
      : feed(feed_),
        options(std::move(options_)),
        compressor(options.dictionaries),
        hub{feed, options, compressor, {}, [this](const Order& order) { end_all(order); }},
        control(io),
        ticker(io),
        signals(io, SIGINT, SIGTERM) {
    if (!options.certificate_file.empty()) {
      try {
        tls.use_certificate_chain_file(options.certificate_file);
        tls.use_private_key_file(options.key_file, asio::ssl::context::pem);
      } catch (const boost::system::system_error& error) {
        throw std::runtime_error("--tls-cert, --tls-key: " + std::string(error.what()));
      }
    }
    compress_ahead();
    for (const std::uint16_t port : options.ports) {
      acceptors.emplace_back(io);
      listen(acceptors.back(), port);
    }
    listen(control, options.control_port);
  }

  static void listen(tcp::acceptor& acceptor, std::uint16_t port) {
    const tcp::endpoint endpoint(asio::ip::address_v4::loopback(), port);
    boost::system::error_code error;
    acceptor.open(endpoint.protocol());
    acceptor.set_option(tcp::acceptor::reuse_address(true));
    acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      throw std::runtime_error("cannot listen on 127.0.0.1:" + std::to_string(port) + ": " +
                               error.message());
    }
  }

  void compress_ahead() {
    if (!compressor.available()) return;
    const std::uint64_t count = std::min(options.compress_ahead, feed.script().size());
    Buffer message;
    for (std::uint64_t number = 0; number < count; ++number) {
      message.clear();
      feed.script().append(message, number, Wire::kV1, feed.shown_us(0, number),
                           feed.sequence(0, number));
      compressor.compress(hub.ahead.begin(), message.view());
      hub.ahead.end();
    }
  }

  void end_all(const Order& order) {
    for (SessionBase* session : sessions) {
      if (order.host < 0 || static_cast<int>(session->host) == order.host) session->end(order.how);
    }
  }

  void wake_all() {
    for (SessionBase* session : sessions) session->wake();
  }

  void stop() {
    if (stopping) return;
    stopping = true;
    boost::system::error_code ignored;
    for (tcp::acceptor& acceptor : acceptors) acceptor.close(ignored);
    Order order;
    order.how = "1001";
    end_all(order);
    feed.flush();
  }

  std::string status() const {
    std::string json = feed.status();
    json += R"(,"clients":)" + std::to_string(sessions.size());
    json += R"(,"connections":)" + std::to_string(connections);
    json += R"(,"refused":)" + std::to_string(refused);
    std::uint64_t delivered = kNever;
    std::uint64_t messages = messages_gone;
    for (const SessionBase* session : sessions) {
      if (!session->ending()) delivered = std::min(delivered, session->position);
      messages += session->messages;
    }
    if (delivered == kNever) delivered = 0;
    json += R"(,"delivered":)" + std::to_string(delivered);
    json += R"(,"messages":)" + std::to_string(messages);
    json += R"(,"last_target":")" + escaped(last_target) + R"(","targets":[)";
    for (std::size_t i = 0; i < targets.size(); ++i) {
      json += (i > 0 ? ",\"" : "\"") + escaped(targets[i]) + "\"";
    }
    return json + "]}";
  }

  /// POST /control?…, /resume, /stop, /fault?spec=…; GET /status.
  Response command(const Request& request) {
    const std::string text(request.target());
    const auto target = parse_target(text);
    if (!target) return answer(request, 400, error_body("InvalidRequest", "not URL encoded"));
    const bool post = request.method() == http::verb::post;
    if (target->path == "/status" && !post) {
      feed.flush();
      return answer(request, 200, status() + "\n");
    }
    if (!post) return answer(request, 405, error_body("MethodNotAllowed", "POST, or GET /status"));
    try {
      if (target->path == "/stop") {
        stop();
      } else if (target->path == "/resume") {
        feed.resume();
      } else if (target->path == "/control" || target->path == "/pause" ||
                 target->path == "/fault") {
        for (const auto& [key, value] : target->query) steer(key, value);
      } else {
        return answer(request, 404,
                      error_body("NotFound", "/status, /control, /resume, /fault, /stop"));
      }
    } catch (const std::exception& error) {
      return answer(request, 400, error_body("InvalidRequest", error.what()));
    }
    wake_all();
    return answer(request, 200, status() + "\n");
  }

  void steer(const std::string& key, const std::string& value) {
    if (key == "fault" || key == "spec") {
      std::uint64_t now = feed.head();
      for (const SessionBase* session : sessions) now = std::min(now, session->position);
      feed.add(parse_fault(value, now));
    } else if (key == "pause_at" || key == "at") {
      feed.pause(value == "now" ? feed.head() : std::stoull(value));
    } else if (key == "rate") {
      feed.set_rate(value == "max" ? 0 : std::stod(value));
    } else {
      throw std::invalid_argument("'" + key + "' is none of fault, pause_at, rate");
    }
  }

  static asio::awaitable<void> control_session(Impl* self, tcp::socket socket) {
    beast::flat_buffer buffer;
    Request request;
    auto [error, size] = co_await http::async_read(socket, buffer, request, kToken);
    if (error) co_return;
    const Response response = self->command(request);
    auto [failed, sent] = co_await http::async_write(socket, response, kToken);
    (void)failed;
    boost::system::error_code ignored;
    socket.shutdown(tcp::socket::shutdown_send, ignored);
    if (self->stopping && self->sessions.empty()) self->io.stop();
  }

  static asio::awaitable<void> accept_control(Impl* self) {
    const auto executor = co_await asio::this_coro::executor;
    while (true) {
      auto [error, socket] = co_await self->control.async_accept(kToken);
      if (error) break;
      asio::co_spawn(executor, control_session(self, std::move(socket)), asio::detached);
    }
  }

  static asio::awaitable<void> accept_feed(Impl* self, std::size_t host) {
    const auto executor = co_await asio::this_coro::executor;
    while (!self->stopping) {
      auto [error, socket] = co_await self->acceptors[host].async_accept(kToken);
      if (error) {
        if (self->stopping || !self->acceptors[host].is_open()) break;
        continue;
      }
      boost::system::error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      if (self->options.send_buffer_bytes > 0) {
        socket.set_option(asio::socket_base::send_buffer_size(self->options.send_buffer_bytes),
                          ignored);
      }
      if (self->options.certificate_file.empty()) {
        asio::co_spawn(executor, serve(self, std::move(socket), host), asio::detached);
      } else {
        asio::co_spawn(executor, serve_tls(self, std::move(socket), host), asio::detached);
      }
    }
  }

  static asio::awaitable<void> serve_tls(Impl* self, tcp::socket socket, std::size_t host) {
    TlsStream stream(std::move(socket), self->tls);
    auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::server, kToken);
    if (error) {
      ++self->refused;
      co_return;
    }
    co_await serve(self, std::move(stream), host);
  }

  /// Whether a connection is refused now, by a fault.
  std::optional<Response> refusal(const Request& request, Host& host) {
    if (host.refusals > 0) {
      --host.refusals;
    } else if (steady_us() >= host.refuse_until_us) {
      return {};
    }
    if (host.refuse_body == "html") {
      return answer(request, host.refuse_status,
                    "<!doctype html>\n<html><head><title>Unavailable</title></head>"
                    "<body><h1>We will be back</h1></body></html>\n",
                    "text/html; charset=utf-8");
    }
    return answer(request, host.refuse_status,
                  host.refuse_body == "none"
                      ? ""
                      : error_body("ServiceUnavailable", "the server is restarting"));
  }

  /// What is answered instead of an upgrade; nullopt = welcome, and `subscription` is read.
  std::optional<Response> turn_away(const Request& request, std::size_t host,
                                    Subscription& subscription, std::uint64_t& start,
                                    std::string& greeting) {
    const std::string target(request.target());
    if (auto response = refusal(request, feed.host(host))) return response;
    const std::string path = target.substr(0, target.find('?'));
    if (path == kDictionaryPath && compressor.available()) {
      Response response = answer(request, 200, compressor.dictionary(), "application/octet-stream");
      response.set("zstd-dictionary-id", std::to_string(compressor.id()));
      return response;
    }
    const bool v2 = path == kV2Path;
    if (!v2 && path != kV1Path) {
      return answer(request, 404, error_body("NotFound", "no such path: " + path));
    }
    if (auto wrong = Subscription::parse(target, v2 ? Wire::kV2 : Wire::kV1, subscription)) {
      return answer(request, 400, error_body(wrong->error, wrong->message));
    }
    if (!v2 && request["Socket-Encoding"].find("zstd") != beast::string_view::npos) {
      subscription.compress = true;
    }
    if (subscription.compress) {
      if (!compressor.available()) {
        return answer(request, 400, error_body("InvalidRequest", "there is no dictionary here"));
      }
      if (request["Sec-WebSocket-Extensions"].find("permessage-deflate") !=
          beast::string_view::npos) {
        return answer(request, 400,
                      error_body("InvalidRequest",
                                 "zstd and permessage-deflate exclude each "
                                 "other"));
      }
      if (v2 && *subscription.dictionary != compressor.id()) {
        return answer(
            request, 400,
            error_body("UnknownZstdDictionary",
                       "unknown zstd dictionary id " + std::to_string(*subscription.dictionary) +
                           "; current dictionary id is " + std::to_string(compressor.id()) +
                           " (fetch it via getZstdDictionary and reconnect)"));
      }
    }
    bool too_old = false;
    start = feed.start(host, subscription.cursor, too_old);
    if (v2 && too_old) {
      const std::string floor = std::to_string(feed.floor_sequence(host));
      if (*subscription.cursor < kFirstTimeCursor) {
        return answer(
            request, 400,
            error_body("CursorTooOld",
                       "subscribe: cursor too old: cursor " + std::to_string(*subscription.cursor) +
                           " below lookback floor " + floor + "; re-backfill from your last seq"));
      }
      greeting = info_message("OutdatedCursor",
                              "requested timestamp cursor below retention floor; starting at "
                              "seq " +
                                  floor);
    }
    if (!websocket::is_upgrade(request)) {
      return answer(request, 426, error_body("InvalidRequest", "a websocket upgrade is expected"));
    }
    return {};
  }

  template <class Stream>
  static asio::awaitable<void> serve(Impl* self, Stream stream, std::size_t host) {
    beast::flat_buffer buffer;
    Request request;
    auto [error, size] = co_await http::async_read(stream, buffer, request, kToken);
    if (error) co_return;
    const std::string target(request.target());
    Subscription subscription;
    std::uint64_t start = 0;
    std::string greeting;
    const std::optional<Response> refused =
        self->turn_away(request, host, subscription, start, greeting);
    if (refused) {
      ++self->refused;
      const Response& response = *refused;
      auto [failed, sent] = co_await http::async_write(stream, response, kToken);
      (void)failed;
      boost::system::error_code ignored;
      beast::get_lowest_layer(stream).shutdown(tcp::socket::shutdown_send, ignored);
      co_return;
    }
    websocket::stream<Stream&> upgrade(stream);
    if (subscription.wire == Wire::kV2 && request[http::field::sec_websocket_protocol].find(
                                              "xrpc.v1.json") != beast::string_view::npos) {
      upgrade.set_option(websocket::stream_base::decorator([](websocket::response_type& response) {
        response.set(http::field::sec_websocket_protocol, "xrpc.v1.json");
      }));
    }
    auto [failed] = co_await upgrade.async_accept(request, kToken);
    if (failed) co_return;
    std::string early(static_cast<const char*>(buffer.data().data()), buffer.size());
    auto session = std::make_shared<Session<Stream>>(
        std::move(stream), self->hub, std::move(subscription), host, start, std::move(greeting));
    self->welcome(session.get(), target);
    co_await Session<Stream>::run(session, std::move(early));
    self->farewell(session.get());
  }

  void welcome(SessionBase* session, const std::string& target) {
    ++connections;
    last_target = target;
    targets.push_back(target);
    if (targets.size() > 100) targets.erase(targets.begin());
    sessions.push_back(session);
    if (stopping) session->end("1001");
  }

  void farewell(SessionBase* session) {
    messages_gone += session->messages;
    sessions.erase(std::find(sessions.begin(), sessions.end(), session));
    if (stopping && sessions.empty()) io.stop();
  }

  static asio::awaitable<void> tick_loop(Impl* self) {
    while (!self->stopping) {
      self->ticker.expires_after(std::chrono::milliseconds(2));
      auto [error] = co_await self->ticker.async_wait(kToken);
      if (error) break;
      const std::uint64_t before = self->feed.head();
      self->feed.tick(steady_us(), wall_us(), self->sessions.size());
      if (self->feed.head() != before) self->wake_all();
      if (self->options.outbox == 0) continue;
      for (SessionBase* session : self->sessions) {
        const std::uint64_t tail = self->feed.tail(session->host);
        if (session->live && tail > session->position + self->options.outbox) session->cut();
      }
    }
  }

  static asio::awaitable<void> wait_signal(Impl* self) {
    auto [error, number] = co_await self->signals.async_wait(kToken);
    if (error) co_return;
    self->stop();
    if (self->sessions.empty()) self->io.stop();
  }

  Feed& feed;
  ServerOptions options;
  Compressor compressor;
  Hub hub;
  asio::io_context io{1};
  asio::ssl::context tls{asio::ssl::context::tls_server};
  std::vector<tcp::acceptor> acceptors;  // by host
  tcp::acceptor control;
  asio::steady_timer ticker;
  asio::signal_set signals;
  std::vector<SessionBase*> sessions;
  std::vector<std::string> targets;
  std::string last_target;
  std::uint64_t connections = 0;
  std::uint64_t refused = 0;
  std::uint64_t messages_gone = 0;
  bool stopping = false;
};

Server::Server(Feed& feed, ServerOptions options)
    : impl_(std::make_unique<Impl>(feed, std::move(options))) {}

Server::~Server() = default;

std::string Server::addresses() const {
  std::string json = R"({"feeds":[)";
  const std::string scheme = impl_->options.certificate_file.empty() ? "ws" : "wss";
  for (std::size_t i = 0; i < impl_->acceptors.size(); ++i) {
    json += (i > 0 ? ",\"" : "\"") + scheme +
            "://127.0.0.1:" + std::to_string(impl_->acceptors[i].local_endpoint().port()) + "\"";
  }
  json += R"(],"control":"http://127.0.0.1:)" +
          std::to_string(impl_->control.local_endpoint().port()) + "\"}";
  return json;
}

void Server::run() {
  auto& io = impl_->io;
  for (std::size_t host = 0; host < impl_->acceptors.size(); ++host) {
    asio::co_spawn(io, Impl::accept_feed(impl_.get(), host), asio::detached);
  }
  asio::co_spawn(io, Impl::accept_control(impl_.get()), asio::detached);
  asio::co_spawn(io, Impl::tick_loop(impl_.get()), asio::detached);
  asio::co_spawn(io, Impl::wait_signal(impl_.get()), asio::detached);
  io.run();
  impl_->feed.flush();
}

}  // namespace geotally::feedgen
