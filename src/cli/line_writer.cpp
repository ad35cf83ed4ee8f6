#include "cli/line_writer.h"

#include <utility>

#include "cli/text.h"

namespace podium::cli {
namespace {

constexpr size_t kMaxLine = size_t{64} << 10;

// Printable, but for tabs.
std::string WithoutControls(std::string_view line) {
  std::string out;
  while (true) {
    const size_t tab = line.find('\t');
    out += Printable(line.substr(0, tab));
    if (tab == std::string_view::npos) return out;
    out += '\t';
    line.remove_prefix(tab + 1);
  }
}

}  // namespace

bool LineWriter::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    if (end == std::string_view::npos) {
      rest_ += bytes;
      if (rest_.size() < kMaxLine) return true;
      return Line(std::exchange(rest_, {}), !prefix_.empty());
    }
    rest_ += bytes.substr(0, end);
    bytes.remove_prefix(end + 1);
    if (!Line(std::exchange(rest_, {}), true)) return false;
  }
  return true;
}

bool LineWriter::Finish() {
  return rest_.empty() || Line(std::exchange(rest_, {}), !prefix_.empty());
}

bool LineWriter::Line(std::string_view line, bool ended) {
  // A terminal's own line end says nothing here.
  if (escape_ && line.ends_with('\r')) line.remove_suffix(1);
  std::string out = prefix_ + (escape_ ? WithoutControls(line) : std::string(line));
  if (ended) out += '\n';
  return sink_(out);
}

}  // namespace podium::cli
