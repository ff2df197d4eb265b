#include "feed/feed.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "feed/text.h"

namespace geotally::feedgen {

Log::Log(const std::string& path) : file_(std::fopen(path.c_str(), "wb")) {
  if (file_ == nullptr) {
    throw std::runtime_error("--log: cannot write " + path + ": " + std::strerror(errno));
  }
}

Log::~Log() {
  flush();
  std::fclose(file_);
}

void Log::flush() {
  if (pending_.empty()) return;
  if (std::fwrite(pending_.data(), 1, pending_.size(), file_) != pending_.size() ||
      std::fflush(file_) != 0) {
    std::fprintf(stderr, "geotally-feed: the log cannot be written: %s\n", std::strerror(errno));
    std::abort();  // a log with holes would make every figure that is compared to it wrong
  }
  pending_.clear();
}

Feed::Feed(std::unique_ptr<Script> script, std::vector<Host> hosts, FeedOptions options,
           std::unique_ptr<Log> log)
    : script_(std::move(script)),
      hosts_(std::move(hosts)),
      options_(options),
      log_(std::move(log)) {}

std::uint64_t Feed::target() const { return std::min(size(), options_.pause_at); }

std::uint64_t Feed::first_not_before(std::int64_t time_us) const {
  std::uint64_t low = 0;
  std::uint64_t high = size();
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (script_->time_us(middle) < time_us) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  // Within a reordered stretch the search may have gone wrong, but not out of it.
  for (const Span& span : reordered_) {
    if (low > span.from && low <= span.to) low = span.from;
  }
  return low;
}

/// What a host that is late has of the events before `number`.
std::uint64_t Feed::lagged(std::size_t host, std::uint64_t number) const {
  const std::int64_t lag_us = hosts_[host].lag_us;
  if (lag_us <= 0 || number == 0) return number;
  return std::min(number, first_not_before(script_->time_us(number - 1) - lag_us));
}

std::uint64_t Feed::limit(std::size_t host) {
  return lagged(host, unlimited() ? std::max(head_, target()) : head_);
}

std::uint64_t Feed::tail(std::size_t host) { return lagged(host, head_); }

std::uint64_t Feed::skip_lost(std::uint64_t number) const {
  for (const Span& span : lost_) {
    if (number >= span.from && number < span.to) number = span.to;
  }
  return number;
}

std::uint64_t Feed::next_stop(std::size_t host, std::uint64_t number) const {
  std::uint64_t stop = kNever;
  for (const Span& span : lost_) {
    if (span.from > number) stop = std::min(stop, span.from);
  }
  for (const Fault& fault : faults_) {
    if (fault.host >= 0 && fault.host != static_cast<int>(host)) continue;
    if (fault.at > number) stop = std::min(stop, fault.at);
  }
  return stop;
}

std::int64_t Feed::shown_us(std::size_t host, std::uint64_t number) const {
  const Host& h = hosts_[host];
  std::int64_t clock_us = h.clock_us;
  for (const Host::Step& step : h.clock_steps) {
    if (number >= step.from) clock_us = step.clock_us;
  }
  return script_->time_us(number) + clock_us;
}

std::uint64_t Feed::sequence(std::size_t host, std::uint64_t number) const {
  const Host& h = hosts_[host];
  if (number >= h.sequence_from) return h.first_sequence + (number - h.sequence_from);
  const std::uint64_t before = h.sequence_from - number;
  return h.first_sequence > before ? h.first_sequence - before : 0;
}

std::uint64_t Feed::start(std::size_t host, std::optional<std::uint64_t> cursor, bool& too_old) {
  Host& h = hosts_[host];
  const std::uint64_t live = tail(host);
  too_old = false;
  if (!cursor || live == 0) return live;
  const std::int64_t newest_us = shown_us(host, live - 1);
  // In a rewound answer the server itself goes back; the client's cursor is valid.
  std::int64_t back_us = 0;
  if (h.rewinds > 0) {
    --h.rewinds;
    back_us = h.rewind_us;
  }
  std::int64_t from_us = 0;
  if (*cursor < kFirstTimeCursor) {
    if (*cursor > sequence(host, live - 1)) return live;  // in the future
    const std::uint64_t oldest = std::max(
        h.history_from, first_not_before(script_->time_us(live - 1) - options_.retention_us));
    if (*cursor < sequence(host, oldest)) {
      too_old = true;
      return oldest;
    }
    const std::uint64_t number = h.sequence_from + *cursor - h.first_sequence;
    if (back_us == 0) return number;
    from_us = shown_us(host, number) - back_us;
  } else {
    if (*cursor > static_cast<std::uint64_t>(newest_us)) return live;
    from_us = static_cast<std::int64_t>(*cursor) - back_us;
  }
  const std::int64_t oldest_us = newest_us - options_.retention_us;
  if (from_us < oldest_us) {
    too_old = back_us == 0;
    from_us = oldest_us;
  }
  std::int64_t ahead_us = std::max<std::int64_t>(h.clock_us, 0);
  for (const Host::Step& step : h.clock_steps) ahead_us = std::max(ahead_us, step.clock_us);
  std::uint64_t number = first_not_before(from_us - ahead_us);
  if (number < h.history_from) {
    too_old = too_old || back_us == 0;
    number = h.history_from;
  }
  while (number < live && shown_us(host, number) < from_us) ++number;
  return number;
}

std::uint64_t Feed::floor_sequence(std::size_t host) {
  const Host& h = hosts_[host];
  const std::uint64_t live = tail(host);
  if (live == 0) return h.first_sequence;
  const std::uint64_t oldest = first_not_before(script_->time_us(live - 1) - options_.retention_us);
  return sequence(host, std::max(oldest, h.history_from));
}

void Feed::sent(std::size_t host, std::uint64_t number) {
  if (!unlimited()) return;
  const std::int64_t lag_us = hosts_[host].lag_us;
  if (lag_us > 0 && number > 0) {
    // What a late host tells now, the feed told long ago.
    number = number >= limit(host)
                 ? target()
                 : std::min(target(), first_not_before(script_->time_us(number - 1) + lag_us));
  }
  advance(number);
}

void Feed::advance(std::uint64_t to) {
  if (to <= head_) return;
  if (log_) {
    for (; head_ < to; ++head_) {
      script_->log(log_->pending(), head_, shown_us(0, head_), skip_lost(head_) != head_);
      log_->flush_when_large();
    }
    if (head_ >= target()) log_->flush();
  }
  head_ = to;
}

void Feed::tick(std::int64_t now_us, std::int64_t wall_us, std::size_t clients) {
  const std::int64_t passed_us = last_tick_us_ == 0 ? 0 : now_us - last_tick_us_;
  last_tick_us_ = now_us;
  if (clients > 0) started_ = true;
  if (unlimited() || (options_.wait_client && !started_) || (options_.hold_alone && clients == 0)) {
    return;
  }
  if (head_ >= target()) {
    credit_ = 0;
    if (!options_.wall_pace && head_ < size()) {
      feed_clock_us_ = static_cast<double>(script_->time_us(head_));
    }
    return;
  }
  std::uint64_t to = target();
  if (options_.rate > 0) {
    credit_ += options_.rate * static_cast<double>(passed_us) / 1e6;
    const auto whole = static_cast<std::uint64_t>(credit_);
    credit_ -= static_cast<double>(whole);
    to = std::min(to, head_ + whole);
  }
  if (paced()) {
    if (options_.wall_pace) {
      feed_clock_us_ = static_cast<double>(wall_us);
    } else if (feed_clock_us_ == 0) {
      feed_clock_us_ = static_cast<double>(script_->time_us(0));
    } else {
      feed_clock_us_ += options_.pace * static_cast<double>(passed_us);
    }
    to = std::min(to, first_not_before(static_cast<std::int64_t>(feed_clock_us_) + 1));
  }
  advance(to);
}

void Feed::pause(std::uint64_t at) {
  options_.pause_at = std::max(at, head_);
  if (log_ && head_ >= target()) log_->flush();
}

void Feed::add(Fault fault) {
  if (fault.host >= static_cast<int>(hosts_.size())) {
    throw std::invalid_argument("fault '" + fault.text + "': there are " +
                                std::to_string(hosts_.size()) + " hosts");
  }
  if (fault.kind == FaultKind::kReorder) {
    // Done at once: what is delivered later then has one order, whoever asks, and the log shows it.
    const std::uint64_t events = fault.number("events", 100);
    for (std::uint64_t i = 0; i < fault.times; ++i) {
      const std::uint64_t from = fault.at + i * fault.every;
      const std::uint64_t to = std::min(from + events, size());
      if (from >= size()) break;
      if (from < head_) {
        throw std::invalid_argument("fault '" + fault.text + "': already emitted");
      }
      if (!script_->reorder(from, to, from + 1)) {
        throw std::invalid_argument("fault '" + fault.text +
                                    "': only generated worlds "
                                    "(not flood) can be reordered");
      }
      reordered_.push_back({from, to});
      fired_.push_back(fault.text);
      note(R"({"fault":"reorder","n":)" + std::to_string(from) + R"(,"events":)" +
           std::to_string(to - from) + "}");
    }
    return;
  }
  faults_.push_back(std::move(fault));
}

bool Feed::due(std::size_t host, std::uint64_t number) const {
  return std::any_of(faults_.begin(), faults_.end(), [&](const Fault& fault) {
    return fault.at <= number && (fault.host < 0 || fault.host == static_cast<int>(host));
  });
}

void Feed::lose(std::uint64_t count) {
  if (count == 0) return;
  const std::uint64_t to = std::min(head_ + count, size());
  lost_.push_back({head_, to});
  advance(to);
}

std::string info_message(std::string_view name, std::string_view message) {
  return R"({"$type":"message","payload":{"$type":"network.bsky.jetstream.subscribeEvents#info",)"
         R"("message":")" +
         std::string(message) + R"(","name":")" + std::string(name) + R"("}})";
}

