#include "cli/pull_view.h"

#include <algorithm>
#include <utility>

#include "cli/node_facts.h"
#include "cli/text.h"

namespace podium::cli {
namespace {

// More than any registry takes; what is drawn is bounded by it.
constexpr int64_t kMaxLayers = 1000;
constexpr size_t kDigestWidth = 12;
constexpr size_t kStateWidth = 11;
constexpr size_t kSizeWidth = 19;
constexpr size_t kMaxBar = 40;

std::string Padded(std::string text, size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

uint64_t Amount(const reflect::JsonValue& step, const char* key) {
  return static_cast<uint64_t>(std::max<int64_t>(NumberAt(&step, key).value_or(0), 0));
}

}  // namespace

std::string PullView::Bar(const Layer& layer) const {
  std::string out = Padded(Printable(layer.digest), kDigestWidth) + ' ' +
                    Padded(Printable(layer.state), kStateWidth);
  const size_t taken = kDigestWidth + kStateWidth + kSizeWidth + 6;
  const size_t width = columns_ > taken ? std::min(kMaxBar, columns_ - taken) : 0;
  const bool done = layer.state == "done" || layer.state == "exists";
  const double part =
      done ? 1
           : (layer.total == 0 ? 0
                               : std::min(1.0, static_cast<double>(layer.done) /
                                                   static_cast<double>(layer.total)));
  if (width > 0) {
    const auto filled = static_cast<size_t>(part * static_cast<double>(width));
    out += " [" + std::string(filled, '=') + std::string(width - filled, ' ') + ']';
  }
  std::string size = Bytes(layer.total);
  if (!done) size = Bytes(layer.done) + '/' + size;
  out += ' ' + size;
  // A line that wraps would not be found again.
  if (out.size() >= columns_) out.resize(columns_ - 1);
  return out;
}

std::string PullView::Bars() const {
  std::string out;
  for (const Layer& layer : layers_) out += "\x1b[2K" + Bar(layer) + '\n';
  return out;
}

std::string PullView::Show(const reflect::JsonValue& step) {
  const int64_t index = NumberAt(&step, "layer").value_or(-1);
  const int64_t count = NumberAt(&step, "layers").value_or(0);
  if (index < 0 || count > kMaxLayers || index >= count) return {};
  if (layers_.size() != static_cast<size_t>(count)) layers_.resize(static_cast<size_t>(count));
  Layer& layer = layers_[static_cast<size_t>(index)];
  const std::string before = std::exchange(layer.state, TextAt(&step, "state"));
  layer.digest = ShortId(TextAt(&step, "digest"));
  layer.done = Amount(step, "done");
  layer.total = Amount(step, "total");
  if (columns_ == 0) {
    if (layer.state == before) return {};
    return Printable(layer.digest) + ": " + Printable(layer.state) + " (" + Bytes(layer.total) +
           ")\n";
  }
  std::string out;
  if (drawn_ > 0) out = "\x1b[" + std::to_string(drawn_) + 'A';
  drawn_ = layers_.size();
  return out + Bars();
}

}  // namespace podium::cli
