// What both wires of Jetstream have in common: commits with their records, identity
// and account events. A wire adds its envelope. Only the two dialects include this.
//
// Key order is never assumed. A record is read when it is met if its collection and
// operation are known by then; otherwise the frame is read a second time, knowing them.
#pragma once

#include <string>
#include <string_view>

#include "feed/dialect.h"
#include "feed/json.h"

namespace geotally::feed {

class Jetstream : public Dialect {
 public:
  explicit Jetstream(DialectOptions options);

  [[nodiscard]] Verdict decode(Frame frame, Event& event) final;
  [[nodiscard]] Rejection rejection() const final { return rejection_; }

 protected:
  enum class Kind : std::uint8_t { kMissing, kCommit, kIdentity, kAccount, kSync, kOther, kNotice };
  /// kPerson: community.lexicon.actor.profile.
  enum class Collection : std::uint8_t { kPost, kProfile, kPerson, kAddress, kOther };
  enum class Operation : std::uint8_t { kCreate, kUpdate, kDelete, kOther };

  /// What one pass over a frame found.
  struct Found {
    Kind kind = Kind::kMissing;
    bool did = false;
    bool time = false;
    bool foreign = false;  // an envelope of another dialect: uncounted, not broken
    // Commit.
    bool commit = false;
    std::string_view collection, operation, rkey, rev;
    bool has_collection = false, has_operation = false, has_rkey = false, has_rev = false;
    bool record = false;
    bool record_skipped = false;  // met before we knew what it is
    // Identity, account.
    bool identity = false, account = false, sync = false;
    bool upstream_time = false;
    bool active = false, has_active = false;
    std::string_view status;
  };

  /// Reads the envelope: calls the readers below for what it finds. False = rejected.
  [[nodiscard]] virtual bool read_envelope(Object& root, Found& found, Event& event) = 0;

  /// A field of a commit; any other is passed over.
  [[nodiscard]] bool read_commit_field(Key key, simdjson::ondemand::value& value, Found& found,
                                       Event& event);
  [[nodiscard]] bool read_identity(simdjson::ondemand::value& value, Found& found, Event& event);
  [[nodiscard]] bool read_account(simdjson::ondemand::value& value, Found& found, Event& event);
  [[nodiscard]] bool read_sync(simdjson::ondemand::value& value, Found& found);
  [[nodiscard]] bool read_did(simdjson::ondemand::value& value, Found& found, Event& event);

  /// Calls each(Key, value&) -> bool for every field of `object`. False = rejected: by `each`, or
  /// because there is no object or it is broken.
  ///
  /// Nothing of simdjson's is copied here: a copy of what was just written member by member waits
  /// until every store before it has reached the cache, which was a tenth of the thread's time.
  template <typename Each>
  [[nodiscard]] bool read_fields(Object& object, Each each) {
    if (const auto failed = object.error()) return reject(failed);
    for (auto result : object.value_unsafe()) {
      if (const auto failed = result.error()) return reject(failed);
      auto& field = result.value_unsafe();
      if (!each(Key(field.key()), field.value())) return false;
    }
    return true;
  }
  [[nodiscard]] bool read_text(simdjson::ondemand::value& value, std::string_view& text);
  /// A text that may be missing: null and every other type leave `text` empty; for the latter odd()
  /// is called. False = broken JSON, or a string that is no text.
  template <typename Odd>
  [[nodiscard]] bool read_optional_text(simdjson::ondemand::value& value, std::string_view& text,
                                        Odd odd) {
    simdjson::ondemand::json_type type{};
    if (const auto failed = value.type().get(type)) return reject(failed);
    if (type == simdjson::ondemand::json_type::string) return read_text(value, text);
    text = {};
    if (type != simdjson::ondemand::json_type::null) odd();
    return true;
  }
  /// The same, where what is odd is noted as a field that `event` does without.
  [[nodiscard]] bool read_optional_text(simdjson::ondemand::value& value, std::string_view& text,
                                        EventField field, Event& event);
  [[nodiscard]] bool read_number(simdjson::ondemand::value& value, std::uint64_t& number);
  [[nodiscard]] bool read_time(simdjson::ondemand::value& value, std::int64_t& time_us);

  bool reject(Rejection reason) {
    rejection_ = reason;
    return false;
  }
  bool reject(simdjson::error_code error) { return reject(to_rejection(error)); }

  const DialectOptions options_;

 private:
  [[nodiscard]] bool pass(std::string_view text, Found& found, Event& event);
  [[nodiscard]] bool read_record(simdjson::ondemand::value& value, Collection collection,
                                 Event& event);
  [[nodiscard]] bool read_post(Object& record, Event& event);
  [[nodiscard]] bool read_languages(simdjson::ondemand::value& value, Event& event);
  [[nodiscard]] bool read_profile(Object& record, Event& event);
  [[nodiscard]] bool read_person(Object& record, Event& event);
  [[nodiscard]] bool read_address(Object& address, Event& event);
  [[nodiscard]] Verdict finish(const Found& found, Event& event);
  [[nodiscard]] Verdict finish_commit(const Found& found, Event& event);
  [[nodiscard]] Verdict finish_account(const Found& found, Event& event);
  [[nodiscard]] Verdict finish_sync(const Found& found, Event& event);
  Verdict refuse(Rejection reason) {
    rejection_ = reason;
    return Verdict::kRejected;
  }
  [[nodiscard]] static Collection classify(std::string_view collection);
  [[nodiscard]] static Operation classify_operation(std::string_view operation);

  simdjson::ondemand::parser parser_;
  Rejection rejection_ = Rejection::kMalformed;
  // Of the second pass: what the first found out.
  bool second_pass_ = false;
  Collection known_collection_ = Collection::kOther;
  Operation known_operation_ = Operation::kOther;
};

}  // namespace geotally::feed
