#include "feed/script.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <unordered_set>

#include "feed/random.h"

namespace geotally::feedgen {
namespace {

constexpr std::array<std::string_view, 9> kCollections = {"",
                                                          "app.bsky.feed.post",
                                                          "app.bsky.feed.like",
                                                          "app.bsky.feed.repost",
                                                          "app.bsky.graph.follow",
                                                          "example.made.up.thing",
                                                          "app.bsky.actor.profile",
                                                          "community.lexicon.actor.profile",
                                                          "community.lexicon.location.address"};

Script::Label label_of(EntryKind kind) {
  const std::string_view name = collection_of(kind);
  const auto found = std::find(kCollections.begin(), kCollections.end(), name);
  return static_cast<Script::Label>(found - kCollections.begin());
}

/// Posts without evidence and what is not counted: their order among an account's events is free.
bool is_free(const Entry& entry) {
  switch (entry.kind) {
    case EntryKind::kPost:
    case EntryKind::kReply:
    case EntryKind::kPostDelete:
      return true;
    default:
      return entry.kind >= EntryKind::kPostUpdate && entry.kind <= EntryKind::kForeign;
  }
}

/// What worlds and floods have in common.
class EntryScript : public Script {
 public:
  EntryScript(std::span<const CountryShare> countries, std::uint64_t seed, RenderOptions options)
      : renderer_(countries, seed, options), room_(Renderer::kRoom + options.frame_bytes) {
    for (std::size_t i = 0; i < labels_.size(); ++i) labels_[i] = label_of(EntryKind(i));
  }

  [[nodiscard]] virtual Entry entry(std::uint64_t number) const = 0;

  [[nodiscard]] Label label(std::uint64_t number) const override {
    return labels_[static_cast<std::size_t>(entry(number).kind)];
  }
  [[nodiscard]] std::string_view collection(Label label) const override {
    return kCollections[label];
  }
  [[nodiscard]] std::string_view kind(std::uint64_t number) const override {
    const EntryKind kind = entry(number).kind;
    if (!collection_of(kind).empty()) return "commit";
    return kind >= EntryKind::kActive ? "account" : "identity";
  }
  [[nodiscard]] std::string did(std::uint64_t number) const override {
    return renderer_.did(entry(number).account);
  }
  void append(Buffer& out, std::uint64_t number, Wire wire, std::int64_t shown_us,
              std::uint64_t sequence) const override {
    out.commit(renderer_.render(out.room(room_), wire, entry(number), shown_us, sequence));
  }
  void log(std::string& out, std::uint64_t number, std::int64_t shown_us,
           bool lost) const override {
    renderer_.log_line(out, entry(number), shown_us, number, lost);
  }

 private:
  Renderer renderer_;
  std::size_t room_;
  std::array<Label, static_cast<std::size_t>(EntryKind::kThrottled) + 1> labels_{};
};

class WorldScript final : public EntryScript {
 public:
  WorldScript(World world, RenderOptions options)
      : EntryScript(world.countries, world.seed, options), world_(std::move(world)) {}

  [[nodiscard]] std::uint64_t size() const override { return world_.entries.size(); }
  [[nodiscard]] std::int64_t time_us(std::uint64_t number) const override {
    return world_.entries[number].time_us;
  }
  [[nodiscard]] Entry entry(std::uint64_t number) const override { return world_.entries[number]; }

  bool reorder(std::uint64_t from, std::uint64_t to, std::uint64_t seed) override {
    const auto begin = world_.entries.begin() + static_cast<std::ptrdiff_t>(from);
    const auto end = world_.entries.begin() + static_cast<std::ptrdiff_t>(to);
    std::unordered_set<std::uint32_t> bound;
    std::unordered_map<std::uint32_t, std::vector<Entry>> in_order;
    for (auto entry = begin; entry != end; ++entry) {
      if (!is_free(*entry)) bound.insert(entry->account);
    }
    for (auto entry = begin; entry != end; ++entry) {
      if (bound.contains(entry->account)) in_order[entry->account].push_back(*entry);
    }
    Random random(seed);
    for (std::size_t i = to - from; i > 1; --i) {
      std::swap(begin[static_cast<std::ptrdiff_t>(i - 1)],
                begin[static_cast<std::ptrdiff_t>(random.below(i))]);
    }
    std::unordered_map<std::uint32_t, std::size_t> next;
    for (auto entry = begin; entry != end; ++entry) {
      if (bound.contains(entry->account)) {
        const std::uint32_t account = entry->account;
        *entry = in_order[account][next[account]++];
      }
    }
    return true;
  }

 private:
  World world_;
};

class FloodScript final : public EntryScript {
 public:
  FloodScript(Flood flood, RenderOptions options)
      : EntryScript(flood.countries, flood.seed, options), flood_(flood) {}

  [[nodiscard]] std::uint64_t size() const override { return flood_.events; }
  [[nodiscard]] std::int64_t time_us(std::uint64_t number) const override {
    return flood_.time_us(number);
  }
  [[nodiscard]] Entry entry(std::uint64_t number) const override { return flood_.entry(number); }
  bool reorder(std::uint64_t, std::uint64_t, std::uint64_t) override { return false; }

 private:
  Flood flood_;
};

}  // namespace

std::unique_ptr<Script> make_script(World world, RenderOptions options) {
  return std::make_unique<WorldScript>(std::move(world), options);
}

std::unique_ptr<Script> make_script(Flood flood, RenderOptions options) {
  return std::make_unique<FloodScript>(flood, options);
}

}  // namespace geotally::feedgen
