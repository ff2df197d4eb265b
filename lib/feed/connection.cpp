// How bytes flow: socket (or TLS over it) → Pump's splitter → messages to the handlers; what
// is no plain data frame goes on through ReadAhead to Beast, which shakes hands, answers
// pings, and closes. Beast's read is outstanding all the time and completes only with the
// end of the connection.
#include "feed/connection.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>
#include <stdexcept>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace geotally::feed {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;
using Executor = asio::io_context::executor_type;  // concrete: any_io_executor costs per call
using Socket = Dialer::Socket;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Executor>;

class TlsTrust {
 public:
  TlsTrust() : context(asio::ssl::context::tls_client) {}
  asio::ssl::context context;
};

std::shared_ptr<TlsTrust> make_tls_trust() {
  auto trust = std::make_shared<TlsTrust>();
  error_code failed;
  trust->context.set_default_verify_paths(failed);
  if (failed)
    throw std::runtime_error("cannot load the system's trusted roots: " + failed.message());
  SSL_CTX_set_min_proto_version(trust->context.native_handle(), TLS1_2_VERSION);
  return trust;
}

namespace {

constexpr auto kToken = asio::as_tuple(asio::use_awaitable);
// After a fill below this, more is given a moment to gather: a read per small segment costs
// 7 µs, however little it brings. A fast sender fills more than this and is never waited for.
constexpr std::size_t kSmallFill = 16 * 1024;
constexpr std::chrono::milliseconds kGather{1};
constexpr std::size_t kProxyAnswerMax = 8 * 1024;
constexpr int kInterimAnswersMax = 16;
constexpr std::size_t kBodyMax = 64 * 1024;

// The socket with TLS over it or without, and what was read ahead.
class Pump {
 public:
  Pump(asio::io_context& io, std::shared_ptr<TlsTrust> trust, SplitterOptions options,
       ConnectionHandlers handlers, FollowerCounts& counts)
      : socket(io.get_executor()),
        timer(io.get_executor()),
        trust_(std::move(trust)),
        handlers_(std::move(handlers)),
        counts_(counts),
        splitter(options, {[this](std::string_view message, bool binary) {
                             ++counts_.messages;
                             handlers_.on_message(message, binary);
                           },
                           [this] {
                             ++counts_.messages;
                             handlers_.on_too_large();
                           }}) {}

  void start_tls() { tls.emplace(socket, trust_->context); }

  template <typename Handler>
  void fill(Handler handler) {
    const std::span<char> room = splitter.room();
    const auto buffer = asio::buffer(room.data(), room.size());
    if (tls) {
      tls->async_read_some(buffer, std::move(handler));
    } else {
      socket.async_read_some(buffer, std::move(handler));
    }
  }

  // Bytes came. TLS brings one record at a time, so there a small fill says nothing.
  void filled(std::size_t size) {
    counts_.bytes += size;
    gather_ = !tls && size < kSmallFill;
    splitter.filled(size);
  }
  void drained() {
    if (splitter.in_frames()) handlers_.on_drained();
  }
  [[nodiscard]] bool should_gather() const { return gather_ && splitter.in_frames(); }
  void count_ping() { ++counts_.pings; }

  void shut() {
    splitter.halt();
    timer.cancel();
    error_code ignored;
    socket.shutdown(Socket::shutdown_both, ignored);
    socket.close(ignored);
  }

  Socket socket;
  std::optional<asio::ssl::stream<Socket&>> tls;
  Timer timer;

 private:
  const std::shared_ptr<TlsTrust> trust_;
  const ConnectionHandlers handlers_;
  FollowerCounts& counts_;
  bool gather_ = false;

 public:
  FrameSplitter splitter;  // last: its calls use the members above
};

// One read of Beast: goes on, over as many fills as it takes, until there are bytes for it.
template <typename Buffers>
class ReadOp {
 public:
  ReadOp(Pump& pump, const Buffers& buffers) : pump_(&pump), buffers_(buffers) {}

  template <typename Self>
  void operator()(Self& self, error_code failed = {}, std::size_t size = 0) {
    switch (state_) {
      case State::kBegin:
        // Messages may lie in the buffer already, and handlers must not run inside the
        // call that starts an operation.
        state_ = State::kReady;
        asio::post(pump_->socket.get_executor(), std::move(self));
        return;
      case State::kFilling:
        if (failed) {
          self.complete(pump_->splitter.halted() ? asio::error::operation_aborted : failed, 0);
          return;
        }
        pump_->filled(size);
        break;
      case State::kGathering:
        fill(self);
        return;
      case State::kReady:
        break;
    }
    advance(self);
  }

