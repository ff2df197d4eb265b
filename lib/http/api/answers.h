// The questions of /api/v1 and their answers, without HTTP: the command line asks the same.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "http/api/parameters.h"
#include "http/sources.h"

namespace google::protobuf {
class Message;
}

namespace geotally::http {

struct Reply {
  unsigned code = 200;  ///< as HTTP has them: 200, 400, 404, 503
  std::string error;    ///< one line; says what is allowed
  std::shared_ptr<const google::protobuf::Message> message;  ///< of proto/geotally/v1; 200 only

  [[nodiscard]] static Reply bad(std::string error) { return {400, std::move(error), nullptr}; }
};

/// `question`: "rankings", "countries", "countries/FR", "history", "gaps", "status".
/// Reads one snapshot, so that every figure is of the same commit. May throw what
/// `sources` throw.
[[nodiscard]] Reply ask(const Sources& sources, std::string_view question,
                        const Parameters& parameters);

/// ask() of whoever answers: a store in this process, or a daemon elsewhere.
using Ask = std::function<Reply(std::string_view question, const Parameters& parameters)>;

/// An empty answer of the kind that `question` gets; nullptr = no such question.
[[nodiscard]] std::shared_ptr<google::protobuf::Message> empty_answer(std::string_view question);

}  // namespace geotally::http
