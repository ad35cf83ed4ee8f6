// Appends JSON to a string with few bounds checks: room is made ahead for what comes next. Private
// to reflect.
#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace podium::reflect {

class JsonWriter {
 public:
  explicit JsonWriter(std::string* out) : out_(out), size_(out->size()) { Grow(256); }
  JsonWriter(const JsonWriter&) = delete;
  JsonWriter& operator=(const JsonWriter&) = delete;
  ~JsonWriter() { out_->resize(size_); }

  size_t size() const { return size_; }
  // Takes back what was written behind `size`.
  void Truncate(size_t size) { size_ = size; }

  void Char(char c) {
    Reserve(1);
    data_[size_++] = c;
  }
  void Text(std::string_view text) {
    Reserve(text.size());
    std::memcpy(data_ + size_, text.data(), text.size());
    size_ += text.size();
  }
  // Replaces the last byte, which is there.
  void ReplaceLast(char c) { data_[size_ - 1] = c; }
  char last() const { return data_[size_ - 1]; }

  // With quotes and escapes; see AppendJsonString.
  void String(std::string_view text);

  // A place to write at most `most` bytes to; Advance says how many there were.
  char* Room(size_t most) {
    Reserve(most);
    return data_ + size_;
  }
  void Advance(size_t written) { size_ += written; }

 private:
  void Reserve(size_t more) {
    if (capacity_ - size_ < more) [[unlikely]]
      Grow(more);
  }
  void Grow(size_t more);
  void Escape(std::string_view* text);

  std::string* out_;
  char* data_ = nullptr;
  size_t size_;
  size_t capacity_ = 0;
};

}  // namespace podium::reflect
