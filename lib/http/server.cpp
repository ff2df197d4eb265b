#include "http/server.h"

#include <csignal>
#include <list>
#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <pthread.h>

#include "http/access.h"
#include "http/encoding.h"
#include "http/negotiation.h"
#include "http/routes.h"
#include "log/log.h"

namespace geotally::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using asio::ip::tcp;
using Steady = std::chrono::steady_clock;

namespace {

constexpr std::size_t kFirstReadBytes = 2'048;
constexpr std::size_t kLingerBytesMax = 65'536;
constexpr std::size_t kCompressBytesMin = 1'024;
// Places beyond connections_max, for those who ask whether we are well.
constexpr std::size_t kProbePlaces = 64;
constexpr auto kAcceptPause = std::chrono::milliseconds(100);

/// A list that may stand on several lines (RFC 9110, 5.3).
std::string joined(const bhttp::request<bhttp::empty_body>& request, bhttp::field name) {
  std::string whole;
  const auto [first, end] = request.equal_range(name);
  for (auto line = first; line != end; ++line) {
    if (line != first) whole += ", ";
    whole += line->value();
  }
  return whole;
}

bool is_parse_error(const beast::error_code& error) {
  return error.category() == bhttp::make_error_code(bhttp::error::bad_method).category();
}

/// Signals belong to main's thread.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

/// Everything here happens on the thread "http", but for construction, start and stop.
class Server::Loop {
 public:
  Loop(Options options, const Sources& sources, metrics::Metrics& metrics, log::Logger& log);

  void start();
  void stop();
  void on_commit();
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  class Session;
  struct Answer {
    Response response;
    metrics::Handler handler = metrics::Handler::kOther;
    bool close = false;
    std::function<void(Later)> later = {};  ///< set: the response comes from here
  };

  void accept();
  void admit(tcp::socket socket);
  void forget(Session& session);
  void rejected(metrics::HttpRejection reason);
  Answer answer(const bhttp::request<bhttp::empty_body>& request, std::string_view local_address,
                bool probe);

  // Constant after construction.
  const Options options_;
  const Access access_;
  const std::vector<Route> routes_;
  metrics::Metrics& metrics_;
  log::Logger& log_;

  asio::io_context io_{1};
  tcp::acceptor acceptor_{io_};
  asio::steady_timer accept_pause_{io_};
  std::uint16_t port_ = 0;
  std::list<std::shared_ptr<Session>> sessions_;
  std::thread thread_;
};

/// One connection. It lives as long as an operation of it is under way.
class Server::Loop::Session : public std::enable_shared_from_this<Session> {
 public:
  /// `probe`: there is only room to say whether we are well.
  Session(Loop& loop, tcp::socket socket, bool probe)
      : loop_(loop),
        probe_(probe),
        stream_(std::move(socket)),
        patience_(loop.io_),
        buffer_(loop.options_.header_bytes_max + kFirstReadBytes) {
    beast::error_code ignored;
    stream_.socket().set_option(tcp::no_delay(true), ignored);
    local_address_ = stream_.socket().local_endpoint(ignored).address().to_string();
  }

  void start() { next_request(true); }
  /// Ends what is under way; its callback then calls finish().
  void close() {
    patience_.cancel();
    stream_.close();
  }
  /// Whether it keeps us waiting: for a request, or for an answer to be taken.
  [[nodiscard]] bool waiting() const {
    return state_ != State::kWriting || Steady::now() - since_ >= loop_.options_.slow_answer;
  }
  /// Whether it has only just come, and is about to ask.
  [[nodiscard]] bool fresh() const {
    return state_ == State::kReading && Steady::now() - since_ < loop_.options_.prompt_request;
  }
  [[nodiscard]] bool idle() const { return state_ == State::kIdle; }
  [[nodiscard]] bool probe() const { return probe_; }
  [[nodiscard]] Steady::time_point since() const { return since_; }

