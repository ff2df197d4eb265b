// Frames recorded in a file, served as they are.
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <unordered_map>

#include <simdjson.h>

#include "feed/script.h"
#include "feed/text.h"

namespace geotally::feedgen {
namespace {

struct Line {
  std::string text;
  std::string did;
  std::string kind;
  std::string log;  ///< the rest of its line of the log
  std::int64_t time_us = 0;
  Script::Label label = Script::kNoCollection;
};

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) out += c;
  }
  return out + '"';
}

class FileScript final : public Script {
 public:
  FileScript(const std::string& path, RenderOptions options) : options_(options) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("--file: cannot read " + path);
    std::string text;
    simdjson::dom::parser parser;
    while (std::getline(file, text)) {
      if (!text.empty() && text.back() == '\r') text.pop_back();
      if (!text.empty()) add(parser, text);
    }
    if (lines_.empty()) throw std::runtime_error("--file: no message in " + path);
    if (file.bad()) throw std::runtime_error("--file: error while reading " + path);
  }

  [[nodiscard]] std::uint64_t size() const override { return lines_.size(); }
  [[nodiscard]] std::int64_t time_us(std::uint64_t number) const override {
    return lines_[number].time_us;
  }
  [[nodiscard]] Label label(std::uint64_t number) const override { return lines_[number].label; }
  [[nodiscard]] std::string_view collection(Label label) const override {
    return collections_[label];
  }
  [[nodiscard]] std::string_view kind(std::uint64_t number) const override {
    return lines_[number].kind;
  }
  [[nodiscard]] std::string did(std::uint64_t number) const override { return lines_[number].did; }

  void append(Buffer& out, std::uint64_t number, Wire wire, std::int64_t shown_us,
              std::uint64_t sequence) const override {
    const Line& line = lines_[number];
    if (wire == Wire::kV2 || (shown_us == line.time_us && !options_.sequence_field)) {
      out.append(line.text);  // as it was recorded
      return;
    }
    const std::string was = "\"time_us\":" + std::to_string(line.time_us);
    std::string text = line.text;
    if (const auto at = text.find(was); at != std::string::npos) {
      text.replace(at, was.size(), "\"time_us\":" + std::to_string(shown_us));
    }
    if (options_.sequence_field && !text.empty() && text.back() == '}') {
      text.pop_back();
      text += ",\"cursor\":" + std::to_string(sequence) + "}";
    }
    out.append(text);
  }

  void log(std::string& out, std::uint64_t number, std::int64_t shown_us,
           bool lost) const override {
    out += "{\"n\":" + std::to_string(number) + ",\"time_us\":" + std::to_string(shown_us) +
           lines_[number].log + (lost ? ",\"lost\":true}\n" : "}\n");
  }

  bool reorder(std::uint64_t, std::uint64_t, std::uint64_t) override { return false; }

 private:
  void add(simdjson::dom::parser& parser, const std::string& text) {
    Line line;
    line.text = text;
    // A frame without a readable time stands where it was recorded: after the one before it.
    line.time_us = lines_.empty() ? 0 : lines_.back().time_us;
    simdjson::dom::element root;
    if (parser.parse(text).get(root) != simdjson::SUCCESS || !root.is_object()) {
      line.log = ",\"kind\":\"malformed\"";
      lines_.push_back(std::move(line));
      return;
    }
    // v2 frames can be served as they are, too: what is needed stands one level deeper.
    simdjson::dom::element body = root;
    if (simdjson::dom::element payload; root["payload"].get(payload) == simdjson::SUCCESS) {
      body = payload;
    }
    std::int64_t time_us = 0;
    if (body["time_us"].get(time_us) == simdjson::SUCCESS && time_us > 0) line.time_us = time_us;
    std::string_view text_value;
    if (body["did"].get(text_value) == simdjson::SUCCESS) line.did = text_value;
    if (body["kind"].get(text_value) == simdjson::SUCCESS) {
      line.kind = text_value;
    } else if (body["$type"].get(text_value) == simdjson::SUCCESS) {
      line.kind = text_value.substr(text_value.find('#') + 1);  // v2
    }
    line.log = ",\"did\":" + json_string(line.did) + ",\"kind\":" + json_string(line.kind);
    simdjson::dom::element commit = body;
    if (body["commit"].get(commit) != simdjson::SUCCESS) commit = body;
    if (commit["collection"].get(text_value) == simdjson::SUCCESS) {
      line.label = intern(text_value);
      line.log += ",\"collection\":" + json_string(text_value);
    }
    for (const auto& [key, name] :
         {std::pair{"rev", "rev"}, std::pair{"operation", "op"}, std::pair{"rkey", "rkey"}}) {
      if (commit[key].get(text_value) == simdjson::SUCCESS) {
        line.log += std::string(",\"") + name + "\":" + json_string(text_value);
      }
    }
    bool active = false;
    if (body["account"]["active"].get(active) == simdjson::SUCCESS) {
      line.log += active ? ",\"active\":true" : ",\"active\":false";
      if (body["account"]["status"].get(text_value) == simdjson::SUCCESS) {
        line.log += ",\"status\":" + json_string(text_value);
      }
    }
    lines_.push_back(std::move(line));
  }

  Label intern(std::string_view name) {
    const auto found = labels_.find(std::string(name));
    if (found != labels_.end()) return found->second;
    if (collections_.size() > 60'000) return kNoCollection;
    const auto label = static_cast<Label>(collections_.size());
    collections_.emplace_back(name);
    labels_.emplace(name, label);
    return label;
  }

  RenderOptions options_;
  std::vector<Line> lines_;
  std::vector<std::string> collections_{""};
  std::unordered_map<std::string, Label> labels_;
};

}  // namespace

std::unique_ptr<Script> make_file_script(const std::string& path, RenderOptions options) {
  return std::make_unique<FileScript>(path, options);
}

}  // namespace geotally::feedgen
