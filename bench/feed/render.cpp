#include "feed/render.h"

#include <algorithm>
#include <array>

#include "feed/random.h"
#include "feed/text.h"

namespace geotally::feedgen {
namespace {

constexpr std::string_view kPostCollection = "app.bsky.feed.post";
constexpr std::string_view kAddressCollection = "community.lexicon.location.address";
constexpr std::string_view kPersonCollection = "community.lexicon.actor.profile";
constexpr std::size_t kTextMax = 2900;  // the lexicon allows 3,000 bytes

/// Words of no language and digits, from which texts are cut. Nobody can take a place,
/// a name or a language from them.
constexpr std::size_t kFillSize = 8192;
constexpr std::array<char, kFillSize> fill(bool digits) {
  std::array<char, kFillSize> text{};
  Random random(digits ? 2 : 1);
  constexpr std::string_view kLetters = "qwxzvjkq";
  std::size_t word = 0;
  for (char& c : text) {
    if (word == 0) {
      word = 2 + random.below(6);
      c = ' ';
    } else {
      --word;
      c = digits ? static_cast<char>('0' + random.below(10)) : kLetters[random.below(8)];
    }
  }
  return text;
}
constexpr std::array<char, kFillSize> kWords = fill(false);
constexpr std::array<char, kFillSize> kDigits = fill(true);

/// How long before the server an account's own host wrote the commit. Constant for an
/// account, so that its revisions rise as its events do.
std::int64_t delay_us(std::uint32_t account) {
  return 60'000 + static_cast<std::int64_t>(mix(account) % 800'000);
}

std::int64_t revision_us(const Entry& entry) {
  return entry.time_us - entry.tie - delay_us(entry.account);
}

/// The record key, as a time, that an account's record of that moment has.
std::int64_t key_us(std::int64_t time_us, std::uint32_t account) {
  return time_us - delay_us(account) - 20'000;
}

std::uint32_t clock_of(std::uint32_t account) {
  return static_cast<std::uint32_t>(mix(account) >> 40 & 1023);
}

bool refers_to_own(EntryKind kind) {
  return kind == EntryKind::kPostDelete || kind == EntryKind::kPostUpdate ||
         kind == EntryKind::kLikeDelete || kind == EntryKind::kAddressUpdate ||
         kind == EntryKind::kAddressDelete;
}

/// Of which an account has one.
bool is_own(EntryKind kind) {
  return kind == EntryKind::kProfile || kind == EntryKind::kProfileUpdate ||
         kind == EntryKind::kPerson || kind == EntryKind::kPersonUpdate ||
         kind == EntryKind::kPersonDelete;
}

char* put_key(char* out, const Entry& entry) {
  if (is_own(entry.kind)) return put(out, "self");
  const std::int64_t time_us = refers_to_own(entry.kind) ? entry.ref_us : entry.time_us;
  return put_tid(out, key_us(time_us, entry.account), clock_of(entry.account));
}

bool is_account(EntryKind kind) { return kind >= EntryKind::kActive; }

std::string_view status_of(EntryKind kind) {
  switch (kind) {
    case EntryKind::kTakendown:
      return "takendown";
    case EntryKind::kSuspended:
      return "suspended";
    case EntryKind::kDeactivated:
      return "deactivated";
    case EntryKind::kDeleted:
      return "deleted";
    case EntryKind::kDesynchronized:
      return "desynchronized";
    case EntryKind::kThrottled:
      return "throttled";
    default:
      return {};
  }
}

std::int64_t upstream_sequence(const Entry& entry) { return entry.time_us % 100'000'000'000'000; }

}  // namespace

std::string_view collection_of(EntryKind kind) {
  switch (kind) {
    case EntryKind::kPost:
    case EntryKind::kReply:
    case EntryKind::kPostUpdate:
    case EntryKind::kPostDelete:
      return kPostCollection;
    case EntryKind::kLike:
    case EntryKind::kLikeDelete:
      return "app.bsky.feed.like";
    case EntryKind::kRepost:
      return "app.bsky.feed.repost";
    case EntryKind::kFollow:
      return "app.bsky.graph.follow";
    case EntryKind::kForeign:
      return "example.made.up.thing";
    case EntryKind::kProfile:
    case EntryKind::kProfileUpdate:
      return "app.bsky.actor.profile";
    case EntryKind::kAddress:
    case EntryKind::kAddressUpdate:
    case EntryKind::kAddressDelete:
      return kAddressCollection;
    case EntryKind::kPerson:
    case EntryKind::kPersonUpdate:
    case EntryKind::kPersonDelete:
      return kPersonCollection;
    default:
      return {};
  }
}