 private:
  enum class State { kIdle, kReading, kWriting, kLingering };

  void next_request(bool first) {
    state_ = first ? State::kReading : State::kIdle;
    since_ = Steady::now();
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(loop_.options_.header_bytes_max));
    parser_->body_limit(std::uint64_t{0});
    if (buffer_.size() > 0) {  // the client did not wait for the answer
      stream_.expires_after(loop_.options_.request_timeout);
      return read_header();
    }
    stream_.expires_after(first ? loop_.options_.request_timeout : loop_.options_.idle_timeout);
    stream_.async_read_some(
        buffer_.prepare(kFirstReadBytes),
        [self = shared_from_this(), first](beast::error_code error, std::size_t size) {
          if (error) {
            if (error == beast::error::timeout && first) {
              self->loop_.rejected(metrics::HttpRejection::kTimeout);
            }
            return self->finish();
          }
          self->buffer_.commit(size);
          // The first request has its time from the connection on.
          if (!first) self->stream_.expires_after(self->loop_.options_.request_timeout);
          self->read_header();
        });
  }

  void read_header() {
    if (state_ == State::kIdle) since_ = Steady::now();
    state_ = State::kReading;
    bhttp::async_read_header(stream_, buffer_, *parser_,
                             [self = shared_from_this()](beast::error_code error, std::size_t) {
                               self->on_header(error);
                             });
  }

  void on_header(beast::error_code error) {
    using metrics::HttpRejection;
    if (error == bhttp::error::header_limit || error == bhttp::error::buffer_overflow) {
      return refuse(HttpRejection::kHeaderTooLarge, 431, "The header is too long.\n");
    }
    if (error == bhttp::error::body_limit) {
      return refuse(HttpRejection::kBody, 413, "No request here has a body.\n");
    }
    if (error == beast::error::timeout) {
      loop_.rejected(HttpRejection::kTimeout);
      return finish();
    }
    if (error == bhttp::error::end_of_stream || error == bhttp::error::partial_message) {
      return finish();
    }
    if (error && is_parse_error(error)) {
      return refuse(HttpRejection::kMalformed, 400, "This is not HTTP/1.1.\n");
    }
    if (error) return finish();
    if (parser_->chunked() || parser_->content_length().value_or(0) > 0) {
      return refuse(HttpRejection::kBody, 413, "No request here has a body.\n");
    }
    begun_ = Steady::now();
    Answer answer = loop_.answer(parser_->get(), local_address_, probe_);
    if (!answer.later) return send(std::move(answer));
    await(answer.handler, answer.later);
  }

  /// The connection is idle until the answer comes, or patience ends. Whoever gives the answer
  /// holds nothing of this session: it may be gone by then.
  void await(metrics::Handler handler, const std::function<void(Later)>& later) {
    state_ = State::kWriting;
    since_ = Steady::now();
    stream_.expires_never();
    patience_.expires_after(loop_.options_.later_timeout);
    patience_.async_wait([self = shared_from_this(), handler](beast::error_code cancelled) {
      if (cancelled) return;
      self->answered(handler, Response::text(504, "It is not durable yet; ask again.\n"));
    });
    awaiting_ = true;
    later([weak = weak_from_this(), io = &loop_.io_, handler](Response response) {
      asio::post(*io, [weak, handler, response = std::move(response)]() mutable {
        if (const auto self = weak.lock()) self->answered(handler, std::move(response));
      });
    });
  }

  void answered(metrics::Handler handler, Response response) {
    if (!std::exchange(awaiting_, false) || !stream_.socket().is_open()) return;
    patience_.cancel();
    send({std::move(response), handler, false, {}});
  }

  /// Answers before there is a request that could be routed, and ends the connection.
  void refuse(metrics::HttpRejection reason, unsigned code, std::string text) {
    loop_.rejected(reason);
    begun_ = Steady::now();
    send({Response::text(code, std::move(text)), metrics::Handler::kOther, true, {}});
  }

