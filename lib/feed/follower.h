// A Follower keeps us on one feed: it chooses the host, connects, hands every
// message on, notices silence, waits and reconnects from the position, until it is
// stopped. It lives on one io_context that one thread runs; every call and every
// callback is on that thread.
//
// It writes the feed.* lines of the log about connections; events and gaps are
// the business of whoever decodes.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "event/event.h"
#include "feed/backoff.h"
#include "feed/dialect.h"
#include "feed/position.h"
#include "feed/reasons.h"
#include "feed/url.h"

namespace boost::asio {
class io_context;
}
namespace geotally::log {
class Logger;
}

namespace geotally::feed {

/// Gives the addresses of a name to `done`, in text, in the order in which to try them (RFC 6724);
/// none = it does not resolve. `done` is called once, on the follower's thread, soon or later.
using Resolve = std::function<void(const std::string& name,
                                   std::function<void(std::vector<std::string> addresses)> done)>;

/// Times are wall times of this process, measured by the steady clock.
struct FollowerOptions {
  /// Alternatives of ONE feed, the preferred first; at least one.
  std::vector<Url> urls = {};
  /// Sent as "Authorization: Bearer"; from a credential file, never logged.
  std::string token = {};
  std::string user_agent = "geotally";
  /// "http://host:port" of an HTTP CONNECT proxy for wss:// feeds, but not for the hosts
  /// that `no_proxy` names; empty = none. See proxy_from_environment() in feed/proxy.h.
  std::string proxy = {};
  std::string no_proxy = {};
  /// Take messages compressed with zstd. The dialect's option of the same name must agree.
  /// v1 needs the published dictionary, as a file; v2 fetches it from each server.
  std::string dictionary_file = {};
  bool compress = false;

  /// Who resolves names; not set = the system's resolver.
  Resolve resolve = {};
  /// For the name; and again for an address to accept and for all that has to be said there.
  std::chrono::milliseconds connect_timeout{10'000};
  /// So long an address has before the next is tried beside it (RFC 8305, section 5).
  std::chrono::milliseconds attempt_delay{250};
  std::chrono::milliseconds close_timeout{2'000};  ///< for the server's answer to our close
  std::chrono::milliseconds silence_max{60'000};   ///< without a data frame; 0 = a quiet feed
  std::chrono::milliseconds idle_after{5'000};     ///< then Position::idle()
  BackoffOptions backoff = {};
  std::uint64_t progress_events = 10'000;            ///< that reset the back-off
  std::chrono::milliseconds progress_after{30'000};  ///< with data, that reset it too
  std::uint32_t failures_before_failover = 2;        ///< in a row, then the next host
  /// The most that a host's Retry-After (of a 429 or 503) is waited for, the back-off on top.
  std::chrono::milliseconds retry_after_max{600'000};
  std::chrono::milliseconds preferred_after{600'000};  ///< then back to a preferred host
  /// Left when the newest event is older than this and the feed has caught up to
  /// no more; 0 = never. Needs more than one URL.
  std::chrono::milliseconds lag_max{0};

  std::size_t buffer_bytes = 256 * 1024;          ///< read-ahead
  std::size_t message_bytes_max = 1024 * 1024;    ///< longer ones are rejected, kTooLarge
  std::size_t skip_bytes_max = 64 * 1024 * 1024;  ///< announced beyond this: disconnect
};

struct FollowerHandlers {
  /// One message; may block (then nothing is read) and may call stop() or reopen().
  std::function<void(Frame)> on_frame;
  /// All that was read is handed over; the follower is about to wait: flush batches.
  std::function<void()> on_drained;
  /// A message that did not become a frame: too large, not text, not decompressed.
  std::function<void(Rejection)> on_rejected;
  std::function<void(std::string_view host)> on_connected;
  std::function<void(std::string_view host, ConnectFailure, std::string_view detail)>
      on_connect_failed;
  std::function<void(std::string_view host, Disconnect, std::string_view detail)> on_disconnected;
  /// After stop(): the connection is closed, no callback follows.
  std::function<void()> on_stopped;
};

/// Of this process, since its start. Read on the follower's thread.
struct FollowerCounts {
  std::uint64_t bytes = 0;     ///< taken from the socket (decrypted, before decompression)
  std::uint64_t messages = 0;  ///< data messages, rejected ones included
  std::uint64_t pings = 0;     ///< answered
};

class Follower {
 public:
  /// `dialect` and `position` are borrowed, must outlive the follower, and are used on
  /// its thread only. Throws std::runtime_error when the options cannot work (no URL, a
  /// dictionary that cannot be read).
  Follower(boost::asio::io_context& io, FollowerOptions options, Dialect& dialect,
           Position& position, FollowerHandlers handlers, log::Logger& log);
  /// The io_context must not run any more, or on_stopped must have been called.
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  void start();
  /// Says goodbye (close 1000), waits for the answer within `close_timeout`, then
  /// on_stopped. No frame is handed over after this call. Idempotent.
  void stop();
  /// Drops the connection and resumes from the position at once, without back-off.
  void reopen();

  [[nodiscard]] bool connected() const;
  /// "host:port" that is in use or being tried.
  [[nodiscard]] std::string_view host() const;
  [[nodiscard]] const FollowerCounts& counts() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // shared with the coroutine that follows
};

}  // namespace geotally::feed
