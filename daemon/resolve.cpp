#include "daemon/resolve.h"

#include <string>

#include <fmt/format.h>

#include "daemon/account_line.h"
#include "daemon/exit_code.h"

namespace geotally {
namespace {

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace

int run_resolve(std::istream& in, std::FILE* out, const geo::Resolver::Options& options,
                bool explain) {
  const geo::Resolver resolver(options);
  AccountReader reader;
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) continue;
    std::string error;
    const auto account = reader.read(line, error);
    if (!account) {
      fmt::print(out,
                 "{{\"country\":\"ZZ\",\"confidence\":0,\"evidence\":\"none\",\"error\":{}}}\n",
                 json_string(error));
      continue;
    }
    const AccountAnswer answer = resolve_account(resolver, *account);
    const auto explanation = resolver.explain(answer.state);
    std::string text =
        fmt::format("{{\"country\":\"{}\",\"confidence\":{:.3f},\"evidence\":\"{}\"",
                    answer.resolution.country.code(), answer.resolution.confidence / 255.0,
                    to_string(answer.resolution.evidence));
    const geo::City city = resolver.city(answer.state);
    if (city.id != 0 && answer.resolution.country == city.country) {
      text += fmt::format(",\"city\":{{\"id\":{},\"name\":{}}}", city.id, json_string(city.name));
    } else {
      text += ",\"city\":null";
    }
    text += ",\"alternatives\":[";
    const char* separator = "";
    for (const auto& alternative : explanation.alternatives) {
      if (alternative.country == answer.resolution.country || alternative.probability < 0.001)
        continue;
      text += fmt::format("{}{{\"country\":\"{}\",\"confidence\":{:.3f}}}", separator,
                          alternative.country.code(), alternative.probability);
      separator = ",";
    }
    text += ']';
    if (explain) {
      text += ",\"explain\":[";
      separator = "";
      if (answer.located) {
        text += fmt::format(
            "{{\"evidence\":\"explicit\",\"country\":\"{}\",\"weight\":null,\"words\":"
            "\"latitude and longitude lie there; this decides\"}}",
            answer.resolution.country.code());
        separator = ",";
      }
      for (const auto& piece : explanation.pieces) {
        text += fmt::format(
            "{}{{\"evidence\":\"{}\",\"country\":\"{}\",\"weight\":{:.2f},\"words\":{}}}",
            separator, to_string(piece.kind), piece.country.code(), piece.weight,
            json_string(piece.words));
        separator = ",";
      }
      text += ']';
    }
    text += "}\n";
    if (std::fwrite(text.data(), 1, text.size(), out) != text.size()) return kExitIo;
  }
  return std::fflush(out) == 0 ? kExitOk : kExitIo;
}

}  // namespace geotally
