// One websocket client after its handshake: what it is sent, and when.
//
// All of it runs on the server's one thread. Three coroutines a session: one
// writes, one reads, one pings; each holds a reference, so the session lives
// until the last has ended. Whatever is written goes through the writer.
#pragma once

#include <utility>
//
#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "feed/ahead.h"
#include "feed/compressor.h"
#include "feed/feed.h"
#include "feed/server.h"
#include "feed/subscription.h"
#include "feed/websocket_frame.h"

namespace geotally::feedgen {

namespace asio = boost::asio;
using asio::ip::tcp;
inline constexpr auto kToken = asio::as_tuple(asio::use_awaitable);

/// Microseconds of a clock that only goes forward.
[[nodiscard]] inline std::int64_t steady_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// What the server knows of a session, whatever its transport.
class SessionBase {
 public:
  virtual ~SessionBase() = default;
  /// There may be something to send.
  virtual void wake() = 0;
  /// Ends the connection after what is already under way: a close code, "bare" or "reset".
  virtual void end(const std::string& how) = 0;
  /// Ends it now, without a word.
  virtual void cut() = 0;
  [[nodiscard]] virtual bool ending() const = 0;

  std::size_t host = 0;
  std::uint64_t position = 0;  ///< the event that it is sent next
  std::uint64_t messages = 0;  ///< sent
  bool live = false;           ///< has reached the tail
};

/// What sessions share.
struct Hub {
  Feed& feed;
  const ServerOptions& options;
  Compressor& compressor;
  Ahead ahead;  ///< of the first host's v1 messages, with the first dictionary
  std::function<void(const Order&)> carry_out;  ///< what concerns more than one connection
};

template <class Stream>
class Session final : public SessionBase, public std::enable_shared_from_this<Session<Stream>> {
 public:
  Session(Stream stream, Hub& hub, Subscription subscription, std::size_t host_index,
          std::uint64_t start, std::string greeting)
      : stream_(std::move(stream)),
        hub_(hub),
        subscription_(std::move(subscription)),
        greeting_(std::move(greeting)),
        wake_(stream_.get_executor()),
        pinger_(stream_.get_executor()) {
    host = host_index;
    position = start;
    wake_.expires_at(asio::steady_timer::time_point::max());
    pinger_.expires_at(asio::steady_timer::time_point::max());
  }

