// The life of a feed is one coroutine: choose a host, resolve, try its addresses, follow the
// connection until it ends, wait, again. Timers are plain callbacks beside it, which make
// what it waits for return.
#include "feed/follower.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "feed/connection.h"
#include "feed/inflate.h"
#include "feed/proxy.h"
#include "feed/retry_after.h"
#include "feed/xrpc_error.h"
#include "log/log.h"

namespace geotally::feed {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::milliseconds;
using SteadyTime = std::chrono::steady_clock::time_point;
using tcp = asio::ip::tcp;

namespace {

constexpr auto kToken = asio::as_tuple(asio::use_awaitable);
// A preferred host that fails again and again is asked less and less often.
constexpr std::uint32_t kPreferredWaitFactorMax = 8;
constexpr std::size_t kDictionaryBytesMax = 16 * 1024 * 1024;

// The dictionary's method stands beside the stream's, under whatever a proxy put before them.
std::string dictionary_target(std::string_view target) {
  constexpr std::string_view kStream = "network.bsky.jetstream.subscribeEvents";
  constexpr std::string_view kMethod = "network.bsky.jetstream.getZstdDictionary";
  const std::string_view path = target.substr(0, target.find('?'));
  if (!path.ends_with(kStream)) return "/xrpc/" + std::string(kMethod);
  return std::string(path.substr(0, path.size() - kStream.size())) + std::string(kMethod);
}

std::int64_t wall_now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Resolve system_resolver(asio::io_context& io) {
  return [resolver = std::make_shared<tcp::resolver>(io)](
             const std::string& name, std::function<void(std::vector<std::string>)> done) {
    resolver->async_resolve(
        name, "", [done = std::move(done)](error_code, const tcp::resolver::results_type& found) {
          std::vector<std::string> addresses;
          for (const auto& entry : found) {
            addresses.push_back(entry.endpoint().address().to_string());
          }
          done(std::move(addresses));
        });
  };
}

std::string_view to_string(Resume::Kind kind) {
  switch (kind) {
    case Resume::Kind::kLive:
      return "live";
    case Resume::Kind::kTime:
      return "time";
    case Resume::Kind::kSequence:
      return "sequence";
  }
  return "";
}

}  // namespace

class Follower::Impl : public std::enable_shared_from_this<Follower::Impl> {
 public:
  Impl(asio::io_context& io, FollowerOptions options, Dialect& dialect, Position& position,
       FollowerHandlers handlers, log::Logger& log);

  void start();
  void stop();
  void reopen();

  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] std::string_view host() const { return hosts_[current_]; }
  [[nodiscard]] const FollowerCounts& counts() const { return counts_; }

 private:
  asio::awaitable<void> follow(std::shared_ptr<Impl> self);
  asio::awaitable<void> attempt();
  asio::awaitable<std::vector<tcp::endpoint>> resolve(const std::string& host, std::uint16_t port);
  asio::awaitable<OpenResult> reach(const Resume& resume);
  enum class Purpose : std::uint8_t { kFollow, kFetch };
  asio::awaitable<OpenResult> ask(const std::vector<tcp::endpoint>& addresses,
                                  const std::string& target, Purpose purpose);
  asio::awaitable<OpenResult> fetch_dictionary(const std::vector<tcp::endpoint>& addresses);
  asio::awaitable<void> stay();
  asio::awaitable<void> pause();

  void refused(OpenResult result, const Resume& resume);
  void ended(ConnectionEnd end);
  void next_host(std::string_view why);
  [[nodiscard]] std::size_t choose_next() const;
  [[nodiscard]] bool asked_to_wait(std::size_t host) const;
  void leave(Disconnect reason);

  [[nodiscard]] OpenRequest request_to(const std::vector<tcp::endpoint>& addresses,
                                       std::string target) const;
  void make_connection();
  void on_message(std::string_view message, bool binary);
  void on_compressed(std::string_view message);
  void arm(milliseconds timeout);
  void disarm();
  void schedule_tick();
  void on_tick();
  void note_progress();
  [[nodiscard]] bool lagging(SteadyTime now);