  void send(Answer answer) {
    state_ = State::kWriting;
    since_ = Steady::now();
    answer_ = std::move(answer);
    const auto& request = parser_->get();
    Response& response = answer_.response;
    const bool head = request.method() == bhttp::verb::head;
    if (response.body == nullptr) response.body = std::make_shared<const std::string>();
    const bool compressible =
        !response.body->empty() && accepts_gzip(joined(request, bhttp::field::accept_encoding));
    if (response.code == 200 && response.etag.empty()) response.etag = etag_of(*response.body);
    if (response.code == 200 &&
        names_etag(joined(request, bhttp::field::if_none_match), response.etag)) {
      response.code = 304;
    }
    if (response.code != 304 && compressible && response.body_gzip == nullptr &&
        response.body->size() >= kCompressBytesMin) {
      response.body_gzip = std::make_shared<const std::string>(gzip(*response.body));
    }
    sent_ = compressible && response.body_gzip != nullptr ? response.body_gzip : response.body;

    message_.emplace();
    message_->version(request.version() == 10 ? 10 : 11);
    message_->result(response.code);
    message_->set(bhttp::field::server, "geotally");
    if (response.code != 304) {
      message_->set(bhttp::field::content_type, response.content_type);
      message_->set(bhttp::field::content_length, std::to_string(sent_->size()));
      message_->set("X-Content-Type-Options", "nosniff");
      if (sent_ == response.body_gzip) message_->set(bhttp::field::content_encoding, "gzip");
    }
    message_->set(bhttp::field::cache_control, "no-cache");
    message_->set(bhttp::field::vary, "Accept-Encoding");
    if (!response.etag.empty()) message_->set(bhttp::field::etag, response.etag);
    for (const auto& [name, value] : response.headers) message_->set(name, value);
    message_->keep_alive(!answer_.close && !probe_ && request.keep_alive());
    const bool body = !head && response.code != 304;
    if (body) message_->body() = {sent_->data(), sent_->size()};

    serializer_.emplace(*message_);
    stream_.expires_after(loop_.options_.write_timeout);
    auto done = [self = shared_from_this()](beast::error_code error, std::size_t) {
      self->on_sent(error);
    };
    if (body) {
      bhttp::async_write(stream_, *serializer_, std::move(done));
    } else {
      bhttp::async_write_header(stream_, *serializer_, std::move(done));
    }
  }

  void on_sent(beast::error_code error) {
    const auto duration =
        std::chrono::duration_cast<std::chrono::microseconds>(Steady::now() - begun_);
    loop_.metrics_.http_answered(answer_.handler, answer_.response.code, duration.count());
    const bool keep = message_->keep_alive();
    serializer_.reset();
    message_.reset();
    sent_.reset();
    answer_ = {};
    if (error) {
      if (error == beast::error::timeout) loop_.rejected(metrics::HttpRejection::kTimeout);
      return finish();
    }
    if (keep) return next_request(false);
    // To close with bytes unread would reset the connection, and the answer could be lost.
    state_ = State::kLingering;
    since_ = Steady::now();
    beast::error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    stream_.expires_after(loop_.options_.linger_timeout);
    buffer_.clear();
    linger(0);
  }

  void linger(std::size_t read) {
    stream_.async_read_some(
        buffer_.prepare(kFirstReadBytes),
        [self = shared_from_this(), read](beast::error_code error, std::size_t size) {
          if (error || read + size > kLingerBytesMax) return self->finish();
          self->linger(read + size);
        });
  }

  void finish() {
    stream_.close();
    loop_.forget(*this);
  }

  Loop& loop_;
  const bool probe_;
  beast::tcp_stream stream_;
  asio::steady_timer patience_;
  bool awaiting_ = false;
  beast::flat_buffer buffer_;
  std::string local_address_;
  State state_ = State::kReading;
  Steady::time_point since_;  ///< when it began to wait for the client
  Steady::time_point begun_;  ///< when the request was complete
  std::optional<bhttp::request_parser<bhttp::empty_body>> parser_;
  Answer answer_;
  std::shared_ptr<const std::string> sent_;
  std::optional<bhttp::response<bhttp::span_body<const char>>> message_;
  std::optional<bhttp::response_serializer<bhttp::span_body<const char>>> serializer_;
};

