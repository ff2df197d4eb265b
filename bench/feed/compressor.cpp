#include "feed/compressor.h"

#include <fstream>
#include <iterator>
#include <stdexcept>

#include <zdict.h>
#include <zstd.h>

namespace geotally::feedgen {
namespace {
constexpr int kLevel = 1;
constexpr int kWindowLog = 17;  // 128 KiB, as the real servers have it
}  // namespace

struct Compressor::Dictionary {
  std::string bytes;
  std::uint32_t id = 0;
  std::unique_ptr<ZSTD_CDict, decltype(&ZSTD_freeCDict)> prepared{nullptr, ZSTD_freeCDict};
};

struct Compressor::Context {
  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> zstd{ZSTD_createCCtx(), ZSTD_freeCCtx};
};

Compressor::Compressor(const std::vector<std::string>& files)
    : context_(std::make_unique<Context>()) {
  for (const std::string& path : files) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("--dictionary: cannot read " + path);
    auto dictionary = std::make_unique<Dictionary>();
    dictionary->bytes.assign(std::istreambuf_iterator<char>(file), {});
    dictionary->id = ZSTD_getDictID_fromDict(dictionary->bytes.data(), dictionary->bytes.size());
    if (dictionary->id == 0) throw std::runtime_error("--dictionary: no zstd dictionary: " + path);
    dictionary->prepared.reset(
        ZSTD_createCDict(dictionary->bytes.data(), dictionary->bytes.size(), kLevel));
    dictionaries_.push_back(std::move(dictionary));
  }
  ZSTD_CCtx_setParameter(context_->zstd.get(), ZSTD_c_windowLog, kWindowLog);
  if (available()) {
    ZSTD_CCtx_refCDict(context_->zstd.get(), dictionaries_[0]->prepared.get());
  }
}

Compressor::~Compressor() = default;

std::uint32_t Compressor::id() const { return dictionaries_[current_]->id; }
const std::string& Compressor::dictionary() const { return dictionaries_[current_]->bytes; }

void Compressor::rotate() {
  if (!available()) return;
  current_ = (current_ + 1) % dictionaries_.size();
  ZSTD_CCtx_refCDict(context_->zstd.get(), dictionaries_[current_]->prepared.get());
}

void Compressor::compress(Buffer& out, std::string_view message) {
  const std::size_t bound = ZSTD_compressBound(message.size());
  char* const start = out.room(bound);
  const std::size_t size =
      ZSTD_compress2(context_->zstd.get(), start, bound, message.data(), message.size());
  if (ZSTD_isError(size) != 0) throw std::runtime_error(ZSTD_getErrorName(size));
  out.commit(start + size);
}

void Compressor::spoil(Buffer& out, std::string_view what, std::string_view message) {
  const std::size_t start = out.size();
  if (what == "binary") {
    out.append(message);
  } else if (what == "zstd_garbage") {
    out.append("\x28\xb5\x2f\xfd\x24 this is no zstd frame at all");
  } else if (what == "zstd_bomb" && !bomb_.empty() && bomb_of_ == current_) {
    out.append(bomb_);
  } else if (what == "zstd_bomb" || what == "zstd_no_dictionary" || !available()) {
    const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(),
                                                                       ZSTD_freeCCtx);
    const bool bomb = what == "zstd_bomb";
    const std::string spaces(1 << 20, ' ');
    if (bomb && available()) {
      ZSTD_CCtx_refCDict(context.get(), dictionaries_[current_]->prepared.get());
    }
    for (int left = bomb ? 1024 : 1; left > 0; --left) {
      ZSTD_inBuffer in{bomb ? spaces.data() : message.data(), bomb ? spaces.size() : message.size(),
                       0};
      std::size_t rest = 1;
      while (left == 1 ? rest > 0 : in.pos < in.size) {
        constexpr std::size_t kRoom = 1 << 16;
        ZSTD_outBuffer to{out.room(kRoom), kRoom, 0};
        rest =
            ZSTD_compressStream2(context.get(), &to, &in, left == 1 ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(rest) != 0) throw std::runtime_error(ZSTD_getErrorName(rest));
        out.truncate(out.size() + to.pos);
      }
    }
    if (bomb) {
      bomb_ = out.view(start);
      bomb_of_ = current_;
    }
  } else {
    compress(out, message);
    if (what == "zstd_truncated") out.truncate(start + (out.size() - start) * 2 / 3);
    // Magic number, frame header descriptor, window or size, and then the dictionary's id: any
    // other id names a dictionary that nobody has.
    if (what == "zstd_wrong_id") {
      const std::size_t at =
          out.view(start).find(std::string_view(dictionaries_[current_]->bytes.data() + 4, 4));
      if (at < 8) out.data()[start + at] = static_cast<char>(out.data()[start + at] ^ 0x55);
    }
  }
}

std::string train_dictionary(const std::vector<std::string>& samples, std::size_t size,
                             std::uint32_t id) {
  std::string all;
  std::vector<std::size_t> sizes;
  for (const std::string& sample : samples) {
    all += sample;
    sizes.push_back(sample.size());
  }
  std::string dictionary(size, '\0');
  const std::size_t trained =
      ZDICT_trainFromBuffer(dictionary.data(), dictionary.size(), all.data(), sizes.data(),
                            static_cast<unsigned>(sizes.size()));
  if (ZDICT_isError(trained) != 0) {
    throw std::runtime_error(std::string("no dictionary: ") + ZDICT_getErrorName(trained));
  }
  dictionary.resize(trained);
  // The id stands after the magic number, little endian.
  for (std::size_t i = 0; i < 4; ++i) {
    dictionary[4 + i] = static_cast<char>(id >> (8 * i) & 0xff);
  }
  return dictionary;
}

}  // namespace geotally::feedgen