  // Constant after construction.
  asio::io_context& io_;
  const FollowerOptions options_;
  Dialect& dialect_;
  Position& position_;
  const FollowerHandlers handlers_;
  log::Logger& log_;
  const std::shared_ptr<TlsTrust> trust_;
  std::vector<std::string> hosts_;             // by URL
  std::vector<std::optional<Proxy>> proxies_;  // by URL
  const milliseconds tick_every_;

  const Resolve resolve_;
  asio::steady_timer resolving_;  // ends when the name is resolved, or in vain
  std::uint64_t question_ = 0;    // number of the name that is being resolved
  asio::steady_timer deadline_;   // for the step in progress
  asio::steady_timer pause_;
  asio::steady_timer tick_;
  Backoff backoff_;
  FollowerCounts counts_;

  std::shared_ptr<Connection> connection_;
  std::size_t current_ = 0;
  std::vector<SteadyTime> not_before_;  // by URL: what its Retry-After asked for
  std::uint32_t failures_in_row_ = 0;   // of the current host
  milliseconds delay_{0};               // before the next attempt
  bool timed_out_ = false;
  bool connected_ = false;
  bool started_ = false;
  bool stopping_ = false;
  std::optional<Disconnect> leaving_;  // why we closed the connection ourselves

  // Of the connection.
  SteadyTime connected_at_{};
  SteadyTime last_data_{};
  std::uint64_t messages_before_ = 0;  // at the last tick
  std::uint64_t messages_at_start_ = 0;
  bool was_caught_up_ = false;
  bool progress_ = false;

  // Compression. v1 has one dictionary for all hosts, v2 one of each host's own.
  std::unique_ptr<Inflater> inflater_;
  std::vector<std::shared_ptr<const Dictionary>> dictionaries_;  // by URL

  // Of the choice of hosts.
  SteadyTime left_preferred_{};
  std::uint32_t preferred_wait_factor_ = 1;
  SteadyTime lag_since_{};
  std::int64_t lag_before_us_ = 0;
  SteadyTime left_lagging_{};
};