Mould Feed::mould(std::size_t host, std::uint64_t number, Wire wire) const {
  Mould mould;
  mould.wire = wire;
  number = std::min(number, size() - 1);
  mould.did = script_->did(number);
  mould.time_us = shown_us(host, number > 0 ? number - 1 : 0);
  mould.sequence = sequence(host, number);
  Buffer message;
  script_->append(message, number, wire, shown_us(host, number), mould.sequence);
  mould.message = message.view();
  return mould;
}

Order Feed::fire(std::size_t host, std::uint64_t number, Wire wire, std::int64_t now_us) {
  Order order;
  std::size_t index = 0;
  while (index < faults_.size() &&
         !(faults_[index].at <= number &&
           (faults_[index].host < 0 || faults_[index].host == static_cast<int>(host)))) {
    ++index;
  }
  if (index == faults_.size()) return order;
  const Fault fault = faults_[index];
  if (fault.every > 0 && fault.times > 1) {
    faults_[index].at = std::max(fault.at + fault.every, number + 1);
    --faults_[index].times;
  } else {
    faults_.erase(faults_.begin() + static_cast<std::ptrdiff_t>(index));
  }
  fired_.push_back(fault.text);

  order.host = fault.host;
  order.how = fault.get("how", "1001");
  order.duration_us = fault.duration_us("for", 0);
  const auto each = [&](auto&& change) {
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
      if (fault.host < 0 || static_cast<int>(i) == fault.host) change(hosts_[i]);
    }
  };
  switch (fault.kind) {
    case FaultKind::kDrop:
      order.kind = Order::Kind::kEnd;
      break;
    case FaultKind::kSilent:
      order.kind = Order::Kind::kSilent;
      break;
    case FaultKind::kStall:
      order.kind = Order::Kind::kStall;
      break;
    case FaultKind::kRewind:
      each([&](Host& h) {
        h.rewinds = fault.number("cursors", 1);
        h.rewind_us = fault.duration_us("span", 3'600'000'000);
      });
      if (order.how != "none") order.kind = Order::Kind::kEnd;
      break;
    case FaultKind::kForget:
      order.how = fault.get("how", "bare");
      lose(fault.number("lost", 0));
      each([&](Host& h) {
        h.history_from = head_;
        h.sequence_from = head_;
        h.first_sequence = 1;
      });
      order.kind = Order::Kind::kEnd;
      break;
    case FaultKind::kLose:
      lose(fault.number("events", 100));
      break;
    case FaultKind::kCorrupt: {
      order.kind = Order::Kind::kSend;
      const std::string what = fault.get("what", "bad_json");
      const Mould base = mould(host, number, wire);
      for (std::uint64_t i = 0; i < fault.number("count", 1); ++i) {
        if (what == "binary" || what.starts_with("zstd_")) {
          order.messages.push_back({base.message, what});
        } else {
          order.messages.push_back(
              {corrupted(what, base, fault.number("bytes", options_.oversize_bytes)), ""});
        }
      }
      break;
    }
    case FaultKind::kFuture: {
      order.kind = Order::Kind::kSend;
      Mould base = mould(host, number, wire);
      base.time_us += fault.duration_us("ahead", 3'600'000'000);
      for (std::uint64_t i = 0; i < fault.number("accounts", 1); ++i) {
        base.did = "did:plc:" + std::string(23, 'z') + static_cast<char>('a' + i % 26);
        char rev[kTidSize];
        put_tid(rev, base.time_us, static_cast<std::uint32_t>(number + i));
        order.messages.push_back(
            {made_up_post(base, std::string_view(rev, kTidSize),
                          R"({"$type":"app.bsky.feed.post","createdAt":)"
                          R"("2012-01-01T00:00:00.000Z","langs":["fr-FR"],"text":"qzu 1"})"),
             ""});
      }
      break;
    }
    case FaultKind::kSync:
      order.kind = Order::Kind::kSend;
      for (std::uint64_t i = 0; i < fault.number("count", 1); ++i) {
        const Mould base = mould(host, number, wire);
        char time[32];
        const char* const end = put_time(time, base.time_us, 6);
        const std::string shown(time, static_cast<std::size_t>(end - time));
        // Before the event that has this number: who resumes here loses nothing.
        order.messages.push_back(
            {R"({"$type":"message","payload":{"$type":)"
             R"("network.bsky.jetstream.subscribeEvents#sync","did":"did:plc:)" +
                 std::string(24, 'y') + R"(","seq":)" + std::to_string(base.sequence) +
                 R"(,"sync":{"blocks":{"$bytes":"emVyb0NBUg"},"did":"did:plc:)" +
                 std::string(24, 'y') + R"(","rev":"7zzzzzzzzzzzz","seq":5,"time":")" + shown +
                 R"("},"time":")" + shown + R"("}})",
             ""});
      }
      break;
    case FaultKind::kInfo:
      order.kind = Order::Kind::kSend;
      order.messages.push_back({info_message(fault.get("name", "OutdatedCursor"), "made up"), ""});
      break;
    case FaultKind::kError:
      order.kind = Order::Kind::kEnd;
      order.how = fault.get("how", "1008");
      order.messages.push_back({R"({"$type":"error","error":")" +
                                    fault.get("name", "ConsumerTooSlow") +
                                    R"(","message":"reader below floor rate"})",
                                ""});
      break;
    case FaultKind::kRefuse:
      order.how = fault.get("how", "bare");
      each([&](Host& h) {
        h.refusals = fault.number("connections", order.duration_us > 0 ? 0 : 1);
        h.refuse_until_us = order.duration_us > 0 ? now_us + order.duration_us : 0;
        h.refuse_status = static_cast<unsigned>(fault.number("status", 503));
        h.refuse_body = fault.get("body", "json");
      });
      if (order.how != "none") order.kind = Order::Kind::kEnd;
      break;
    case FaultKind::kRestart:
      each([&](Host& h) {
        h.first_sequence = fault.number("sequence", sequence(0, head_) + 1'000'000);
        h.sequence_from = head_;
        if (fault.parameters.contains("clock")) {
          h.clock_steps.push_back({head_, fault.duration_us("clock", 0)});
        }
        if (order.duration_us > 0) {
          h.refuse_until_us = now_us + order.duration_us;
          h.refuse_status = 503;
        }
      });
      order.how = "1001";
      order.kind = Order::Kind::kEnd;
      break;
    case FaultKind::kDelay:
      each([&](Host& h) { h.lag_us = fault.duration_us("by", 3'600'000'000); });
      break;
    case FaultKind::kFragment:
      order.kind = Order::Kind::kFragment;
      order.count = fault.number("events", 100);
      break;
    case FaultKind::kSplit:
      order.kind = Order::Kind::kSplit;
      order.count = fault.number("events", 10);
      break;
    case FaultKind::kPing:
      order.kind = Order::Kind::kPing;
      order.count = fault.number("count", 1);
      break;
    case FaultKind::kRotate:
      order.kind = Order::Kind::kRotate;
      break;
    case FaultKind::kReorder:
      break;  // was done when it was asked for
  }
  note(R"({"fault":")" + std::string(fault_name(fault.kind)) + R"(","n":)" +
       std::to_string(number) + R"(,"emitted":)" + std::to_string(head_) + R"(,"spec":")" +
       fault.text + R"("})");
  return order;
}

std::string Feed::status() const {
  std::string json = R"({"emitted":)" + std::to_string(head_);
  json += R"(,"size":)" + std::to_string(size());
  json += R"(,"finished":)" + std::string(head_ >= size() ? "true" : "false");
  json += R"(,"paused":)" + std::string(head_ >= options_.pause_at ? "true" : "false");
  json += R"(,"pause_at":)" +
          (options_.pause_at == kNever ? "null" : std::to_string(options_.pause_at));
  json += R"(,"last_time_us":)" + std::to_string(head_ > 0 ? shown_us(0, head_ - 1) : 0);
  json += R"(,"sequence":)" + std::to_string(head_ > 0 ? sequence(0, head_ - 1) : 0);
  json += R"(,"faults_waiting":)" + std::to_string(faults_.size());
  json += R"(,"faults_fired":[)";
  for (std::size_t i = 0; i < fired_.size(); ++i) {
    json += (i > 0 ? ",\"" : "\"") + fired_[i] + "\"";
  }
  return json + "]";
}

void Feed::note(const std::string& json_object) {
  if (log_) log_->pending() += json_object + "\n";
}

void Feed::flush() {
  if (log_) log_->flush();
}

}  // namespace geotally::feedgen