std::string_view operation_of(EntryKind kind) {
  switch (kind) {
    case EntryKind::kPostDelete:
    case EntryKind::kLikeDelete:
    case EntryKind::kAddressDelete:
    case EntryKind::kPersonDelete:
      return "delete";
    case EntryKind::kPostUpdate:
    case EntryKind::kProfileUpdate:
    case EntryKind::kAddressUpdate:
    case EntryKind::kPersonUpdate:
      return "update";
    default:
      return "create";
  }
}

std::string_view hint_name(Hint hint) {
  constexpr std::array<std::string_view, 5> kNames = {"none", "language", "region", "flag",
                                                      "address"};
  return kNames[static_cast<std::size_t>(hint)];
}

std::string Renderer::did(std::uint32_t account) const {
  std::array<char, kDidSize> text{};
  put_did(text.data(), seed_, account);
  return {text.data(), text.size()};
}

char* Renderer::render(char* out, Wire wire, const Entry& entry, std::int64_t shown_us,
                       std::uint64_t sequence) const {
  return wire == Wire::kV1 ? put_v1(out, entry, shown_us, sequence)
                           : put_v2(out, entry, shown_us, sequence);
}

char* Renderer::put_v1(char* out, const Entry& entry, std::int64_t shown_us,
                       std::uint64_t sequence) const {
  out = put(out, R"({"did":")");
  out = put_did(out, seed_, entry.account);
  out = put(out, R"(","time_us":)");
  out = put_number(out, shown_us);
  const std::string_view collection = collection_of(entry.kind);
  if (collection.empty()) {
    out = put(out, is_account(entry.kind) ? R"(,"kind":"account","account":)"
                                          : R"(,"kind":"identity","identity":)");
    out = put_upstream(out, entry);
  } else {
    out = put(out, R"(,"kind":"commit","commit":{"rev":")");
    out = put_tid(out, revision_us(entry), clock_of(entry.account));
    out = put(out, R"(","operation":")");
    const std::string_view operation = operation_of(entry.kind);
    out = put(out, operation);
    out = put(out, R"(","collection":")");
    out = put(out, collection);
    out = put(out, R"(","rkey":")");
    out = put_key(out, entry);
    out = put(out, '"');
    if (operation != "delete") {
      out = put(out, R"(,"record":)");
      out = put_record(out, entry);
      out = put(out, R"(,"cid":")");
      out = put_cid(out, static_cast<std::uint64_t>(entry.time_us) + seed_);
      out = put(out, '"');
    }
    out = put(out, '}');
  }
  if (options_.sequence_field) {
    out = put(out, R"(,"cursor":)");
    out = put_number(out, static_cast<std::int64_t>(sequence));
  }
  return put(out, '}');
}

