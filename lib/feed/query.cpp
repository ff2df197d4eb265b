#include "feed/query.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include "feed/target.h"

namespace geotally::feed {
namespace {

using Values = std::vector<std::string>;
using Query = std::map<std::string, Values, std::less<>>;

constexpr std::size_t kCollectionsMax = 100;
constexpr std::string_view kPost = "app.bsky.feed.post";
// What countries are found by, beside the posts themselves.
constexpr std::string_view kProfile = "app.bsky.actor.profile";
constexpr std::string_view kLocation = "community.lexicon.location.*";

bool contains(const Values& values, std::string_view one) {
  return std::find(values.begin(), values.end(), one) != values.end();
}

bool is_collection(std::string_view text) {
  if (text.ends_with(".*")) text.remove_suffix(2);
  return text.find('.') != std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '-';
         });
}

// Whether whoever asks for `asked` gets all of `wanted`, both NSIDs or "prefix.*".
bool covers(const Values& asked, std::string_view wanted) {
  return asked.empty() || std::any_of(asked.begin(), asked.end(), [&](std::string_view one) {
           return one.ends_with(".*") ? wanted.starts_with(one.substr(0, one.size() - 1))
                                      : wanted == one;
         });
}

class Check {
 public:
  Check(Query query, const QueryExpectation& expected)
      : query_(std::move(query)),
        expected_(expected),
        v2_(expected.wire == Wire::kJetstreamV2),
        collections_name_(v2_ ? "collections" : "wantedCollections") {}

  std::vector<QueryFinding> run() && {
    foreign();
    cursor();
    compression();
    hello();
    size();
    collections();
    kinds();
    accounts();
    return std::move(findings_);
  }

 private:
  void refuse(std::string_view name, std::string message) {
    findings_.push_back({true, std::string(name), std::move(message)});
  }
  void warn(std::string_view name, std::string message) {
    findings_.push_back({false, std::string(name), std::move(message)});
  }
  const Values* values(std::string_view name) const {
    const auto found = query_.find(name);
    return found == query_.end() ? nullptr : &found->second;
  }
  // The value of a parameter that a server reads once.
  const std::string* single(std::string_view name) {
    const Values* given = values(name);
    if (given == nullptr) return nullptr;
    if (given->size() > 1) refuse(name, "is given more than once");
    return &given->front();
  }

  // v1 ignores what only v2 knows; v2 answers 400 to what only v1 knows.
  void foreign() {
    constexpr std::string_view kOnlyV1[] = {"wantedCollections", "wantedDids", "compress",
                                            "requireHello"};
    constexpr std::string_view kOnlyV2[] = {"collections", "dids", "kinds", "zstdDictionary"};
    for (const std::string_view name : v2_ ? kOnlyV1 : kOnlyV2) {
      if (values(name) == nullptr) continue;
      refuse(name, v2_ ? "is a parameter of jetstream-v1, but feed.wire is jetstream-v2"
                       : "is a parameter of jetstream-v2, but feed.wire is jetstream-v1");
      query_.erase(query_.find(name));
    }
  }

  void cursor() {
    if (values("cursor") == nullptr) return;
    refuse("cursor", "the cursor is the store's own; feed.start says where a new store begins");
  }

  void compression() {
    if (values("zstdDictionary") != nullptr) {
      refuse("zstdDictionary", "with feed.zstd each host is asked for its own dictionary");
    }
    const std::string* given = single("compress");
    if (given != nullptr && *given != (expected_.compress ? "true" : "false")) {
      refuse("compress", expected_.compress
                             ? "contradicts feed.zstd, which is on; leave it out"
                             : "contradicts feed.zstd, which is off: no message could be read");
    }
  }

  void hello() {
    const std::string* given = single("requireHello");
    if (given == nullptr || *given == "false") return;
    refuse("requireHello", "nothing would come: the program sends no hello");
  }

  void size() {
    const std::string* given = single("maxMessageSizeBytes");
    if (given == nullptr) return;
    std::uint64_t bytes = 0;
    const char* const last = given->data() + given->size();
    const auto [end, failed] = std::from_chars(given->data(), last, bytes);
    if (given->empty() || failed != std::errc() || end != last) {
      refuse("maxMessageSizeBytes", "must be a number of bytes, or 0 for no bound");
    } else if (bytes != 0 && bytes < expected_.message_bytes_max) {
      refuse("maxMessageSizeBytes",
             "is below feed.message_bytes_max: longer messages would be missed, and nothing would "
             "count them");
    } else if (bytes != 0) {
      warn("maxMessageSizeBytes",
           "longer messages are not sent, so they are not counted as rejected");
    }
  }

  void collections() {
    const Values* given = values(collections_name_);
    if (given != nullptr) {
      if (!std::all_of(given->begin(), given->end(), is_collection)) {
        return refuse(collections_name_,
                      "each must be a collection, or a prefix such as app.bsky.*");
      }
      if (given->size() > kCollectionsMax)
        return refuse(collections_name_, "at most 100 are taken");
    }
    const Values& asked = given != nullptr ? *given : expected_.collections;
    if (!covers(asked, kPost)) {
      if (given == nullptr) {
        return warn("feed.collections", "leaves out app.bsky.feed.post: no post will be counted");
      }
      if (covers(expected_.collections, kPost)) {
        return refuse(collections_name_,
                      "replaces feed.collections and leaves out app.bsky.feed.post: no post would "
                      "be counted");
      }
      return warn(collections_name_, "leaves out app.bsky.feed.post: no post will be counted");
    }
    if (given == nullptr) return;
    Values wanted = expected_.collections;
    if (wanted.empty())
      wanted = {std::string(kPost), std::string(kProfile), std::string(kLocation)};
    std::string missing;
    for (const std::string& one : wanted) {
      if (!covers(*given, one)) missing += (missing.empty() ? "" : ", ") + one;
    }
    if (!missing.empty()) {
      warn(collections_name_, "replaces feed.collections, and does not ask for " + missing);
    }
  }

  void kinds() {
    const Values* given = values("kinds");
    if (given == nullptr) return;
    for (const std::string& kind : *given) {
      if (kind == "commit" || kind == "identity" || kind == "account" || kind == "sync") continue;
      return refuse("kinds", "each must be one of commit, identity, account, sync");
    }
    if (!contains(*given, "commit")) {
      return refuse("kinds", "leaves out commit: no post would be counted");
    }
    if (!contains(*given, "account")) {
      warn("kinds", "leaves out account: accounts that are gone will go on being counted");
    }
    if (!contains(*given, "identity")) {
      warn("kinds", "leaves out identity: what handles say of a country will be missed");
    }
  }

  void accounts() {
    const std::string_view name = v2_ ? "dids" : "wantedDids";
    const Values* given = values(name);
    if (given == nullptr) return;
    if (!std::all_of(given->begin(), given->end(),
                     [](const std::string& did) { return did.starts_with("did:"); })) {
      return refuse(name, "each must be a DID");
    }
    warn(name, "only " + std::to_string(given->size()) +
                   " accounts are asked for: every figure will be of these alone");
  }

  Query query_;
  const QueryExpectation& expected_;
  const bool v2_;
  const std::string_view collections_name_;
  std::vector<QueryFinding> findings_;
};

}  // namespace

std::vector<QueryFinding> check_query(std::string_view target, const QueryExpectation& expected) {
  Query query;
  for (auto& [name, value] : parameters(target)) query[name].push_back(std::move(value));
  return Check(std::move(query), expected).run();
}

}  // namespace geotally::feed
