// What `--watch` shows: each text in the place of the one before, or after it where nobody looks.
#pragma once

#include <string>

namespace geotally {

/// Stdout for the rest of the process; used by the only thread. On a terminal a text is drawn over
/// the one before without a moment of emptiness, cut to the window, and drawn again when the window
/// changes its size; Ctrl-C leaves the terminal as it was, with the cursor beneath. Anywhere else
/// texts follow each other.
class Screen {
 public:
  Screen();

  /// `text` ends in a newline.
  void show(std::string text);
  /// There is no new text, and why: on a terminal `problem` stands above the latest text, anywhere
  /// else it goes to stderr.
  void keep(std::string problem);
  /// Returns after `seconds`.
  void wait(double seconds) const;

 private:
  void draw() const;

  const bool terminal_;
  std::string text_;
  std::string problem_;
};

}  // namespace geotally
