// A zstd dictionary trained on frames like ours, under any id, and frames made with it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace geotally::feed {

std::string train_dictionary(std::uint32_t id);
/// One zstd frame. `with_size` = false leaves its content size out of the header.
std::string compress(std::string_view text, const std::string& dictionary, bool with_size = true);

}  // namespace geotally::feed
