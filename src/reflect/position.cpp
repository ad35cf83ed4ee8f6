#include "reflect/position.h"

#include <algorithm>
#include <cassert>
#include <iterator>

namespace podium::reflect {

LineIndex::LineIndex(std::string_view text) : text_(text) {
  starts_.push_back(0);
  for (size_t i = text.find('\n'); i != std::string_view::npos; i = text.find('\n', i + 1)) {
    starts_.push_back(static_cast<uint32_t>(i + 1));
  }
}

Position LineIndex::At(size_t offset) const {
  offset = std::min(offset, text_.size());
  const auto after = std::upper_bound(starts_.begin(), starts_.end(), offset);
  const size_t start = *std::prev(after);
  int column = 1;
  for (size_t i = start; i < offset; ++i) {
    if ((text_[i] & 0xC0) != 0x80) ++column;
  }
  return {static_cast<int>(after - starts_.begin()), column};
}

void PositionMap::Add(size_t offset, Position position) {
  assert(entries_.empty() || entries_.back().offset <= offset);
  entries_.push_back({static_cast<uint32_t>(offset), static_cast<uint32_t>(position.line),
                      static_cast<uint32_t>(position.column)});
}

Position PositionMap::At(size_t offset) const {
  const auto after =
      std::upper_bound(entries_.begin(), entries_.end(), offset,
                       [](size_t wanted, const Entry& entry) { return wanted < entry.offset; });
  if (after == entries_.begin()) return {};
  const Entry& entry = *std::prev(after);
  return {static_cast<int>(entry.line), static_cast<int>(entry.column)};
}

}  // namespace podium::reflect