Follower::Impl::Impl(asio::io_context& io, FollowerOptions options, Dialect& dialect,
                     Position& position, FollowerHandlers handlers, log::Logger& log)
    : io_(io),
      options_(std::move(options)),
      dialect_(dialect),
      position_(position),
      handlers_(std::move(handlers)),
      log_(log),
      trust_(std::any_of(options_.urls.begin(), options_.urls.end(),
                         [](const Url& url) { return url.tls; })
                 ? make_tls_trust()
                 : nullptr),
      tick_every_(std::clamp(
          std::min(options_.silence_max.count() > 0 ? options_.silence_max : milliseconds(4'000),
                   std::min(options_.idle_after, options_.progress_after)) /
              4,
          milliseconds(10), milliseconds(1'000))),
      resolve_(options_.resolve ? options_.resolve : system_resolver(io)),
      resolving_(io),
      deadline_(io),
      pause_(io),
      tick_(io),
      backoff_(options_.backoff) {
  if (options_.urls.empty()) throw std::runtime_error("a feed needs at least one address");
  for (const Url& url : options_.urls) {
    hosts_.push_back(url.authority());
    proxies_.emplace_back();
    if (options_.proxy.empty() || !url.tls ||
        bypasses_proxy(options_.no_proxy, url.name(), url.port)) {
      continue;
    }
    std::string error;
    if (!Proxy::parse(options_.proxy, proxies_.back().emplace(), error)) {
      throw std::runtime_error(error);
    }
  }
  dictionaries_.resize(hosts_.size());
  not_before_.resize(hosts_.size());
  if (!options_.compress) return;
  inflater_ = std::make_unique<Inflater>(options_.message_bytes_max);
  if (dialect_.wire() != Wire::kJetstreamV1) return;
  std::string error;
  const std::shared_ptr<const Dictionary> dictionary =
      Dictionary::read(options_.dictionary_file, error);
  if (!dictionary) {
    throw std::runtime_error("dictionary " + options_.dictionary_file + ": " + error);
  }
  std::fill(dictionaries_.begin(), dictionaries_.end(), dictionary);
}

void Follower::Impl::start() {
  if (std::exchange(started_, true)) return;
  asio::co_spawn(io_, follow(shared_from_this()), [](std::exception_ptr failed) {
    if (failed) std::rethrow_exception(failed);
  });
}

void Follower::Impl::stop() {
  if (std::exchange(stopping_, true)) return;
  leaving_ = Disconnect::kStopped;
  resolving_.cancel();
  pause_.cancel();
  if (!connection_) return;
  if (!connected_) {
    connection_->abort();
    return;
  }
  arm(options_.close_timeout);
  // Not at once: we may have been called by a message's own handler, inside a read.
  asio::post(io_, [connection = connection_] { connection->close(); });
  connection_->discard();
}

void Follower::Impl::reopen() {
  if (stopping_) return;
  if (connected_) {
    leave(Disconnect::kReopened);
  } else {
    delay_ = milliseconds(0);
    pause_.cancel();
  }
}

// Closes the connection for a reason of our own; no back-off follows.
void Follower::Impl::leave(Disconnect reason) {
  if (stopping_ || leaving_) return;
  leaving_ = reason;
  connection_->abort();
}

asio::awaitable<void> Follower::Impl::follow(std::shared_ptr<Impl> self) {
  while (!stopping_) {
    co_await self->attempt();
    if (stopping_) break;
    co_await self->pause();
  }
  disarm();
  log_.write(log::Event::kFeedStopped, {{"host", host()}});
  if (handlers_.on_stopped) handlers_.on_stopped();
}

asio::awaitable<void> Follower::Impl::attempt() {
  leaving_.reset();
  timed_out_ = false;
  const Resume resume = position_.resume(host(), dialect_.wire());
  OpenResult result = co_await reach(resume);
  if (stopping_) co_return;
  if (!result.open) {
    if (timed_out_) {
      result.failure = ConnectFailure::kTimeout;
      result.detail = "no answer in time";
    }
    connection_.reset();
    refused(std::move(result), resume);
    co_return;
  }
  log_.write(log::Event::kFeedConnected,
             {{"host", host()}, {"from", to_string(resume.kind)}, {"value", resume.value}});
  co_await stay();
}

// From a name to an open connection, by way of the dictionary where one is needed.
asio::awaitable<OpenResult> Follower::Impl::reach(const Resume& resume) {
  const Url& url = options_.urls[current_];
  const std::optional<Proxy>& proxy = proxies_[current_];
  const std::string name = proxy ? proxy->host : url.host;
  const std::uint16_t port = proxy ? proxy->port : url.port;
  const std::vector<tcp::endpoint> addresses = co_await resolve(name, port);
  OpenResult result;
  if (stopping_) co_return result;
  if (addresses.empty()) {
    result.failure = ConnectFailure::kDns;
    result.detail = proxy ? "the proxy's name does not resolve" : "the name does not resolve";
    co_return result;
  }
  if (inflater_ && !dictionaries_[current_]) {
    result = co_await fetch_dictionary(addresses);
    if (!result.open || stopping_) co_return result;
  }
  if (dictionaries_[current_]) dialect_.set_dictionary(dictionaries_[current_]->id());
  const std::string target = dialect_.target(url.target, resume);
  result = co_await ask(addresses, target, Purpose::kFollow);
  co_return result;
}

asio::awaitable<std::vector<tcp::endpoint>> Follower::Impl::resolve(const std::string& host,
                                                                    std::uint16_t port) {
  std::vector<tcp::endpoint> addresses;
  error_code no_address;
  const auto literal = asio::ip::make_address(host, no_address);
  if (!no_address) {
    addresses.emplace_back(literal, port);
    co_return addresses;
  }
  struct Answer {
    bool here = false;
    std::vector<std::string> addresses;
  };
  const auto answer = std::make_shared<Answer>();
  resolving_.expires_after(options_.connect_timeout);
  const std::uint64_t question = ++question_;
  resolve_(host, [answer, question, weak = weak_from_this()](std::vector<std::string> found) {
    answer->here = true;
    answer->addresses = std::move(found);
    // An answer that comes too late must not end the next question.
    const auto self = weak.lock();
    if (self && self->question_ == question) self->resolving_.cancel();
  });
  if (!answer->here) {
    auto [cancelled] = co_await resolving_.async_wait(kToken);
    timed_out_ = !cancelled;
  }
  for (const std::string& text : answer->addresses) {
    error_code malformed;
    const auto address = asio::ip::make_address(text, malformed);
    if (!malformed) addresses.emplace_back(address, port);
  }
  co_return interleaved(addresses);
}

OpenRequest Follower::Impl::request_to(const std::vector<tcp::endpoint>& addresses,
                                       std::string target) const {
  OpenRequest request;
  request.addresses = addresses;
  request.dialing.attempt_delay = options_.attempt_delay;
  request.dialing.on_attempt = [this](const tcp::endpoint& address) {
    log_.write(log::Event::kFeedConnecting,
               {{"host", host()}, {"address", address.address().to_string()}});
  };
  request.url = options_.urls[current_];
  request.target = std::move(target);
  request.token = options_.token;
  request.user_agent = options_.user_agent;
  if (proxies_[current_]) {
    request.through_proxy = true;
    request.proxy_user = proxies_[current_]->user;
  }
  return request;
}

void Follower::Impl::make_connection() {
  ConnectionHandlers handlers;
  handlers.on_message = [this](std::string_view message, bool binary) {
    on_message(message, binary);
  };
  handlers.on_too_large = [this] { handlers_.on_rejected(Rejection::kTooLarge); };
  handlers.on_drained = [this] { handlers_.on_drained(); };
  SplitterOptions limits;
  limits.buffer_bytes = options_.buffer_bytes;
  limits.message_bytes_max = options_.message_bytes_max;
  limits.skip_bytes_max = options_.skip_bytes_max;
  connection_ = std::make_shared<Connection>(io_, trust_, limits, std::move(handlers), counts_);
  timed_out_ = false;
}

asio::awaitable<OpenResult> Follower::Impl::ask(const std::vector<tcp::endpoint>& addresses,
                                                const std::string& target, Purpose purpose) {
  std::vector<tcp::endpoint> left = addresses;
  OpenResult result;
  while (!left.empty()) {
    make_connection();
    arm(options_.connect_timeout);
    const OpenRequest request = request_to(left, target);
    if (purpose == Purpose::kFollow) {
      result = co_await connection_->open(request);
    } else {
      result = co_await connection_->fetch(request, kDictionaryBytesMax);
    }
    disarm();
    if (result.open || stopping_ || !result.accepted) break;
    // Another address of the name may do better, unless it was the server that said no.
    if (result.status != 0 || result.failure == ConnectFailure::kTls) break;
    std::erase_if(left, [&result](const tcp::endpoint& address) {
      return std::find(result.tried.begin(), result.tried.end(), address) != result.tried.end();
    });
  }
  co_return result;
}

// v2: the server's current dictionary, from beside its stream.
// Source: bluesky-social/jetstream, lexicon network.bsky.jetstream.getZstdDictionary.
asio::awaitable<OpenResult> Follower::Impl::fetch_dictionary(
    const std::vector<tcp::endpoint>& addresses) {
  const std::string target = dictionary_target(options_.urls[current_].target);
  OpenResult result = co_await ask(addresses, target, Purpose::kFetch);
  if (stopping_) co_return result;
  if (result.open) {
    std::string error;
    dictionaries_[current_] = Dictionary::prepare(result.body, error);
    if (!error.empty()) {
      result.open = false;
      result.detail = error;
    }
  }
  result.body.clear();
  if (result.open) {
    log_.write(log::Event::kFeedDictionary,
               {{"host", host()}, {"dictionary_id", dictionaries_[current_]->id()}});
  } else {
    result.detail = "dictionary: " + result.detail;
  }
  co_return result;
}

asio::awaitable<void> Follower::Impl::stay() {
  connected_ = true;
  progress_ = false;
  was_caught_up_ = false;
  connected_at_ = last_data_ = lag_since_ = std::chrono::steady_clock::now();
  lag_before_us_ = INT64_MAX;
  messages_before_ = messages_at_start_ = counts_.messages;
  dialect_.clear_notice();
  position_.connected(host(), dialect_.wire(), wall_now_us());
  if (handlers_.on_connected) handlers_.on_connected(host());
  if (stopping_) {
    // stop() came out of the handler and saw no connection yet to say goodbye on.
    connection_->close();
    arm(options_.close_timeout);
  }
  schedule_tick();
  ConnectionEnd end = co_await connection_->run();
  connected_ = false;
  tick_.cancel();
  disarm();
  connection_.reset();
  ended(std::move(end));
}

asio::awaitable<void> Follower::Impl::pause() {
  SteadyTime until = std::chrono::steady_clock::now() + delay_;
  while (!stopping_) {
    until = std::max(until, not_before_[current_]);
    if (until <= std::chrono::steady_clock::now()) co_return;
    pause_.expires_at(until);
    auto [cancelled] = co_await pause_.async_wait(kToken);
    // stop() and reopen() cut the back-off short; what the host asked for, reopen() does not.
    if (cancelled) until = SteadyTime{};
  }
}

// An attempt failed.
void Follower::Impl::refused(OpenResult result, const Resume& resume) {
  XrpcError error;
  if (result.status != 0) error = parse_xrpc_error(result.body);
  if (!error.name.empty()) result.detail += ", " + error.name;
  ++failures_in_row_;
  delay_ = backoff_.next();
  bool at_once = false;
  if (error.name == "CursorTooOld") {
    const std::uint64_t asked = resume.kind == Resume::Kind::kLive ? 0 : resume.value;
    const auto floor = named_floor(error.message, asked);
    log_.write(log::Event::kFeedCursorTooOld, {{"host", host()}, {"floor", floor.value_or(0)}});
    position_.refused(host(), floor);
    at_once = true;
  } else if (error.name == "UnknownZstdDictionary" && dialect_.wire() != Wire::kJetstreamV1) {
    dictionaries_[current_].reset();  // the next attempt fetches the one in use
    at_once = true;
  }
  // We know better now, and try at once; but a server that only ever refuses is waited for.
  if (at_once && failures_in_row_ == 1) delay_ = milliseconds(0);
  const bool busy = result.status == 429 || result.status == 503;
  const auto asked =
      busy ? parse_retry_after(result.retry_after, wall_now_us() / 1'000'000) : std::nullopt;
  milliseconds wait{0};
  if (asked) {
    wait = std::min<milliseconds>(*asked, options_.retry_after_max);
    // The back-off on top spreads those who were all told the same.
    not_before_[current_] = std::chrono::steady_clock::now() + wait + delay_;
    result.detail += ", retry after " + std::to_string(asked->count()) + " s";
  }
  if (handlers_.on_connect_failed) {
    handlers_.on_connect_failed(host(), result.failure, result.detail);
  }
  log_.write(log::Event::kFeedConnectFailed, {{"host", host()},
                                              {"reason", to_string(result.failure)},
                                              {"detail", result.detail},
                                              {"delay_ms", (wait + delay_).count()}});
  if (failures_in_row_ >= options_.failures_before_failover || wait.count() > 0) {
    next_host(to_string(result.failure));
  }
}

// A connection ended, by the server or by us.
void Follower::Impl::ended(ConnectionEnd end) {
  Disconnect reason = leaving_.value_or(end.reason);
  if (!leaving_ && dialect_.notice() == "ConsumerTooSlow") reason = Disconnect::kTooSlow;
  if (leaving_) end.detail = "on our side";
  note_progress();  // it may have ended between two ticks
  position_.disconnected(to_string(reason));
  const bool ours = reason == Disconnect::kReopened || reason == Disconnect::kPreferred ||
                    reason == Disconnect::kLagging;
  if (ours || stopping_) {
    delay_ = milliseconds(0);
  } else {
    delay_ = backoff_.next();
    if (!progress_) ++failures_in_row_;
  }
  if (handlers_.on_disconnected) handlers_.on_disconnected(host(), reason, end.detail);
  log_.write(log::Event::kFeedDisconnected, {{"host", host()},
                                             {"reason", to_string(reason)},
                                             {"detail", end.detail},
                                             {"delay_ms", delay_.count()},
                                             {"messages", counts_.messages - messages_at_start_}});
  if (reason == Disconnect::kSilent || reason == Disconnect::kLagging ||
      failures_in_row_ >= options_.failures_before_failover) {
    next_host(to_string(reason));
  } else if (reason == Disconnect::kPreferred) {
    log_.write(log::Event::kFeedFailover,
               {{"from", host()}, {"to", hosts_[0]}, {"reason", to_string(reason)}});
    current_ = 0;
    failures_in_row_ = 0;
  }
}

void Follower::Impl::next_host(std::string_view why) {
  failures_in_row_ = 0;
  const std::size_t next = choose_next();
  if (next == current_) return;
  log_.write(log::Event::kFeedFailover, {{"from", host()}, {"to", hosts_[next]}, {"reason", why}});
  if (current_ == 0) left_preferred_ = std::chrono::steady_clock::now();
  current_ = next;
  // The other host has not failed us yet; only a whole round of failures waits.
  if (next != 0) delay_ = std::min(delay_, options_.backoff.first);
}

bool Follower::Impl::asked_to_wait(std::size_t host) const {
  return not_before_[host] > std::chrono::steady_clock::now();
}

// The next in turn that does not ask us to wait; when all do, the one that asks for least.
std::size_t Follower::Impl::choose_next() const {
  std::size_t best = current_;
  for (std::size_t step = 1; step <= hosts_.size(); ++step) {
    const std::size_t host = (current_ + step) % hosts_.size();
    if (!asked_to_wait(host)) return host;
    if (not_before_[host] < not_before_[best]) best = host;
  }
  return best;
}

void Follower::Impl::on_message(std::string_view message, bool binary) {
  if (!binary) {
    handlers_.on_frame({message});
  } else if (inflater_) {
    on_compressed(message);
  } else {
    handlers_.on_rejected(Rejection::kNotText);
  }
}

void Follower::Impl::on_compressed(std::string_view message) {
  std::string_view text;
  const auto dictionary = dictionaries_[current_];
  const auto outcome = dictionary ? inflater_->inflate(message, *dictionary, text)
                                  : Inflater::Outcome::kOtherDictionary;
  if (outcome == Inflater::Outcome::kOk) {
    handlers_.on_frame({text});
    return;
  }
  handlers_.on_rejected(Rejection::kDecompression);
  if (outcome == Inflater::Outcome::kOtherDictionary && dialect_.wire() != Wire::kJetstreamV1) {
    // The server took up another one while we are connected. We fetch it, and the margin of
    // the resume brings back what we could not read.
    dictionaries_[current_].reset();
    leave(Disconnect::kDictionary);
  }
}

// Makes the step in progress return when it takes longer.
void Follower::Impl::arm(milliseconds timeout) {
  deadline_.expires_after(timeout);
  deadline_.async_wait([weak = weak_from_this()](const error_code& cancelled) {
    const auto self = weak.lock();
    if (cancelled || !self) return;
    self->timed_out_ = true;
    if (self->connection_) self->connection_->abort();
  });
}

void Follower::Impl::disarm() { deadline_.cancel(); }

void Follower::Impl::schedule_tick() {
  tick_.expires_after(tick_every_);
  tick_.async_wait([weak = weak_from_this()](const error_code& cancelled) {
    const auto self = weak.lock();
    if (cancelled || !self || !self->connected_) return;
    self->on_tick();
    self->schedule_tick();
  });
}

// That a connection stands is no progress; only what it brings.
void Follower::Impl::note_progress() {
  if (progress_ || (position_.fresh_events() < options_.progress_events &&
                    last_data_ - connected_at_ < options_.progress_after)) {
    return;
  }
  progress_ = true;
  failures_in_row_ = 0;
  backoff_.reset();
  if (current_ == 0) preferred_wait_factor_ = 1;
}

// Looks at the connection now and then; per message nothing is measured.
void Follower::Impl::on_tick() {
  const SteadyTime now = std::chrono::steady_clock::now();
  if (counts_.messages != messages_before_) {
    messages_before_ = counts_.messages;
    last_data_ = now;
  }
  if (now - last_data_ >= options_.idle_after) position_.idle();
  if (!was_caught_up_ && position_.caught_up()) {
    was_caught_up_ = true;
    log_.write(
        log::Event::kFeedCaughtUp,
        {{"host", host()},
         {"duration_ms", std::chrono::duration_cast<milliseconds>(now - connected_at_).count()}});
  }
  note_progress();
  if (options_.silence_max.count() > 0 && now - last_data_ >= options_.silence_max) {
    leave(Disconnect::kSilent);
  } else if (current_ != 0 && !asked_to_wait(0) &&
             now - left_preferred_ >= options_.preferred_after * preferred_wait_factor_) {
    preferred_wait_factor_ = std::min(preferred_wait_factor_ * 2, kPreferredWaitFactorMax);
    leave(Disconnect::kPreferred);
  } else if (lagging(now)) {
    left_lagging_ = now;
    leave(Disconnect::kLagging);
  }
}

// Far behind, and not catching up: over one window the lag shrank by less than half of it.
bool Follower::Impl::lagging(SteadyTime now) {
  if (options_.lag_max.count() == 0 || hosts_.size() < 2 || position_.seen_us() == 0 ||
      now - lag_since_ < options_.progress_after) {
    return false;
  }
  const std::int64_t lag_us = wall_now_us() - position_.seen_us();
  const std::int64_t window_us =
      std::chrono::duration_cast<std::chrono::microseconds>(now - lag_since_).count();
  const bool stuck = lag_before_us_ != INT64_MAX && lag_us > lag_before_us_ - window_us / 2;
  lag_since_ = now;
  lag_before_us_ = lag_us;
  // When every host lags, changing does not help: not more often than we look for a better one.
  const bool tried =
      left_lagging_ != SteadyTime{} && now - left_lagging_ < options_.preferred_after;
  return stuck && !tried && lag_us > options_.lag_max.count() * 1'000;
}

Follower::Follower(asio::io_context& io, FollowerOptions options, Dialect& dialect,
                   Position& position, FollowerHandlers handlers, log::Logger& log)
    : impl_(std::make_shared<Impl>(io, std::move(options), dialect, position, std::move(handlers),
                                   log)) {}

Follower::~Follower() = default;

void Follower::start() { impl_->start(); }
void Follower::stop() { impl_->stop(); }
void Follower::reopen() { impl_->reopen(); }
bool Follower::connected() const { return impl_->connected(); }
std::string_view Follower::host() const { return impl_->host(); }
const FollowerCounts& Follower::counts() const { return impl_->counts(); }

}  // namespace geotally::feed
