// The splitter of websocket frames: any bytes, in reads of any size. The first byte chooses the
// size of a read, the second the limits. What is handed to the library is what it was given.
#include "feed/frame_splitter.h"
#include "target.h"

using geotally::feed::FrameSplitter;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  geotally::fuzz::Input input(data, size);
  const std::size_t read = 1 + input.byte();
  geotally::feed::SplitterOptions options;
  options.buffer_bytes = 1024;
  options.message_bytes_max = 16 + 8 * std::size_t{input.byte()};
  options.skip_bytes_max = 1 << 20;
  std::string_view rest = input.rest();

  std::size_t messages_bytes = 0;
  FrameSplitter splitter(options,
                         {[&](std::string_view message, bool) {
                            geotally::fuzz::require(message.size() <= options.message_bytes_max);
                            messages_bytes += message.size();
                          },
                          [] {}});
  splitter.begin_frames();
  char taken[64];
  std::size_t handed_bytes = 0;
  while (true) {
    switch (splitter.next()) {
      case FrameSplitter::Step::kHalt:
        return 0;
      case FrameSplitter::Step::kHand: {
        const std::size_t bytes = splitter.take(taken);
        geotally::fuzz::require(bytes > 0 && bytes <= sizeof taken);
        handed_bytes += bytes;
        break;
      }
      case FrameSplitter::Step::kNeed: {
        const auto room = splitter.room();
        geotally::fuzz::require(!room.empty());
        const std::size_t bytes = std::min({read, room.size(), rest.size()});
        if (bytes == 0) {
          geotally::fuzz::require(messages_bytes + handed_bytes <= input.rest().size());
          return 0;
        }
        std::memcpy(room.data(), rest.data(), bytes);
        splitter.filled(bytes);
        rest.remove_prefix(bytes);
        break;
      }
    }
  }
}
