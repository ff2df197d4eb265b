// Jetstream v1: {"did":…,"time_us":…,"kind":"commit","commit":{…}}.
// Source: bluesky-social/jetstream, README and pkg/models.
#include <string>

#include "feed/jetstream.h"
#include "feed/rfc3339.h"
#include "feed/target.h"

namespace geotally::feed {
namespace {

using simdjson::ondemand::value;

class JetstreamV1 final : public Jetstream {
 public:
  using Jetstream::Jetstream;

  [[nodiscard]] Wire wire() const override { return Wire::kJetstreamV1; }

  [[nodiscard]] std::string target(std::string_view base, const Resume& resume) const override {
    Target target(base);
    if (!target.given("wantedCollections")) {
      for (const auto& one : options_.collections) target.add("wantedCollections", one);
    }
    if (!target.given("wantedDids")) {
      for (const auto& one : options_.dids) target.add("wantedDids", one);
    }
    if (options_.server_bytes_max != 0 && !target.given("maxMessageSizeBytes")) {
      target.add("maxMessageSizeBytes", std::to_string(options_.server_bytes_max));
    }
    if (options_.compress) target.replace("compress", "true");
    if (resume.kind != Resume::Kind::kLive) {
      target.replace("cursor", std::to_string(resume.value));
    }
    return target.text();
  }

 protected:
  bool read_envelope(Object& root, Found& found, Event& event) override {
    return read_fields(root, [&](Key key, value& value) {
      if (key.is("did")) return read_did(value, found, event);
      if (key.is("time_us")) return read_time_us(value, found, event);
      if (key.is("kind")) return read_kind(value, found);
      if (key.is("commit")) return read_commit(value, found, event);
      if (key.is("identity")) return read_identity(value, found, event);
      if (key.is("account")) return read_account(value, found, event);
      if (key.is("cursor")) return read_number(value, event.sequence);
      // The dialect before 1.0 still circulates in archives: {"type":"com",…}.
      if (key.is("type")) found.foreign = true;
      return true;
    });
  }

 private:
  bool read_time_us(value& value, Found& found, Event& event) {
    std::int64_t time_us = 0;
    if (value.get_int64().get(time_us) != simdjson::SUCCESS || time_us <= 0 ||
        time_us > kTimeMax_us) {
      return reject(Rejection::kInvalidField);
    }
    event.time_us = time_us;
    found.time = true;
    return true;
  }

  bool read_kind(value& value, Found& found) {
    std::string_view kind;
    if (!read_text(value, kind)) return false;
    if (kind == "commit") {
      found.kind = Kind::kCommit;
    } else if (kind == "identity") {
      found.kind = Kind::kIdentity;
    } else if (kind == "account") {
      found.kind = Kind::kAccount;
    } else {
      found.kind = Kind::kOther;
    }
    return true;
  }

  bool read_commit(value& value, Found& found, Event& event) {
    Object commit = value.get_object();
    found.commit = true;
    return read_fields(commit, [&](Key key, simdjson::ondemand::value& field) {
      return read_commit_field(key, field, found, event);
    });
  }
};

}  // namespace

std::unique_ptr<Dialect> make_jetstream_v1(DialectOptions options) {
  return std::make_unique<JetstreamV1>(std::move(options));
}

}  // namespace geotally::feed
