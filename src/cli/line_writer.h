// What containers print, on its way to a person: whole lines, each with a prefix, and on a terminal
// without what could steer it.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace podium::cli {

class LineWriter {
 public:
  // False when nobody takes any more.
  using Sink = std::function<bool(std::string_view text)>;

  // `escape`: control characters are shown as \x1b and so on; tabs stay.
  LineWriter(std::string prefix, bool escape, Sink sink)
      : prefix_(std::move(prefix)), escape_(escape), sink_(std::move(sink)) {}

  // Passes on the lines that are complete. A line that does not end is passed on in pieces of 64
  // KiB.
  bool Write(std::string_view bytes);
  // What is left, without an end of line where `prefix` is empty.
  bool Finish();

 private:
  bool Line(std::string_view line, bool ended);

  const std::string prefix_;
  const bool escape_;
  const Sink sink_;
  std::string rest_;
};

}  // namespace podium::cli
