#include "feed/jetstream.h"

#include <bit>
#include <cstring>

// A call would take as long as to hash something that short.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "feed/rfc3339.h"
#include "feed/tid.h"

namespace geotally::feed {

using simdjson::ondemand::value;

namespace {

// Most frames are below 2 KB; the parser grows with the first larger one and stays.
constexpr std::size_t kParserBytes = 64 * 1024;
constexpr std::size_t kDidBytesMax = 2048;  // atproto.com/specs/did

std::uint64_t hash(std::string_view text, std::uint64_t seed) {
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

}  // namespace

Jetstream::Jetstream(DialectOptions options) : options_(std::move(options)) {
  if (parser_.allocate(kParserBytes) != simdjson::SUCCESS) throw std::bad_alloc();
}

Jetstream::Collection Jetstream::classify(std::string_view collection) {
  if (collection == "app.bsky.feed.post") return Collection::kPost;
  if (collection == "app.bsky.actor.profile") return Collection::kProfile;
  if (collection == "community.lexicon.actor.profile") return Collection::kPerson;
  if (collection == "community.lexicon.location.address") return Collection::kAddress;
  return Collection::kOther;
}

Jetstream::Operation Jetstream::classify_operation(std::string_view operation) {
  if (operation == "create") return Operation::kCreate;
  if (operation == "update") return Operation::kUpdate;
  if (operation == "delete") return Operation::kDelete;
  return Operation::kOther;
}

Verdict Jetstream::decode(Frame frame, Event& event) {
  if (deeper_than(frame.text, options_.depth_max)) return refuse(Rejection::kTooDeep);
  second_pass_ = false;
  Found found;
  event = Event{};
  if (!pass(frame.text, found, event)) return Verdict::kRejected;
  if (found.record_skipped && found.has_collection && found.has_operation) {
    known_collection_ = classify(found.collection);
    known_operation_ = classify_operation(found.operation);
    second_pass_ = true;
    found = Found{};
    event = Event{};
    if (!pass(frame.text, found, event)) return Verdict::kRejected;
  }
  return finish(found, event);
}

bool Jetstream::pass(std::string_view text, Found& found, Event& event) {
  if (text.size() > parser_.capacity()) {
    if (const auto failed = parser_.allocate(std::bit_ceil(text.size()))) return reject(failed);
  }
  const simdjson::padded_string_view padded(text.data(), text.size(), text.size() + kFramePadding);
  auto document = parser_.iterate(padded);
  Object root = document.get_object();
  if (const auto failed = root.error()) {
    // JSON that is no object is no field of the wrong type.
    return reject(failed == simdjson::INCORRECT_TYPE ? Rejection::kMalformed
                                                     : to_rejection(failed));
  }
  if (!read_envelope(root, found, event)) return false;
  // Only the end of the document has no location: anything else follows the object.
  return document.current_location().error() == simdjson::OUT_OF_BOUNDS ||
         reject(Rejection::kMalformed);
}

// Stage 1 has checked UTF-8 and control characters in the whole frame, so a string without
// escapes is taken as it stands there. Only escapes need simdjson's copy.
bool Jetstream::read_text(value& value, std::string_view& text) {
  std::string_view token = value.raw_json_token();
  if (token.empty() || token[0] != '"') return reject(Rejection::kInvalidField);
  while (token.back() != '"') token.remove_suffix(1);  // white space before what follows
  if (token.size() < 2) return reject(Rejection::kMalformed);
  text = token.substr(1, token.size() - 2);
  if (std::memchr(text.data(), '\\', text.size()) == nullptr) return true;
  const auto failed = value.get_string().get(text);
  return failed == simdjson::SUCCESS || reject(failed);
}

bool Jetstream::read_optional_text(value& value, std::string_view& text, EventField field,
                                   Event& event) {
  return read_optional_text(value, text, [&] { event.ignore(field); });
}

bool Jetstream::read_number(value& value, std::uint64_t& number) {
  const auto failed = value.get_uint64().get(number);
  return failed == simdjson::SUCCESS || reject(Rejection::kInvalidField);
}

bool Jetstream::read_time(value& value, std::int64_t& time_us) {
  std::string_view text;
  if (!read_text(value, text)) return false;
  return parse_rfc3339(text, time_us) || reject(Rejection::kInvalidField);
}

bool Jetstream::read_did(value& value, Found& found, Event& event) {
  if (!read_text(value, event.did)) return false;
  if (!event.did.starts_with("did:") || event.did.size() > kDidBytesMax) {
    return reject(Rejection::kInvalidField);
  }
  found.did = true;
  return true;
}

bool Jetstream::read_commit_field(Key key, value& value, Found& found, Event& event) {
  if (key.is("rev")) {
    found.has_rev = true;
    return read_text(value, found.rev);
  }
  if (key.is("operation")) {
    found.has_operation = true;
    return read_text(value, found.operation);
  }
  if (key.is("collection")) {
    found.has_collection = true;
    return read_text(value, found.collection);
  }
  if (key.is("rkey")) {
    found.has_rkey = true;
    return read_text(value, found.rkey);
  }
  if (key.is("record")) {
    found.record = true;
    Collection collection = known_collection_;
    Operation operation = known_operation_;
    if (!second_pass_) {
      if (!found.has_collection || !found.has_operation) {
        found.record_skipped = true;
        return true;
      }
      collection = classify(found.collection);
      operation = classify_operation(found.operation);
    }
    if (collection == Collection::kOther) return true;
    if (operation != Operation::kCreate && operation != Operation::kUpdate) return true;
    return read_record(value, collection, event);
  }
  return true;
}

bool Jetstream::read_record(value& value, Collection collection, Event& event) {
  Object record = value.get_object();
  switch (collection) {
    case Collection::kPost:
      return read_post(record, event);
    case Collection::kProfile:
      return read_profile(record, event);
    case Collection::kPerson:
      return read_person(record, event);
    case Collection::kAddress:
      return read_address(record, event);
    case Collection::kOther:
      break;
  }
  return true;
}

bool Jetstream::read_post(Object& record, Event& event) {
  return read_fields(record, [&](Key key, value& value) {
    if (key.is("text")) return read_optional_text(value, event.text, EventField::kText, event);
    if (key.is("createdAt")) {
      return read_optional_text(value, event.created_at, EventField::kCreatedAt, event);
    }
    if (key.is("langs")) return read_languages(value, event);
    if (key.is("reply")) {
      simdjson::ondemand::json_type type{};
      if (const auto broken = value.type().get(type)) return reject(broken);
      event.reply = type == simdjson::ondemand::json_type::object;
      if (!event.reply && type != simdjson::ondemand::json_type::null) {
        event.ignore(EventField::kReply);
      }
    }
    return true;
  });
}

bool Jetstream::read_languages(value& value, Event& event) {
  simdjson::ondemand::json_type type{};
  event.language_count = 0;
  auto languages = value.get_array();
  if (languages.error() == simdjson::INCORRECT_TYPE) {
    if (const auto failed = value.type().get(type)) return reject(failed);
    if (type != simdjson::ondemand::json_type::null) event.ignore(EventField::kLangs);
    return true;
  }
  if (const auto failed = languages.error()) return reject(failed);
  for (auto language : languages.value_unsafe()) {
    if (const auto failed = language.error()) return reject(failed);
    if (const auto failed = language.value_unsafe().type().get(type)) return reject(failed);
    if (type != simdjson::ondemand::json_type::string) {
      event.ignore(EventField::kLangs);
      continue;
    }
    std::string_view text;
    if (!read_text(language.value_unsafe(), text)) return false;
    if (event.language_count < Event::kLanguagesMax) {
      event.languages[event.language_count++] = text;
    }
  }
  return true;
}

bool Jetstream::read_profile(Object& record, Event& event) {
  return read_fields(record, [&](Key key, value& value) {
    if (key.is("displayName")) {
      return read_optional_text(value, event.display_name, EventField::kDisplayName, event);
    }
    if (key.is("description")) {
      return read_optional_text(value, event.description, EventField::kDescription, event);
    }
    if (key.is("website")) {
      return read_optional_text(value, event.website, EventField::kWebsite, event);
    }
    if (key.is("createdAt")) {
      return read_optional_text(value, event.created_at, EventField::kCreatedAt, event);
    }
    return true;
  });
}

// Source: lexicon-community/lexicon, proposal 34: the address is an object of its own inside.
bool Jetstream::read_person(Object& record, Event& event) {
  return read_fields(record, [&](Key key, value& value) {
    if (!key.is("address")) return true;
    event.country = {};
    simdjson::ondemand::json_type type{};
    if (const auto broken = value.type().get(type)) return reject(broken);
    if (type == simdjson::ondemand::json_type::object) {
      Object address = value.get_object();
      return read_address(address, event);
    }
    if (type != simdjson::ondemand::json_type::null) event.ignore(EventField::kAddress);
    return true;
  });
}

bool Jetstream::read_address(Object& address, Event& event) {
  return read_fields(address, [&](Key key, value& value) {
    return key.is("country")
               ? read_optional_text(value, event.country, EventField::kCountry, event)
               : true;
  });
}

bool Jetstream::read_identity(value& value, Found& found, Event& event) {
  Object identity = value.get_object();
  found.identity = true;
  return read_fields(identity, [&](Key key, simdjson::ondemand::value& field) {
    if (key.is("seq")) return read_number(field, event.upstream_sequence);
    if (key.is("time")) return found.upstream_time = read_time(field, event.upstream_time_us);
    if (key.is("handle")) {
      return read_optional_text(field, event.handle, EventField::kHandle, event);
    }
    return true;
  });
}

bool Jetstream::read_account(value& value, Found& found, Event& event) {
  Object account = value.get_object();
  found.account = true;
  return read_fields(account, [&](Key key, simdjson::ondemand::value& field) {
    if (key.is("seq")) return read_number(field, event.upstream_sequence);
    if (key.is("time")) return found.upstream_time = read_time(field, event.upstream_time_us);
    if (key.is("status")) {
      return read_optional_text(field, found.status, EventField::kStatus, event);
    }
    if (key.is("active")) {
      found.has_active = true;
      return field.get_bool().get(found.active) == simdjson::SUCCESS ||
             reject(Rejection::kInvalidField);
    }
    return true;
  });
}

bool Jetstream::read_sync(value& value, Found& found) {
  Object sync = value.get_object();
  found.sync = true;
  return read_fields(sync, [&](Key key, simdjson::ondemand::value& field) {
    if (!key.is("rev")) return true;
    found.has_rev = true;
    return read_text(field, found.rev);
  });
}

Verdict Jetstream::finish(const Found& found, Event& event) {
  if (found.kind == Kind::kNotice) return Verdict::kNotice;
  if (!found.did || !found.time) return refuse(Rejection::kMissingField);
  switch (found.kind) {
    case Kind::kCommit:
      return finish_commit(found, event);
    case Kind::kIdentity:
      if (!found.identity || !found.upstream_time) return refuse(Rejection::kMissingField);
      event.kind = EventKind::kIdentity;
      event.discriminator =
          hash(event.handle,
               event.upstream_sequence * 31 + static_cast<std::uint64_t>(event.upstream_time_us));
      return Verdict::kEvent;
    case Kind::kAccount:
      return finish_account(found, event);
    case Kind::kSync:
      return finish_sync(found, event);
    case Kind::kMissing:
      if (!found.foreign) return refuse(Rejection::kMissingField);
      break;
    default:
      break;
  }
  // Nothing says what makes an event of an unknown kind unique: its number must do.
  event.discriminator = hash("unknown", event.sequence);
  return Verdict::kUncounted;
}

Verdict Jetstream::finish_commit(const Found& found, Event& event) {
  if (!found.commit || !found.has_operation || !found.has_collection || !found.has_rkey) {
    return refuse(Rejection::kMissingField);
  }
  const std::uint64_t record = hash(found.rkey, hash(found.collection, 0));
  event.discriminator = hash(found.operation, record);
  event.revision = parse_tid(found.rev);
  const Collection collection = classify(found.collection);
  const Operation operation = classify_operation(found.operation);
  const bool written = operation == Operation::kCreate || operation == Operation::kUpdate;
  const bool counted = operation != Operation::kOther && collection != Collection::kOther &&
                       !(collection == Collection::kPost && operation == Operation::kUpdate) &&
                       !((collection == Collection::kProfile || collection == Collection::kPerson) &&
                         found.rkey != "self");
  if (!counted) {
    // A revision of a shape that we do not know must still tell its events apart.
    if (event.revision == 0) event.discriminator = hash(found.rev, event.discriminator);
    return Verdict::kUncounted;
  }
  if (!found.has_rev || (written && !found.record)) return refuse(Rejection::kMissingField);
  if (event.revision == 0) return refuse(Rejection::kInvalidField);
  event.created = operation == Operation::kCreate;
  switch (collection) {
    case Collection::kPost:
      event.record_key = parse_tid(found.rkey);
      event.kind = written ? EventKind::kPost : EventKind::kPostDelete;
      break;
    case Collection::kProfile:
      event.kind = written ? EventKind::kProfile : EventKind::kProfileDelete;
      break;
    default:
      // Stores know addresses by the rkey alone, from when they came from one collection only.
      event.record_key = collection == Collection::kPerson ? record : hash(found.rkey, 0);
      event.kind = written ? EventKind::kAddress : EventKind::kAddressDelete;
      break;
  }
  return Verdict::kEvent;
}

Verdict Jetstream::finish_sync(const Found& found, Event& event) {
  if (!found.sync || !found.has_rev) return refuse(Rejection::kMissingField);
  event.revision = parse_tid(found.rev);
  if (event.revision == 0) return refuse(Rejection::kInvalidField);
  event.kind = EventKind::kSync;
  event.discriminator = hash("sync", 0);
  return Verdict::kEvent;
}

Verdict Jetstream::finish_account(const Found& found, Event& event) {
  if (!found.account || !found.has_active || !found.upstream_time) {
    return refuse(Rejection::kMissingField);
  }
  event.kind = EventKind::kAccount;
  if (found.active) {
    event.status = AccountStatus::kActive;
  } else if (found.status == "desynchronized" || found.status == "throttled") {
    event.status = AccountStatus::kHostTrouble;
  } else if (found.status == "deleted") {
    event.status = AccountStatus::kDeleted;
  } else {
    event.status = AccountStatus::kGone;
  }
  event.discriminator = hash(found.status, event.upstream_sequence * 31 +
                                               static_cast<std::uint64_t>(event.upstream_time_us)) ^
                        (found.active ? 1U : 2U);
  return Verdict::kEvent;
}

}  // namespace geotally::feed