char* Renderer::put_v2(char* out, const Entry& entry, std::int64_t shown_us,
                       std::uint64_t sequence) const {
  out =
      put(out, R"({"$type":"message","payload":{"$type":"network.bsky.jetstream.subscribeEvents#)");
  const std::string_view collection = collection_of(entry.kind);
  if (collection.empty()) {
    const bool account = is_account(entry.kind);
    out = put(out, account ? R"(account","account":)" : R"(identity",)");
    if (account) {
      out = put_upstream(out, entry);
      out = put(out, ',');
    }
    out = put(out, R"("did":")");
    out = put_did(out, seed_, entry.account);
    out = put(out, '"');
    if (!account) {
      out = put(out, R"(,"identity":)");
      out = put_upstream(out, entry);
    }
  } else {
    const std::string_view operation = operation_of(entry.kind);
    out = put(out, R"(commit",)");
    if (operation != "delete") {
      out = put(out, R"("cid":")");
      out = put_cid(out, static_cast<std::uint64_t>(entry.time_us) + seed_);
      out = put(out, R"(",)");
    }
    out = put(out, R"("collection":")");
    out = put(out, collection);
    out = put(out, R"(","did":")");
    out = put_did(out, seed_, entry.account);
    out = put(out, R"(","operation":")");
    out = put(out, operation);
    if (operation != "delete") {
      out = put(out, R"(","record":)");
      out = put_record(out, entry);
      out = put(out, R"(,"rev":")");
    } else {
      out = put(out, R"(","rev":")");
    }
    out = put_tid(out, revision_us(entry), clock_of(entry.account));
    out = put(out, R"(","rkey":")");
    out = put_key(out, entry);
    out = put(out, '"');
  }
  out = put(out, R"(,"seq":)");
  out = put_number(out, static_cast<std::int64_t>(sequence));
  if (options_.v2_time != V2Time::kWitnessedOnly) {
    out = put(out, R"(,"time":")");
    // A display time: an import may have rewritten it. Where both are sent, this one is wrong.
    const std::int64_t error_us = options_.v2_time == V2Time::kBoth ? 90'000'000 : 0;
    out = put_time(out, shown_us - error_us, 6);
    out = put(out, '"');
  }
  if (options_.v2_time != V2Time::kTime) {
    out = put(out, R"(,"witnessedAt":")");
    out = put_time(out, shown_us, 6);
    out = put(out, '"');
  }
  return put(out, "}}");
}

char* Renderer::put_upstream(char* out, const Entry& entry) const {
  out = put(out, '{');
  if (is_account(entry.kind)) {
    out = put(out, entry.kind == EntryKind::kActive ? R"("active":true,)" : R"("active":false,)");
  }
  out = put(out, R"("did":")");
  out = put_did(out, seed_, entry.account);
  if (entry.kind == EntryKind::kHandle) {
    out = put(out, R"(","handle":"q)");
    out = put_number(out, entry.account);
    out = put(out, ".zxq.example");
  }
  out = put(out, R"(","seq":)");
  out = put_number(out, upstream_sequence(entry));
  const std::string_view status = status_of(entry.kind);
  if (!status.empty()) {
    out = put(out, R"(,"status":")");
    out = put(out, status);
    out = put(out, '"');
  }
  out = put(out, R"(,"time":")");
  out = put_time(out, revision_us(entry), 3);
  return put(out, R"("})");
}

char* Renderer::put_subject(char* out, const Entry& entry) const {
  out = put(out, R"({"cid":")");
  out = put_cid(out, static_cast<std::uint64_t>(entry.ref_us) + seed_);
  out = put(out, R"(","uri":"at://)");
  out = put_did(out, seed_, entry.ref_account);
  out = put(out, "/app.bsky.feed.post/");
  out = put_tid(out, key_us(entry.ref_us, entry.ref_account), clock_of(entry.ref_account));
  return put(out, R"("})");
}

char* Renderer::put_text(char* out, const Entry& entry) const {
  const std::uint64_t draw = mix(static_cast<std::uint64_t>(entry.time_us));
  std::size_t size = 30 + draw % 200;
  if (options_.frame_bytes > 0) {
    // What a v1 frame has beside its text, nearly.
    const std::size_t rest = entry.kind == EntryKind::kReply ? 720 : 420;
    size = options_.frame_bytes > rest + 10 ? options_.frame_bytes - rest : 10;
  }
  size = std::min(size, kTextMax);
  const auto& source = entry.says_language ? kWords : kDigits;
  const std::size_t from = draw % (kFillSize - kTextMax);
  return put(out, std::string_view(source.data() + from, size));
}

char* Renderer::put_country(char* out, const Entry& entry, std::uint64_t draw) const {
  const std::string_view code = countries_[entry.country].code;
  if (draw % 4 == 0) {  // case must not matter
    out = put(out, static_cast<char>(code[0] - 'A' + 'a'));
    return put(out, static_cast<char>(code[1] - 'A' + 'a'));
  }
  out = put(out, code);
  return draw % 4 == 1 ? put(out, "-1") : out;  // some name a part of it, as ISO 3166-2 does
}