Server::Loop::Loop(Options options, const Sources& sources, metrics::Metrics& metrics,
                   log::Logger& log)
    : options_(std::move(options)),
      access_(options_.listen.host, options_.allowed_hosts, options_.token),
      routes_(make_routes(sources)),
      metrics_(metrics),
      log_(log) {
  const std::string address = config::to_string(options_.listen);
  try {
    tcp::resolver resolver(io_);
    const auto found = resolver.resolve(options_.listen.host, std::to_string(options_.listen.port),
                                        tcp::resolver::passive);
    const tcp::endpoint endpoint = found.begin()->endpoint();
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind(endpoint);
    acceptor_.listen();
    port_ = acceptor_.local_endpoint().port();
  } catch (const boost::system::system_error& error) {
    throw ListenError("cannot listen on " + address + ": " + error.code().message());
  }
}

void Server::Loop::start() {
  log_.write(log::Event::kHttpListening,
             {{"address", config::to_string({options_.listen.host, port_})}});
  accept();
  const SignalsBlocked blocked;
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "http");
    io_.run();
  });
}

void Server::Loop::stop() {
  if (!thread_.joinable()) return;
  asio::post(io_, [this] {
    beast::error_code ignored;
    acceptor_.close(ignored);
    accept_pause_.cancel();
    for (const auto& session : sessions_) session->close();
  });
  thread_.join();  // nothing is left to wait for, so run() has returned
  log_.write(log::Event::kHttpStopped,
             {{"address", config::to_string({options_.listen.host, port_})}});
}

void Server::Loop::on_commit() {
  asio::post(io_, [this] {
    try {
      for (const Route& route : routes_) {
        if (route.on_commit) route.on_commit();
      }
    } catch (const std::exception& error) {
      log_.write(log::Event::kHttpError, {{"error", error.what()}});
    }
  });
}

void Server::Loop::accept() {
  acceptor_.async_accept([this](beast::error_code error, tcp::socket socket) {
    if (!acceptor_.is_open()) return;
    if (!error) {
      admit(std::move(socket));
      return accept();
    }
    // No descriptors left, most likely: without a pause this would spin.
    log_.write(log::Event::kHttpError, {{"error", error.message()}});
    accept_pause_.expires_after(kAcceptPause);
    accept_pause_.async_wait([this](beast::error_code cancelled) {
      if (!cancelled && acceptor_.is_open()) accept();
    });
  });
}

/// A full house makes room by showing out whoever has kept us waiting longest, so that clients
/// that open connections and say nothing, or do not read, cannot shut out one that asks at once.
/// While all are being answered or have only just come, there is still room for probes.
void Server::Loop::admit(tcp::socket socket) {
  bool probe = false;
  if (sessions_.size() >= options_.connections_max) {
    const bool place = sessions_.size() < options_.connections_max + kProbePlaces;
    std::shared_ptr<Session> longest;
    for (const auto& session : sessions_) {
      if (!session->waiting() || (place && session->fresh())) continue;
      const auto rank = [](const Session& s) { return std::pair(!s.idle(), s.since()); };
      if (longest == nullptr || rank(*session) < rank(*longest)) longest = session;
    }
    if (longest == nullptr && place) {
      probe = true;
    } else {
      if (longest == nullptr || !longest->idle()) rejected(metrics::HttpRejection::kConnectionsMax);
      if (longest == nullptr) return;  // the socket closes with its last owner
      probe = longest->probe();
      longest->close();
      forget(*longest);
    }
  }
  sessions_.push_back(std::make_shared<Session>(*this, std::move(socket), probe));
  metrics_.http_connections(sessions_.size());
  sessions_.back()->start();
}

