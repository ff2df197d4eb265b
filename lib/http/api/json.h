// Messages as JSON and as CSV, by reflection: the names of the .proto file, every
// field present, numbers as numbers. (protobuf's own JSON quotes 64-bit numbers.)
#pragma once

#include <string>
#include <string_view>

namespace google::protobuf {
class Message;
}

namespace geotally::http {

/// An unset `optional` field or message is null; so is a number that is none.
[[nodiscard]] std::string to_json(const google::protobuf::Message& message);

/// Reads what to_json() writes; fields that it does not know are left out. False: it is no such
/// text.
[[nodiscard]] bool from_json(std::string_view json, google::protobuf::Message& message);

/// A message with a field `rows`: one line a row under a line of names. Another: one line.
/// Nested messages become columns ("engagement_never"); so do the elements of nested lists,
/// named by their first field ("evidence_flag_accounts"). RFC 4180, line ends CRLF.
[[nodiscard]] std::string to_csv(const google::protobuf::Message& message);

/// `text` with its quotes, invalid UTF-8 replaced.
[[nodiscard]] std::string json_string(std::string_view text);

}  // namespace geotally::http
