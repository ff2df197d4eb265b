#include "http/encoding.h"

#include <array>
#include <charconv>
#include <new>

#include <xxhash.h>
#include <zlib.h>

#include "http/negotiation.h"

namespace geotally::http {

std::string gzip(std::string_view text) {
  z_stream stream{};
  // Level 1: a page of figures shrinks to a fifteenth all the same, in a third of the time.
  constexpr int kGzipWindow = 15 + 16;
  if (deflateInit2(&stream, 1, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  std::string out(deflateBound(&stream, static_cast<uLong>(text.size())), '\0');
  // zlib does not write to its input; its older signature merely does not say so.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);  // one call: the bound leaves room for everything
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string etag_of(std::string_view body) {
  std::array<char, 16> digits{};
  const auto end =
      std::to_chars(digits.data(), digits.data() + 16, XXH3_64bits(body.data(), body.size()), 16);
  return "W/\"" + std::string(digits.data(), end.ptr) + "\"";
}

bool names_etag(std::string_view if_none_match, std::string_view etag) {
  const auto opaque = [](std::string_view tag) {
    return tag.starts_with("W/") ? tag.substr(2) : tag;
  };
  bool found = false;
  each_element(if_none_match, [&](std::string_view element) {
    found = element == "*" || opaque(element) == opaque(etag);
    return !found;
  });
  return found;
}

}  // namespace geotally::http
