// Jetstream v2: {"$type":"message","payload":{"$type":"…subscribeEvents#commit",…}}.
// Source: bluesky-social/jetstream, lexicon network.bsky.jetstream.subscribeEvents.
#include <algorithm>
#include <string>
#include <utility>

#include "feed/jetstream.h"
#include "feed/target.h"

namespace geotally::feed {
namespace {

using simdjson::ondemand::value;

class JetstreamV2 final : public Jetstream {
 public:
  explicit JetstreamV2(DialectOptions options)
      : Jetstream(std::move(options)), dictionary_id_(options_.dictionary_id) {}

  [[nodiscard]] Wire wire() const override { return Wire::kJetstreamV2; }

  [[nodiscard]] std::string target(std::string_view base, const Resume& resume) const override {
    Target target(base);
    if (!target.given("kinds")) {
      for (const std::string_view kind : {"commit", "identity", "account", "sync"}) {
        target.add("kinds", kind);
      }
    }
    if (!target.given("collections")) {
      for (const auto& one : options_.collections) target.add("collections", one);
    }
    if (!target.given("dids")) {
      for (const auto& one : options_.dids) target.add("dids", one);
    }
    if (options_.server_bytes_max != 0 && !target.given("maxMessageSizeBytes")) {
      target.add("maxMessageSizeBytes", std::to_string(options_.server_bytes_max));
    }
    if (options_.compress && dictionary_id_ != 0) {
      target.replace("zstdDictionary", std::to_string(dictionary_id_));
    }
    if (resume.kind != Resume::Kind::kLive) {
      target.replace("cursor", std::to_string(resume.value));
    }
    return target.text();
  }

  [[nodiscard]] std::string_view notice() const override { return notice_; }
  [[nodiscard]] Notice notice_kind() const override { return notice_kind_; }
  void clear_notice() override { notice_.clear(); }
  void set_dictionary(std::uint32_t id) override { dictionary_id_ = id; }

 protected:
  bool read_envelope(Object& root, Found& found, Event& event) override {
    bool message = false;
    bool error = false;
    bool typed = false;
    std::string_view name;
    const bool whole = read_fields(root, [&](Key key, value& value) {
      if (key.is("$type")) {
        std::string_view type;
        if (!read_text(value, type)) return false;
        typed = true;
        message = type == "message";
        error = type == "error";
        return true;
      }
      if (key.is("payload")) return read_payload(value, found, event);
      if (key.is("error")) return read_optional_text(value, name, [] {});
      return true;
    });
    if (!whole) return false;
    if (!typed) return reject(Rejection::kMissingField);
    if (error) {
      notify(name);
      found.kind = Kind::kNotice;
    } else if (!message) {
      // A frame of another type says nothing about any account: the server's own affair.
      notify(kUnknownFrame);
      found.kind = Kind::kNotice;
    } else if (found.kind == Kind::kNotice) {
      notify(info_name_);
    }
    return true;
  }

 private:
  bool read_payload(value& value, Found& found, Event& event) {
    Object payload = value.get_object();
    info_name_ = {};
    bool witnessed = false;
    std::int64_t time_us = 0;
    const bool whole = read_fields(payload, [&](Key key, simdjson::ondemand::value& field) {
      if (key.is("$type")) return read_kind(field, found);
      if (key.is("did")) return read_did(field, found, event);
      if (key.is("seq")) return read_number(field, event.sequence);
      if (key.is("witnessedAt")) {
        // When the server first saw it; an operator's import can rewrite `time`, but not this.
        witnessed = found.time = true;
        return read_time(field, event.time_us);
      }
      if (key.is("time")) {
        found.time = true;
        return read_time(field, time_us);
      }
      if (key.is("identity")) return read_identity(field, found, event);
      if (key.is("account")) return read_account(field, found, event);
      if (key.is("sync")) return read_sync(field, found);
      if (key.is("name")) return read_optional_text(field, info_name_, [] {});
      return read_commit_field(key, field, found, event);
    });
    if (!whole) return false;
    if (!witnessed) {
      event.time_us = time_us;
    } else if (time_us != event.time_us) {
      event.imported_us = time_us;
    }
    found.commit = true;  // its fields stand in the payload itself
    return true;
  }

  bool read_kind(value& value, Found& found) {
    std::string_view type;
    if (!read_text(value, type)) return false;
    const std::string_view kind = type.substr(std::min(type.size(), type.rfind('#') + 1));
    if (kind == "commit") {
      found.kind = Kind::kCommit;
    } else if (kind == "identity") {
      found.kind = Kind::kIdentity;
    } else if (kind == "account") {
      found.kind = Kind::kAccount;
    } else if (kind == "sync") {
      found.kind = Kind::kSync;
    } else if (kind == "info") {
      found.kind = Kind::kNotice;
    } else {
      found.kind = Kind::kOther;
    }
    return true;
  }

  // Names go to the log, so nothing but letters and digits of them is kept.
  void notify(std::string_view name) {
    notice_.clear();
    for (const char c : name.substr(0, 64)) {
      const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      if (plain) notice_ += c;
    }
    if (notice_.empty()) notice_ = "Unnamed";
    notice_kind_ = Notice::kOther;
    for (const auto& [known, kind] : kNames) {
      if (notice_ == known) notice_kind_ = kind;
    }
  }

  static constexpr std::string_view kUnknownFrame = "UnknownFrame";
  static constexpr std::pair<std::string_view, Notice> kNames[] = {
      {"OutdatedCursor", Notice::kOutdatedCursor},
      {"ConsumerTooSlow", Notice::kConsumerTooSlow},
      {"InternalError", Notice::kInternalError},
      {kUnknownFrame, Notice::kUnknownFrame}};

  std::uint32_t dictionary_id_;
  std::string notice_;
  Notice notice_kind_ = Notice::kOther;
  std::string_view info_name_;
};

}  // namespace

std::unique_ptr<Dialect> make_jetstream_v2(DialectOptions options) {
  return std::make_unique<JetstreamV2>(std::move(options));
}

}  // namespace geotally::feed
