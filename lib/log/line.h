// How a line is written: JSON with OpenTelemetry's keys, or logfmt. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "log/log.h"

namespace geotally::log {

/// Appends `text` to `out` so that it may stand between double quotes in JSON (and in
/// logfmt): control characters and quotes escaped, invalid UTF-8 replaced by U+FFFD, cut
/// at Value::kTextMax bytes with "…".
void append_escaped(std::string& out, std::string_view text);
/// The same without escapes, for the journal's binary-safe fields: invalid UTF-8 replaced, cut.
void append_clean(std::string& out, std::string_view text);
/// Numbers and flags as JSON has them; text as it is, cleaned.
void append_plain(std::string& out, const Value& value);

/// One object and a newline: {"timestamp":…,"severity_text":…,"body":…,"attributes":{…}}.
[[nodiscard]] std::string json_line(const EventInfo& info, std::initializer_list<Field> fields,
                                    std::uint64_t suppressed,
                                    std::chrono::system_clock::time_point now);
/// time=… level=… event=… msg="…" key=value, and a newline.
[[nodiscard]] std::string logfmt_line(const EventInfo& info, std::initializer_list<Field> fields,
                                      std::uint64_t suppressed,
                                      std::chrono::system_clock::time_point now);
/// RFC 3339 in UTC with microseconds.
[[nodiscard]] std::string timestamp(std::chrono::system_clock::time_point now);

}  // namespace geotally::log
