// What a feed will say, from the first event to the last, in the order of the
// server: event number n is the same on every run. A script is read at any
// place, because cursors go back.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "feed/buffer.h"
#include "feed/render.h"
#include "feed/world.h"

namespace geotally::feedgen {

/// Not thread-safe.
class Script {
 public:
  /// Collections by a small number, so that a filter looks each of them at once only.
  using Label = std::uint16_t;
  /// Identity and account events, and whatever is no commit: filters of collections let them pass.
  static constexpr Label kNoCollection = 0;

  virtual ~Script() = default;

  [[nodiscard]] virtual std::uint64_t size() const = 0;
  /// Event time by a right clock. Requires number < size(), as below.
  [[nodiscard]] virtual std::int64_t time_us(std::uint64_t number) const = 0;
  [[nodiscard]] virtual Label label(std::uint64_t number) const = 0;
  [[nodiscard]] virtual std::string_view collection(Label label) const = 0;
  /// commit, identity or account; empty = the frame says no such thing.
  [[nodiscard]] virtual std::string_view kind(std::uint64_t number) const = 0;
  [[nodiscard]] virtual std::string did(std::uint64_t number) const = 0;

  /// Appends the message that carries the event. `shown_us`: its time by the host's clock.
  virtual void append(Buffer& out, std::uint64_t number, Wire wire, std::int64_t shown_us,
                      std::uint64_t sequence) const = 0;
  /// Appends the event's line of the log.
  virtual void log(std::string& out, std::uint64_t number, std::int64_t shown_us,
                   bool lost) const = 0;

  /// Delivers the events [from, to) in another order; their times stay with them. An
  /// account's evidence and status keep their place among its own events. False = not possible.
  virtual bool reorder(std::uint64_t from, std::uint64_t to, std::uint64_t seed) = 0;
};

[[nodiscard]] std::unique_ptr<Script> make_script(World world, RenderOptions options);
[[nodiscard]] std::unique_ptr<Script> make_script(Flood flood, RenderOptions options);
/// A file of v1 messages, one a line; empty lines are skipped, broken ones are kept.
/// Throws std::runtime_error where it cannot be read.
[[nodiscard]] std::unique_ptr<Script> make_file_script(const std::string& path,
                                                       RenderOptions options);

}  // namespace geotally::feedgen