void Server::Loop::forget(Session& session) {
  sessions_.remove_if([&](const auto& entry) { return entry.get() == &session; });
  metrics_.http_connections(sessions_.size());
}

void Server::Loop::rejected(metrics::HttpRejection reason) {
  metrics_.http_rejected(reason);
  log_.write(log::Event::kHttpRejected, {{"reason", metrics::to_string(reason)}});
}

Server::Loop::Answer Server::Loop::answer(const bhttp::request<bhttp::empty_body>& request,
                                          std::string_view local_address, bool probe) {
  using metrics::HttpRejection;
  // Only HTTP/1.0 may do without (RFC 9112, 3.2); what speaks that is a probe, never a browser.
  const std::size_t hosts = request.count(bhttp::field::host);
  if (hosts > 1 || (hosts == 0 && request.version() >= 11)) {
    rejected(HttpRejection::kHost);
    return {Response::text(400, "One Host header is needed.\n")};
  }
  const auto target = parse_target(request.target());
  if (!target) return {Response::text(400, "The target is malformed.\n")};
  std::string_view host = request[bhttp::field::host];
  if (!target->authority.empty()) host = target->authority;
  if ((hosts == 1 || !target->authority.empty()) && !access_.host_allowed(host, local_address)) {
    rejected(HttpRejection::kHost);
    return {Response::text(421, "This Host is not served; http.allowed_hosts names others.\n")};
  }

  const Route* route = find_route(routes_, target->path);
  if (!access_.token_accepted(request[bhttp::field::authorization],
                              route != nullptr && route->open)) {
    rejected(HttpRejection::kUnauthorized);
    Answer refused{Response::text(401, "A token is needed: Authorization: Bearer ...\n")};
    refused.response.headers.emplace_back("WWW-Authenticate", "Bearer");
    return refused;
  }
  if (probe && (route == nullptr || !route->open)) {
    rejected(HttpRejection::kConnectionsMax);
    return {Response::text(503, "Too many connections; ask again.\n"), metrics::Handler::kOther,
            true};
  }
  if (route == nullptr) return {Response::text(404, "There is no such page; / lists them.\n")};
  const bool post = request.method() == bhttp::verb::post;
  const bool read = request.method() == bhttp::verb::get || request.method() == bhttp::verb::head;
  if (!(post && route->post) && !(read && route->answer)) {
    const char* allowed = route->answer ? "GET, HEAD" : "POST";
    Answer refused{Response::text(405, std::string("Only ") + allowed + ".\n")};
    refused.response.headers.emplace_back("Allow", allowed);
    return refused;
  }

  Request plain;
  plain.path = target->path;
  plain.query = target->query;
  plain.accept = joined(request, bhttp::field::accept);
  plain.accept_encoding = joined(request, bhttp::field::accept_encoding);
  plain.if_none_match = joined(request, bhttp::field::if_none_match);
  plain.action = request["Geotally-Action"];
  if (post) {
    return {{}, route->handler, false, [route, plain, path = target->path](Later later) mutable {
              plain.path = path;  // the other views are into the request, which is still there
              route->post(plain, std::move(later));
            }};
  }
  try {
    return {route->answer(plain), route->handler};
  } catch (const std::exception& error) {
    log_.write(log::Event::kHttpError, {{"error", error.what()}});
    return {Response::text(500, "The answer could not be made; the log says why.\n"),
            route->handler};
  }
}

Server::Server(Options options, Sources sources, metrics::Metrics& metrics, log::Logger& log)
    : loop_(std::make_unique<Loop>(std::move(options), sources, metrics, log)) {}

Server::~Server() { stop(); }

void Server::start() { loop_->start(); }

void Server::stop() { loop_->stop(); }

void Server::on_commit() { loop_->on_commit(); }

std::uint16_t Server::port() const { return loop_->port(); }

}  // namespace geotally::http
