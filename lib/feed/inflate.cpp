#include "feed/inflate.h"

#include <fstream>
#include <iterator>
#include <new>

#include <zstd.h>
#include <zstd_errors.h>

#include "feed/dialect.h"

namespace geotally::feed {
namespace {

constexpr std::size_t kDictionaryBytesMax = 16 * 1024 * 1024;

}  // namespace

struct Dictionary::Prepared {
  explicit Prepared(std::string_view bytes)
      : dictionary(ZSTD_createDDict(bytes.data(), bytes.size())) {}
  ~Prepared() { ZSTD_freeDDict(dictionary); }
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;
  ZSTD_DDict* dictionary;
};

Dictionary::~Dictionary() = default;

std::unique_ptr<Dictionary> Dictionary::prepare(std::string_view bytes, std::string& error) {
  std::unique_ptr<Dictionary> result(new Dictionary);
  // Anything can serve as a raw dictionary; only one that names itself is what we want.
  result->id_ = ZSTD_getDictID_fromDict(bytes.data(), bytes.size());
  if (result->id_ == 0) {
    error = "it is no zstd dictionary";
    return nullptr;
  }
  result->prepared_ = std::make_unique<Prepared>(bytes);
  if (result->prepared_->dictionary == nullptr) {
    error = "the zstd dictionary is corrupt";
    return nullptr;
  }
  return result;
}

std::unique_ptr<Dictionary> Dictionary::read(const std::string& path, std::string& error) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes;
  if (file) {
    bytes.resize(kDictionaryBytesMax);
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad() || bytes.empty()) {
    error = "it cannot be read";
    return nullptr;
  }
  return prepare(bytes, error);
}

struct Inflater::Context {
  Context() : context(ZSTD_createDCtx()) {
    if (context == nullptr) throw std::bad_alloc();
  }
  ~Context() { ZSTD_freeDCtx(context); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ZSTD_DCtx* context;
};

Inflater::Inflater(std::size_t bytes_max)
    : context_(std::make_unique<Context>()),
      bytes_max_(bytes_max),
      output_(new char[bytes_max + kFramePadding]) {}

Inflater::~Inflater() = default;

Inflater::Outcome Inflater::inflate(std::string_view message, const Dictionary& dictionary,
                                    std::string_view& text) {
  const std::uint32_t id = ZSTD_getDictID_fromFrame(message.data(), message.size());
  if (id != 0 && id != dictionary.id()) {
    other_dictionary_ = id;
    return Outcome::kOtherDictionary;
  }
  // In one call, straight into our buffer: no window is allocated, and the buffer is the cap.
  const std::size_t size =
      ZSTD_decompress_usingDDict(context_->context, output_.get(), bytes_max_, message.data(),
                                 message.size(), dictionary.prepared_->dictionary);
  if (ZSTD_isError(size) != 0) {
    return ZSTD_getErrorCode(size) == ZSTD_error_dstSize_tooSmall ? Outcome::kTooLarge
                                                                  : Outcome::kBroken;
  }
  if (message.empty()) return Outcome::kBroken;
  text = {output_.get(), size};
  return Outcome::kOk;
}

}  // namespace geotally::feed