 private:
  enum class State : std::uint8_t { kBegin, kReady, kFilling, kGathering };

  template <typename Self>
  void advance(Self& self) {
    switch (pump_->splitter.next()) {
      case FrameSplitter::Step::kHand:
        self.complete({}, hand_over());
        return;
      case FrameSplitter::Step::kHalt:
        break;
      case FrameSplitter::Step::kNeed:
        pump_->drained();
        if (pump_->splitter.halted()) break;
        if (!pump_->should_gather()) {
          fill(self);
          return;
        }
        state_ = State::kGathering;
        pump_->timer.expires_after(kGather);
        pump_->timer.async_wait(std::move(self));
        return;
    }
    self.complete(asio::error::operation_aborted, 0);
  }

  template <typename Self>
  void fill(Self& self) {
    if (pump_->splitter.halted()) {
      self.complete(asio::error::operation_aborted, 0);
      return;
    }
    state_ = State::kFilling;
    Pump& pump = *pump_;  // `self`, and this with it, moves away
    pump.fill(std::move(self));
  }

  std::size_t hand_over() {
    std::size_t total = 0;
    const auto end = asio::buffer_sequence_end(buffers_);
    for (auto one = asio::buffer_sequence_begin(buffers_); one != end; ++one) {
      const asio::mutable_buffer buffer(*one);
      if (buffer.size() == 0) continue;
      const std::size_t taken =
          pump_->splitter.take({static_cast<char*>(buffer.data()), buffer.size()});
      total += taken;
      if (taken < buffer.size()) break;
    }
    return total;
  }

  Pump* pump_;
  Buffers buffers_;
  State state_ = State::kBegin;
};

// What Beast takes for its socket.
class ReadAhead {
 public:
  using executor_type = Executor;
  explicit ReadAhead(Pump& pump) : pump_(&pump) {}

  [[nodiscard]] executor_type get_executor() const { return pump_->socket.get_executor(); }

  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return asio::async_compose<Token, void(error_code, std::size_t)>(
        ReadOp<Buffers>(*pump_, buffers), token, pump_->socket);
  }

  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    if (pump_->tls) return pump_->tls->async_write_some(buffers, std::forward<Token>(token));
    return pump_->socket.async_write_some(buffers, std::forward<Token>(token));
  }

  [[nodiscard]] Pump& pump() { return *pump_; }

 private:
  Pump* pump_;
};

// Beast's customization points. Its default teardown reads on until the peer closes; by then
// we have said all we have to say.
[[maybe_unused]] void teardown(beast::role_type /*role*/, ReadAhead& stream, error_code& failed) {
  stream.pump().shut();
  failed = {};
}

template <typename Handler>
void async_teardown(beast::role_type /*role*/, ReadAhead& stream, Handler&& handler) {
  stream.pump().shut();
  asio::post(stream.get_executor(),
             beast::bind_front_handler(std::forward<Handler>(handler), error_code{}));
}

[[maybe_unused]] void beast_close_socket(ReadAhead& stream) { stream.pump().shut(); }

std::string describe_tls(SSL* session, const error_code& failed) {
  const long verdict = SSL_get_verify_result(session);
  if (verdict != X509_V_OK) return X509_verify_cert_error_string(verdict);
  return failed.message();
}

// The name of an answer's type only, never the answer.
std::string describe_answer(unsigned status, std::string_view content_type) {
  std::string text = "status " + std::to_string(status);
  if (status >= 300 && status < 400) text += ", redirects are not followed";
  content_type = content_type.substr(0, std::min(content_type.find(';'), std::size_t{40}));
  if (!content_type.empty()) {
    text += ", ";
    text += content_type;
  }
  return text;
}

