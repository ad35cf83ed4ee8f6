// Where things stand in a text file, for messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace podium::reflect {

// Both count from 1; a column counts characters (code points), not bytes. Zero means unknown.
struct Position {
  int line = 0;
  int column = 0;

  friend bool operator==(const Position&, const Position&) = default;
};

// Offsets into a plain text (a JSON file) to positions. Lines end with \n. The text must outlive
// the index.
class LineIndex {
 public:
  explicit LineIndex(std::string_view text);

  // The position of the byte at `offset`, which may be the end of the text. Time is logarithmic in
  // the number of lines and linear in the length of the one line.
  Position At(size_t offset) const;

 private:
  std::string_view text_;
  std::vector<uint32_t> starts_;  // of each line
};

// Positions of the keys and values of a JSON text that was made from another text (YAML): the node
// at a JSON offset to where it stands in the source.
class PositionMap {
 public:
  // Offsets must not decrease.
  void Add(size_t offset, Position position);
  // The position of the last node that starts at or before `offset`; unknown when there is none.
  Position At(size_t offset) const;

  size_t size() const { return entries_.size(); }
  void clear() { entries_.clear(); }

 private:
  struct Entry {
    uint32_t offset;
    uint32_t line;
    uint32_t column;
  };
  std::vector<Entry> entries_;
};

}  // namespace podium::reflect