  /// `early`: what the client sent right behind its handshake. Ends when the connection has.
  static asio::awaitable<void> run(std::shared_ptr<Session> self, std::string early) {
    const auto executor = self->stream_.get_executor();
    asio::co_spawn(executor, write_loop(self), asio::detached);
    if (self->hub_.options.ping_us > 0) asio::co_spawn(executor, ping_loop(self), asio::detached);
    self->reader_.feed(early);
    std::string bytes(16'384, '\0');
    while (self->handle_messages()) {
      const auto buffer = asio::buffer(bytes);
      auto [error, size] = co_await self->stream_.async_read_some(buffer, kToken);
      if (error) break;
      self->reader_.feed(std::string_view(bytes.data(), size));
    }
    // What is under way may still be written (a close frame); then nothing more is.
    self->leaving_ = true;
    self->wake();
    self->pinger_.cancel();
    for (int tries = 0; !self->written_ && tries < 400; ++tries) {
      asio::steady_timer timer(executor, std::chrono::milliseconds(5));
      auto [error] = co_await timer.async_wait(kToken);
      (void)error;
    }
    self->close_socket();
  }

  void wake() override { wake_.cancel(); }

  void end(const std::string& how) override {
    if (how == "none" || !how_.empty()) return;
    how_ = how;
    if (how == "reset") {
      boost::system::error_code ignored;
      socket().set_option(asio::socket_base::linger(true, 0), ignored);
      close_socket();
    }
    frozen_ = false;
    wake();
  }

  [[nodiscard]] bool ending() const override { return leaving_ || closing_ || !how_.empty(); }

  void cut() override {
    how_ = "bare";
    close_socket();
    wake();
  }

 private:
  tcp::socket& socket() {
    if constexpr (std::is_same_v<Stream, tcp::socket>) {
      return stream_;
    } else {
      return stream_.next_layer();
    }
  }

  void close_socket() {
    boost::system::error_code ignored;
    socket().close(ignored);
    wake();
    pinger_.cancel();
  }

  static asio::awaitable<void> write_loop(std::shared_ptr<Session> self) {
    while (self->socket().is_open()) {
      const std::uint64_t before = self->position;
      self->fill();
      if (!self->out_.empty()) {
        const std::size_t step = self->split_now_ ? 1 : self->out_.size();
        bool failed = false;
        for (std::size_t at = 0; at < self->out_.size() && !failed; at += step) {
          const auto buffer = asio::buffer(self->out_.data() + at, step);
          auto [error, size] = co_await asio::async_write(self->stream_, buffer, kToken);
          failed = static_cast<bool>(error);
        }
        if (failed) break;
        self->out_.clear();
        self->split_now_ = false;
        self->hub_.feed.sent(self->host, self->position);
        continue;
      }
      self->hub_.feed.sent(self->host, self->position);
      if (!self->how_.empty() || self->leaving_) break;
      if (self->position != before || self->again_) {
        // Much was passed over that this client does not want: let the others have their turn.
        const auto executor = self->stream_.get_executor();
        co_await asio::post(executor, asio::use_awaitable);
        continue;
      }
      self->live = true;
      self->wake_.expires_at(self->wait_until());
      auto [error] = co_await self->wake_.async_wait(kToken);
      (void)error;
    }
    boost::system::error_code ignored;
    self->socket().shutdown(tcp::socket::shutdown_send, ignored);
    self->written_ = true;
    // The client reads to the end and closes; one that does not is not waited for.
    if (!self->leaving_) {
      asio::steady_timer timer(self->stream_.get_executor(), std::chrono::seconds(2));
      auto [error] = co_await timer.async_wait(kToken);
      (void)error;
      self->close_socket();
    }
  }

  static asio::awaitable<void> ping_loop(std::shared_ptr<Session> self) {
    const ServerOptions& options = self->hub_.options;
    const std::int64_t shorter_us =
        options.pong_us > 0 ? std::min(options.ping_us, options.pong_us) : options.ping_us;
    const std::chrono::microseconds tick(
        std::clamp<std::int64_t>(shorter_us / 4, 1'000, 1'000'000));
    std::int64_t next_us = steady_us() + options.ping_us;
    while (!self->leaving_ && self->how_.empty()) {
      self->pinger_.expires_after(tick);
      auto [error] = co_await self->pinger_.async_wait(kToken);
      if (error) break;
      const std::int64_t now_us = steady_us();
      if (self->ping_out_ && options.pong_us > 0 && now_us - self->pinged_us_ >= options.pong_us) {
        self->cut();
        break;
      }
      if (now_us < next_us) continue;
      next_us = now_us + options.ping_us;
      // A writer that is held up by the client may not have sent the last one yet.
      if (self->ping_wanted_ || self->ping_out_) continue;
      self->ping_wanted_ = true;
      self->wake();
    }
  }

  [[nodiscard]] asio::steady_timer::time_point wait_until() const {
    if (thaw_us_ == 0) return asio::steady_timer::time_point::max();
    return asio::steady_timer::time_point(std::chrono::microseconds(thaw_us_));
  }

  /// Puts what is to be sent next into `out_`.
  void fill() {
    again_ = false;
    if (ping_wanted_ && !stalled_) {
      append_frame(out_, Opcode::kPing, "geotally-feed");
      ping_wanted_ = false;
      ping_out_ = true;
      pinged_us_ = steady_us();
    }
    if (!stalled_) {
      out_.append(replies_.view());
      replies_.clear();
    }
    if (closing_) return;
    if (thaw_us_ != 0 && steady_us() >= thaw_us_) {
      thaw_us_ = 0;
      frozen_ = stalled_ = false;
      out_.append(rest_);
      rest_.clear();
    }
    if (!how_.empty()) {
      say_goodbye();
      return;
    }
    if (frozen_ || leaving_ || subscription_.require_hello) return;
    if (!greeting_.empty()) {
      append_message(greeting_);
      greeting_.clear();
    }
    Feed& feed = hub_.feed;
    std::uint64_t passed = 0;
    while (out_.size() < hub_.options.chunk_bytes) {
      position = feed.skip_lost(position);
      if (feed.due(host, position)) {
        if (!out_.empty()) return;
        feed.sent(host, position);
        obey(feed.fire(host, position, subscription_.wire, steady_us()));
        if (!how_.empty()) {
          say_goodbye();
          return;
        }
        if (frozen_) return;
        continue;
      }
      const std::uint64_t stop = std::min(feed.limit(host), feed.next_stop(host, position));
      if (position >= stop) return;
      for (; position < stop && out_.size() < hub_.options.chunk_bytes; ++passed) {
        const std::uint64_t number = position++;
        if (!subscription_.wants(feed.script(), number)) {
          if (passed > 200'000) {
            again_ = true;
            return;
          }
          continue;
        }
        if (append_event(number) && (!hub_.options.coalesce || split_now_ || frozen_)) return;
      }
    }
  }

  /// Returns whether it was appended: a client may refuse large messages.
  bool append_event(std::uint64_t number) {
    const Feed& feed = hub_.feed;
    const std::int64_t shown_us = feed.shown_us(host, number);
    const std::uint64_t sequence = feed.sequence(host, number);
    const std::size_t start = out_.size();
    const bool plain = !subscription_.compress && fragment_left_ == 0;
    if (const auto packed = made_ahead(number)) {
      append_frame(out_, Opcode::kBinary, *packed);
      ++messages;
      return true;
    }
    FrameWriter frame(out_);
    if (plain) {
      feed.script().append(out_, number, subscription_.wire, shown_us, sequence);
      if (too_large(frame.payload_size())) {
        frame.cancel();
        return false;
      }
      frame.end(Opcode::kText);
    } else {
      scratch_.clear();
      feed.script().append(scratch_, number, subscription_.wire, shown_us, sequence);
      frame.cancel();
      if (too_large(scratch_.size())) return false;
      append_message(scratch_.view());
    }
    ++messages;
    if (stall_next_) {
      const std::size_t half = start + (out_.size() - start) / 2;
      rest_ = out_.view(half);
      out_.truncate(half);
      stall_next_ = false;
      frozen_ = stalled_ = true;
    }
    if (split_left_ > 0) {
      --split_left_;
      split_now_ = true;
    }
    return true;
  }

  [[nodiscard]] std::optional<std::string_view> made_ahead(std::uint64_t number) const {
    const bool usual = subscription_.compress && subscription_.wire == Wire::kV1 && host == 0 &&
                       subscription_.max_message_bytes == 0 && fragment_left_ == 0 &&
                       split_left_ == 0 && !stall_next_;
    return usual ? hub_.ahead.find(number) : std::nullopt;
  }

  [[nodiscard]] bool too_large(std::size_t size) const {
    return subscription_.max_message_bytes > 0 && size > subscription_.max_message_bytes;
  }

  /// Any message: compressed where the client asked for it, in pieces where a fault says so.
  void append_message(std::string_view text) {
    Opcode opcode = Opcode::kText;
    if (subscription_.compress) {
      opcode = Opcode::kBinary;
      packed_.clear();
      hub_.compressor.compress(packed_, text);
      text = packed_.view();
    }
    if (fragment_left_ == 0) {
      append_frame(out_, opcode, text);
      return;
    }
    --fragment_left_;
    const std::size_t third = text.size() / 3;
    append_frame(out_, opcode, text.substr(0, third), false);
    append_frame(out_, Opcode::kPing, "between");
    append_frame(out_, Opcode::kContinuation, text.substr(third, third), false);
    append_frame(out_, Opcode::kContinuation, "", false);
    append_frame(out_, Opcode::kPing, "");
    append_frame(out_, Opcode::kContinuation, text.substr(2 * third), true);
  }

  void obey(const Order& order) {
    switch (order.kind) {
      case Order::Kind::kNothing:
        break;
      case Order::Kind::kEnd:
        for (const Order::Message& message : order.messages) append_message(message.text);
        hub_.carry_out(order);
        break;
      case Order::Kind::kSilent:
        frozen_ = true;
        if (order.duration_us > 0) thaw_us_ = steady_us() + order.duration_us;
        break;
      case Order::Kind::kStall:
        stall_next_ = true;
        if (order.duration_us > 0) thaw_us_ = steady_us() + order.duration_us;
        break;
      case Order::Kind::kSend:
        for (const Order::Message& message : order.messages) {
          if (message.spoil.empty()) {
            append_message(message.text);
          } else {
            packed_.clear();
            hub_.compressor.spoil(packed_, message.spoil, message.text);
            append_frame(out_, Opcode::kBinary, packed_.view());
          }
        }
        break;
      case Order::Kind::kFragment:
        fragment_left_ = order.count;
        break;
      case Order::Kind::kSplit:
        split_left_ = order.count;
        break;
      case Order::Kind::kPing:
        for (std::uint64_t i = 0; i < order.count; ++i) append_frame(out_, Opcode::kPing, "!");
        break;
      case Order::Kind::kRotate:
        hub_.compressor.rotate();
        hub_.ahead.clear();
        break;
    }
  }

  void say_goodbye() {
    if (closing_) return;
    closing_ = true;
    if (how_ == "bare" || how_ == "reset") return;
    unsigned code = 1001;
    for (unsigned value = 0; const char c : how_) {
      if (c < '0' || c > '9') break;
      value = value * 10 + static_cast<unsigned>(c - '0');
      code = value;
    }
    append_close(out_, static_cast<std::uint16_t>(code), code == 1001 ? "going away" : "");
  }

  /// False: the connection is to be ended.
  bool handle_messages() {
    FrameReader::Message message;
    while (true) {
      switch (reader_.next(message)) {
        case FrameReader::Result::kMore:
          return socket().is_open();
        case FrameReader::Result::kProtocolError:
          return answer_close(1002);
        case FrameReader::Result::kMessage:
          break;
      }
      switch (message.opcode) {
        case Opcode::kPing:
          append_frame(replies_, Opcode::kPong, message.payload);
          wake();
          break;
        case Opcode::kPong:
          if (message.payload == "geotally-feed") ping_out_ = false;
          break;
        case Opcode::kClose: {
          std::uint16_t code = 1005;
          if (message.payload.size() >= 2) {
            code = static_cast<std::uint16_t>(static_cast<unsigned char>(message.payload[0]) << 8 |
                                              static_cast<unsigned char>(message.payload[1]));
          }
          return answer_close(code);
        }
        default:
          // v2 is a push wire: a client that speaks is shown the door. v1 takes its options.
          if (subscription_.wire == Wire::kV2) return answer_close(1008);
          if (!subscription_.update(message.payload)) return answer_close(1007);
          wake();
      }
    }
  }

  bool answer_close(std::uint16_t code) {
    if (!closing_) append_close(replies_, code, "");
    closing_ = true;
    stalled_ = false;
    return false;
  }

  Stream stream_;
  Hub& hub_;
  Subscription subscription_;
  std::string greeting_;  // a message before the first event
  asio::steady_timer wake_;
  asio::steady_timer pinger_;
  FrameReader reader_;
  Buffer out_;      // being written
  Buffer replies_;  // pongs and the answer to a close
  Buffer scratch_;
  Buffer packed_;
  std::string rest_;  // of a frame that was held back
  std::string how_;   // it ends; empty = it does not
  std::int64_t thaw_us_ = 0;
  std::int64_t pinged_us_ = 0;
  std::uint64_t fragment_left_ = 0;
  std::uint64_t split_left_ = 0;
  bool split_now_ = false;
  bool stall_next_ = false;
  bool frozen_ = false;   // no data is sent
  bool stalled_ = false;  // nothing at all is: a frame is half sent
  bool closing_ = false;  // a close frame was sent
  bool leaving_ = false;  // the reader has ended
  bool written_ = false;  // the writer has
  bool again_ = false;
  bool ping_wanted_ = false;
  bool ping_out_ = false;
};

}  // namespace geotally::feedgen