std::string base64(const std::string& text) {
  std::string out(4 * ((text.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

bool is_ours(const error_code& failed) {
  return failed == asio::error::operation_aborted || failed == asio::error::bad_descriptor;
}

// What a close without a code, and an end without a close, are called
// (RFC 6455, section 7.4.1).
constexpr const char* kNoStatus = "close code 1005, none was given";
constexpr const char* kAbnormal = "close code 1006, ";

void fail(OpenResult& result, ConnectFailure reason, std::string detail) {
  result.open = false;
  result.failure = reason;
  result.detail = std::move(detail);
}

template <typename Message>
void note_answer(OpenResult& result, const Message& answer) {
  result.status = answer.result_int();
  result.detail = describe_answer(result.status, answer[http::field::content_type]);
  result.retry_after = answer[http::field::retry_after];
}

}  // namespace

struct Connection::State {
  State(asio::io_context& io, std::shared_ptr<TlsTrust> trust, SplitterOptions options,
        ConnectionHandlers handlers, FollowerCounts& counts)
      : dialer(io), pump(io, std::move(trust), options, std::move(handlers), counts), stream(pump) {
    stream.set_option(websocket::stream_base::timeout{websocket::stream_base::none(),
                                                      websocket::stream_base::none(), false});
    stream.read_message_max(options.message_bytes_max);
  }

  // What open() and fetch() share: everything below HTTP. `result.open` says whether it stands.
  asio::awaitable<void> connect(const OpenRequest& request, OpenResult& result);
  asio::awaitable<void> ask_proxy(const OpenRequest& request, OpenResult& result);
  asio::awaitable<void> shake_hands(const OpenRequest& request, OpenResult& result);
  void abort() {
    dialer.cancel();
    pump.shut();
  }

  Dialer dialer;
  Pump pump;
  websocket::stream<ReadAhead, false> stream;  // without permessage-deflate
  bool close_sent = false;
};

asio::awaitable<void> Connection::State::connect(const OpenRequest& request, OpenResult& result) {
  Dialer::Result dialed = co_await dialer.dial(request.addresses, request.dialing);
  result.tried = std::move(dialed.failed);
  if (!dialed.socket) {
    fail(result, ConnectFailure::kTcp, dialed.error.message());
    co_return;
  }
  result.accepted = true;
  result.tried.push_back(dialed.address);
  pump.socket = std::move(*dialed.socket);
  error_code ignored;
  const asio::ip::tcp::no_delay at_once(true);
  pump.socket.set_option(at_once, ignored);
  result.open = true;
  if (request.through_proxy) co_await ask_proxy(request, result);
  if (result.open && request.url.tls) co_await shake_hands(request, result);
}

// Source: RFC 9110, section 9.3.6.
asio::awaitable<void> Connection::State::ask_proxy(const OpenRequest& request, OpenResult& result) {
  const std::string authority = request.url.authority();
  std::string question = "CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + "\r\n";
  if (!request.proxy_user.empty()) {
    question += "Proxy-Authorization: Basic " + base64(request.proxy_user) + "\r\n";
  }
  question += "\r\n";
  const auto output = asio::buffer(question);
  auto [unsent, sent] = co_await asio::async_write(pump.socket, output, kToken);
  if (unsent) {
    fail(result, ConnectFailure::kHttp, "proxy: " + unsent.message());
    co_return;
  }
  beast::flat_buffer buffer(kProxyAnswerMax);
  for (int answers = 0; answers < kInterimAnswersMax; ++answers) {
    http::response_parser<http::empty_body> parser;
    parser.skip(true);  // whatever its header says of a body
    auto [unread, size] = co_await http::async_read_header(pump.socket, buffer, parser, kToken);
    if (unread) {
      fail(result, ConnectFailure::kHttp, "proxy: " + unread.message());
      co_return;
    }
    const auto& answer = parser.get();
    if (http::to_status_class(answer.result_int()) == http::status_class::informational) continue;
    if (http::to_status_class(answer.result_int()) != http::status_class::successful) {
      note_answer(result, answer);
      fail(result, ConnectFailure::kHttp, "proxy: " + result.detail);
      co_return;
    }
    // The server behind it speaks only when spoken to.
    if (buffer.size() > 0) fail(result, ConnectFailure::kHttp, "proxy: too many bytes");
    co_return;
  }
  fail(result, ConnectFailure::kHttp, "proxy: no final answer");
}

asio::awaitable<void> Connection::State::shake_hands(const OpenRequest& request,
                                                     OpenResult& result) {
  pump.start_tls();
  const std::string host(request.url.name());
  error_code failed;
  pump.tls->set_verify_mode(asio::ssl::verify_peer, failed);
  if (!failed) pump.tls->set_verify_callback(asio::ssl::host_name_verification(host), failed);
  if (failed) {
    fail(result, ConnectFailure::kTls, failed.message());
    co_return;
  }
  // A name only: an address must not be sent (RFC 6066, section 3).
  error_code no_address;
  (void)asio::ip::make_address(host, no_address);
  if (no_address && SSL_set_tlsext_host_name(pump.tls->native_handle(), host.c_str()) != 1) {
    fail(result, ConnectFailure::kTls, "cannot name the host");
    co_return;
  }
  auto [refused] = co_await pump.tls->async_handshake(asio::ssl::stream_base::client, kToken);
  if (refused) {
    fail(result, ConnectFailure::kTls, describe_tls(pump.tls->native_handle(), refused));
  }
}

Connection::Connection(asio::io_context& io, std::shared_ptr<TlsTrust> trust,
                       SplitterOptions options, ConnectionHandlers handlers, FollowerCounts& counts)
    : state_(std::make_shared<State>(io, std::move(trust), options, std::move(handlers), counts)) {}

Connection::~Connection() { abort(); }

asio::awaitable<OpenResult> Connection::open(const OpenRequest& request) {
  const std::shared_ptr<State> state = state_;  // outlives us when we are dropped while it runs
  OpenResult result;
  co_await state->connect(request, result);
  if (!result.open) co_return result;

  auto& stream = state->stream;
  const std::string token = request.token;
  const std::string agent = request.user_agent;
  stream.set_option(websocket::stream_base::decorator([token, agent](auto& message) {
    message.set(http::field::user_agent, agent);
    if (!token.empty()) message.set(http::field::authorization, "Bearer " + token);
  }));
  Pump& pump = state->pump;
  stream.control_callback([&pump](websocket::frame_type kind, beast::string_view /*payload*/) {
    if (kind == websocket::frame_type::ping) pump.count_ping();
  });
  websocket::response_type answer;
  const std::string host = request.url.host_header();
  auto [refused] = co_await stream.async_handshake(answer, host, request.target, kToken);
  if (refused) {
    fail(result, ConnectFailure::kHttp, refused.message());
    if (refused == websocket::error::upgrade_declined) {
      note_answer(result, answer);
      result.body = answer.body().substr(0, kBodyMax);
    }
    co_return result;
  }
  pump.splitter.begin_frames();
  co_return result;
}

asio::awaitable<ConnectionEnd> Connection::run() {
  const std::shared_ptr<State> state = state_;
  auto& stream = state->stream;
  char unexpected[16];
  const auto buffer = asio::buffer(unexpected);
  auto [failed, size] = co_await stream.async_read_some(buffer, kToken);
  state->pump.shut();

  ConnectionEnd end;
  if (!failed) {
    // Only a data frame that the splitter held for impossible gets here.
    end.reason = Disconnect::kProtocolError;
    end.detail = "a data frame out of order";
  } else if (failed == websocket::error::closed) {
    const auto& reason = stream.reason();
    end.reason = reason.code == websocket::close_code::going_away ? Disconnect::kServerRestart
                                                                  : Disconnect::kServerClosed;
    end.detail = reason.code == websocket::close_code::none
                     ? kNoStatus
                     : "close code " + std::to_string(reason.code);
  } else if (failed == asio::error::eof || failed == asio::ssl::error::stream_truncated) {
    end.reason = Disconnect::kServerClosed;
    end.detail = std::string(kAbnormal) + "end of stream without a close";
  } else if (failed == websocket::condition::protocol_violation ||
             failed == websocket::error::message_too_big) {
    end.reason = Disconnect::kProtocolError;
    end.detail = failed.message();
  } else {
    end.reason = Disconnect::kIoError;
    end.detail = is_ours(failed) ? "closed by us" : kAbnormal + failed.message();
  }
  co_return end;
}

void Connection::close() {
  if (state_->close_sent) return;
  state_->close_sent = true;
  state_->pump.splitter.discard();
  const std::shared_ptr<State> state = state_;
  state->stream.async_close(websocket::close_code::normal, [state](const error_code&) {});
}

void Connection::discard() { state_->pump.splitter.discard(); }

void Connection::abort() { state_->abort(); }

asio::awaitable<OpenResult> Connection::fetch(const OpenRequest& request, std::size_t bytes_max) {
  const std::shared_ptr<State> state = state_;
  OpenResult result;
  co_await state->connect(request, result);
  if (!result.open) co_return result;

  http::request<http::empty_body> question(http::verb::get, request.target, 11);
  question.set(http::field::host, request.url.host_header());
  question.set(http::field::user_agent, request.user_agent);
  question.set(http::field::connection, "close");
  if (!request.token.empty()) {
    question.set(http::field::authorization, "Bearer " + request.token);
  }
  ReadAhead& layer = state->stream.next_layer();
  auto [unsent, sent] = co_await http::async_write(layer, question, kToken);
  if (unsent) {
    fail(result, ConnectFailure::kHttp, unsent.message());
    co_return result;
  }
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(bytes_max);
  auto [unread, size] = co_await http::async_read(layer, buffer, parser, kToken);
  state->pump.shut();
  if (unread) {
    fail(result, ConnectFailure::kHttp, unread.message());
    co_return result;
  }
  auto& answer = parser.get();
  note_answer(result, answer);
  result.open = result.status == 200;
  result.failure = ConnectFailure::kHttp;
  result.body = std::move(answer.body());
  co_return result;
}

}  // namespace geotally::feed
