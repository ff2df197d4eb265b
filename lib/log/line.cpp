#include "log/line.h"

#include <cmath>
#include <iterator>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace geotally::log {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Length of the well-formed UTF-8 sequence at the front of `text`; 0 = none.
// Source: RFC 3629, section 4 (no overlong forms, no surrogates, nothing past U+10FFFF).
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto tail = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xC0) == 0x80; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return tail(1) ? 2 : 0;
  if ((lead & 0xF0) == 0xE0) {
    if (!tail(1) || !tail(2)) return 0;
    if (lead == 0xE0 && byte(1) < 0xA0) return 0;
    if (lead == 0xED && byte(1) > 0x9F) return 0;
    return 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (!tail(1) || !tail(2) || !tail(3)) return 0;
    if (lead == 0xF0 && byte(1) < 0x90) return 0;
    if (lead == 0xF4 && byte(1) > 0x8F) return 0;
    return 4;
  }
  return 0;
}

// Calls `each` with every well-formed sequence or its replacement, and with "…" when cut.
template <typename Each>
void walk(std::string_view text, Each each) {
  std::size_t taken = 0;
  while (!text.empty()) {
    const std::size_t valid = sequence_length(text);
    const std::size_t length = valid == 0 ? 1 : valid;
    if (taken + length > Value::kTextMax) {
      each(std::string_view("…"));
      return;
    }
    each(valid == 0 ? kReplacement : text.substr(0, length));
    text.remove_prefix(length);
    taken += length;
  }
}

void append_number(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  fmt::format_to(std::back_inserter(out), "{}", number);
}

void append_json(std::string& out, const Value& value) {
  if (std::holds_alternative<std::string_view>(value.get())) {
    out += '"';
    append_escaped(out, std::get<std::string_view>(value.get()));
    out += '"';
  } else {
    append_plain(out, value);
  }
}

void append_logfmt(std::string& out, const Value& value) {
  if (!std::holds_alternative<std::string_view>(value.get())) {
    append_plain(out, value);
    return;
  }
  const auto text = std::get<std::string_view>(value.get());
  const auto bare = [](char c) { return c > ' ' && c < 0x7F && c != '"' && c != '=' && c != '\\'; };
  bool plain = !text.empty() && text.size() <= Value::kTextMax;
  for (const char c : text) plain = plain && bare(c);
  if (!plain) out += '"';
  append_escaped(out, text);
  if (!plain) out += '"';
}

}  // namespace

void append_escaped(std::string& out, std::string_view text) {
  walk(text, [&out](std::string_view sequence) {
    const char c = sequence[0];
    if (sequence.size() > 1 ||
        (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\' && c != 0x7F)) {
      out += sequence;
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    }
  });
}

void append_clean(std::string& out, std::string_view text) {
  walk(text, [&out](std::string_view sequence) { out += sequence; });
}

void append_plain(std::string& out, const Value& value) {
  const auto& variant = value.get();
  if (const auto* text = std::get_if<std::string_view>(&variant)) {
    append_clean(out, *text);
  } else if (const auto* flag = std::get_if<bool>(&variant)) {
    out += *flag ? "true" : "false";
  } else if (const auto* whole = std::get_if<std::int64_t>(&variant)) {
    fmt::format_to(std::back_inserter(out), "{}", *whole);
  } else if (const auto* natural = std::get_if<std::uint64_t>(&variant)) {
    fmt::format_to(std::back_inserter(out), "{}", *natural);
  } else {
    append_number(out, std::get<double>(variant));
  }
}

std::string timestamp(std::chrono::system_clock::time_point now) {
  const auto micros =
      std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  const std::int64_t second = (micros - (micros % 1'000'000 + 1'000'000) % 1'000'000) / 1'000'000;
  const std::int64_t fraction = micros - second * 1'000'000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", fmt::gmtime(static_cast<std::time_t>(second)),
                     fraction);
}

std::string json_line(const EventInfo& info, std::initializer_list<Field> fields,
                      std::uint64_t suppressed, std::chrono::system_clock::time_point now) {
  std::string out;
  out.reserve(256);
  fmt::format_to(
      std::back_inserter(out),
      R"({{"timestamp":"{}","severity_text":"{}","body":"{}","attributes":{{"event":"{}")",
      timestamp(now), to_string(info.level), info.body, info.name);
  for (const Field& field : fields) {
    out += ",\"";
    append_escaped(out, field.key);
    out += "\":";
    append_json(out, field.value);
  }
  if (suppressed != 0) fmt::format_to(std::back_inserter(out), R"(,"suppressed":{})", suppressed);
  out += "}}\n";
  return out;
}

std::string logfmt_line(const EventInfo& info, std::initializer_list<Field> fields,
                        std::uint64_t suppressed, std::chrono::system_clock::time_point now) {
  std::string out;
  out.reserve(256);
  fmt::format_to(std::back_inserter(out), "time={} level={} event={} msg=\"{}\"", timestamp(now),
                 to_string(info.level), info.name, info.body);
  for (const Field& field : fields) {
    out += ' ';
    append_escaped(out, field.key);
    out += '=';
    append_logfmt(out, field.value);
  }
  if (suppressed != 0) fmt::format_to(std::back_inserter(out), " suppressed={}", suppressed);
  out += '\n';
  return out;
}

}  // namespace geotally::log