char* Renderer::put_record(char* out, const Entry& entry) const {
  const std::uint64_t draw = mix(static_cast<std::uint64_t>(entry.time_us) + seed_);
  out = put(out, R"({"$type":")");
  out = put(out, collection_of(entry.kind));
  if (entry.kind == EntryKind::kAddress || entry.kind == EntryKind::kAddressUpdate) {
    out = put(out, R"(","country":")");
    out = put_country(out, entry, draw);
    return put(out, R"("})");
  }
  if (entry.kind == EntryKind::kPerson || entry.kind == EntryKind::kPersonUpdate) {
    out = put(out, R"(","address":{"$type":")");
    out = put(out, kAddressCollection);
    out = put(out, R"(","country":")");
    out = put_country(out, entry, draw);
    return put(out, R"(","locality":"qzx"},"displayName":"zvq"})");
  }
  out = put(out, R"(","createdAt":")");
  if (draw % 128 == 0) {  // authors may say what they like
    out = put(out, draw % 256 == 0 ? "2014-02-03T04:05:06.000Z" : "2099-12-31T23:59:59.999Z");
  } else {
    out = put_time(out, revision_us(entry) - 200'000, 3);
  }
  out = put(out, '"');
  switch (entry.kind) {
    case EntryKind::kPost:
    case EntryKind::kReply:
    case EntryKind::kPostUpdate:
      if (entry.says_language) {
        const CountryShare& country = countries_[entry.language];
        out = put(out, R"(,"langs":[")");
        out = put(out, country.language);
        if (entry.hint == Hint::kRegion) {
          out = put(out, '-');
          out = put(out, country.code);
        }
        out = put(out, R"("])");
      }
      if (entry.kind == EntryKind::kReply) {
        out = put(out, R"(,"reply":{"parent":)");
        const char* const subject = out;
        out = put_subject(out, entry);
        const std::string_view same(subject, static_cast<std::size_t>(out - subject));
        out = put(out, R"(,"root":)");
        out = put(out, same);
        out = put(out, '}');
      }
      out = put(out, R"(,"text":")");
      out = put_text(out, entry);
      out = put(out, '"');
      break;
    case EntryKind::kLike:
    case EntryKind::kRepost:
      out = put(out, R"(,"subject":)");
      out = put_subject(out, entry);
      break;
    case EntryKind::kFollow:
      out = put(out, R"(,"subject":")");
      out = put_did(out, seed_, entry.ref_account);
      out = put(out, '"');
      break;
    case EntryKind::kProfile:
    case EntryKind::kProfileUpdate:
      out = put(out, R"(,"description":"qzu xqo)");
      if (entry.hint == Hint::kFlag) {
        out = put(out, ' ');
        out = put_flag(out, countries_[entry.country].code);
      }
      out = put(out, R"( wqv","displayName":"zvq )");
      out = put_number(out, entry.account);
      out = put(out, '"');
      break;
    default:
      out = put(out, R"(,"note":"qwx zvq")");
      break;
  }
  return put(out, '}');
}

void Renderer::log_line(std::string& log, const Entry& entry, std::int64_t shown_us,
                        std::uint64_t number, bool lost) const {
  std::array<char, 512> line{};
  char* out = put(line.data(), R"({"n":)");
  out = put_number(out, static_cast<std::int64_t>(number));
  out = put(out, R"(,"time_us":)");
  out = put_number(out, shown_us);
  out = put(out, R"(,"did":")");
  out = put_did(out, seed_, entry.account);
  const std::string_view collection = collection_of(entry.kind);
  if (!collection.empty()) {
    out = put(out, R"(","kind":"commit","rev":")");
    out = put_tid(out, revision_us(entry), clock_of(entry.account));
    out = put(out, R"(","op":")");
    out = put(out, operation_of(entry.kind));
    out = put(out, R"(","collection":")");
    out = put(out, collection);
    out = put(out, R"(","rkey":")");
    out = put_key(out, entry);
    out = put(out, '"');
    if (entry.hint != Hint::kNone) {
      out = put(out, R"(,"country_evidence":{"kind":")");
      out = put(out, hint_name(entry.hint));
      out = put(out, R"(","country":")");
      out = put(out, countries_[entry.country].code);
      out = put(out, R"("})");
    }
  } else if (is_account(entry.kind)) {
    out = put(out, R"(","kind":"account","active":)");
    out = put(out, entry.kind == EntryKind::kActive ? "true" : "false");
    const std::string_view status = status_of(entry.kind);
    if (!status.empty()) {
      out = put(out, R"(,"status":")");
      out = put(out, status);
      out = put(out, '"');
    }
  } else {
    out = put(out, R"(","kind":"identity")");
  }
  if (lost) out = put(out, R"(,"lost":true)");
  out = put(out, "}\n");
  log.append(line.data(), out);
}

}  // namespace geotally::feedgen
