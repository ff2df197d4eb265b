#include "http/api/json.h"

#include <cmath>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>

#include "log/line.h"

namespace geotally::http {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

std::string number(double value) { return std::isfinite(value) ? fmt::format("{}", value) : ""; }

/// A field that is no message, as text; "" = no number. `index` < 0: not repeated.
std::string scalar(const Message& message, const FieldDescriptor& field, int index) {
  const Reflection& r = *message.GetReflection();
  const bool list = index >= 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return (list ? r.GetRepeatedBool(message, &field, index) : r.GetBool(message, &field))
                 ? "true"
                 : "false";
    case FieldDescriptor::CPPTYPE_UINT32:
      return std::to_string(list ? r.GetRepeatedUInt32(message, &field, index)
                                 : r.GetUInt32(message, &field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return std::to_string(list ? r.GetRepeatedUInt64(message, &field, index)
                                 : r.GetUInt64(message, &field));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return number(list ? r.GetRepeatedDouble(message, &field, index)
                         : r.GetDouble(message, &field));
    default:
      return list ? r.GetRepeatedString(message, &field, index) : r.GetString(message, &field);
  }
}

bool is_message(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
}

const Message& nested(const Message& message, const FieldDescriptor& field, int index) {
  const Reflection& r = *message.GetReflection();
  return index >= 0 ? r.GetRepeatedMessage(message, &field, index) : r.GetMessage(message, &field);
}

void append_json(std::string& out, const Message& message);

void append_value(std::string& out, const Message& message, const FieldDescriptor& field,
                  int index) {
  if (is_message(field)) return append_json(out, nested(message, field, index));
  const std::string text = scalar(message, field, index);
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    out += json_string(text);
  } else {
    out += text.empty() ? "null" : text;
  }
}

void append_json(std::string& out, const Message& message) {
  const auto& descriptor = *message.GetDescriptor();
  const Reflection& r = *message.GetReflection();
  out += '{';
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const FieldDescriptor& field = *descriptor.field(i);
    if (i > 0) out += ',';
    out += '"';
    out += field.name();
    out += "\":";
    if (field.is_repeated()) {
      out += '[';
      for (int n = 0; n < r.FieldSize(message, &field); ++n) {
        if (n > 0) out += ',';
        append_value(out, message, field, n);
      }
      out += ']';
    } else if (field.has_presence() && !r.HasField(message, &field)) {
      out += "null";
    } else {
      append_value(out, message, field, -1);
    }
  }
  out += '}';
}

using Cells = std::vector<std::pair<std::string, std::string>>;

/// Every leaf of `message` with its column's name. A message that is not set still gives its
/// columns, empty, so that all rows have the same.
void flatten(Cells& cells, const Message& message, const std::string& prefix, bool set,
             const FieldDescriptor* left_out) {
  const auto& descriptor = *message.GetDescriptor();
  const Reflection& r = *message.GetReflection();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const FieldDescriptor& field = *descriptor.field(i);
    if (&field == left_out) continue;
    const std::string name = prefix + field.name();
    if (field.is_repeated()) {
      for (int n = 0; is_message(field) && n < r.FieldSize(message, &field); ++n) {
        const Message& element = r.GetRepeatedMessage(message, &field, n);
        const FieldDescriptor& key = *element.GetDescriptor()->field(0);
        flatten(cells, element, name + "_" + scalar(element, key, -1) + "_", set, &key);
      }
      continue;
    }
    const bool here = set && (!field.has_presence() || r.HasField(message, &field));
    if (is_message(field)) {
      flatten(cells, nested(message, field, -1), name + "_", here, nullptr);
    } else {
      cells.emplace_back(name, here ? scalar(message, field, -1) : "");
    }
  }
}

void append_csv_cell(std::string& out, const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

void append_csv_line(std::string& out, const Cells& cells, bool names) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) out += ',';
    append_csv_cell(out, names ? cells[i].first : cells[i].second);
  }
  out += "\r\n";
}

}  // namespace

std::string json_string(std::string_view text) {
  std::string out = "\"";
  log::append_escaped(out, text);
  return out + '"';
}

std::string to_json(const Message& message) {
  std::string out;
  append_json(out, message);
  return out;
}

std::string to_csv(const Message& message) {
  std::string out;
  const FieldDescriptor* rows = message.GetDescriptor()->FindFieldByName("rows");
  if (rows == nullptr) {
    Cells cells;
    flatten(cells, message, "", true, nullptr);
    append_csv_line(out, cells, true);
    append_csv_line(out, cells, false);
    return out;
  }
  const Reflection& r = *message.GetReflection();
  const int count = r.FieldSize(message, rows);
  for (int n = 0; n < count; ++n) {
    Cells cells;
    flatten(cells, r.GetRepeatedMessage(message, rows, n), "", true, nullptr);
    if (n == 0) append_csv_line(out, cells, true);
    append_csv_line(out, cells, false);
  }
  if (count == 0) {  // the names all the same
    Cells cells;
    const auto* prototype = r.GetMessageFactory()->GetPrototype(rows->message_type());
    flatten(cells, *prototype, "", true, nullptr);
    append_csv_line(out, cells, true);
  }
  return out;
}

bool from_json(std::string_view json, Message& message) {
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  return google::protobuf::util::JsonStringToMessage({json.data(), json.size()}, &message, options)
      .ok();
}

}  // namespace geotally::http
