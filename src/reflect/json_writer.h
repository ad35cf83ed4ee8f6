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
  // `room`: how much is to come, about.
  explicit JsonWriter(std::string* out, size_t room = 1024) : out_(out), size_(out->size()) {
    Grow(room);
  }
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
  // A field's quoted key with its colon, 4 bytes or more; most are short.
  void Key(const char* key, size_t size) {
    Reserve(size);
    char* to = data_ + size_;
    if (size <= 8) {
      std::memcpy(to, key, 4);
      std::memcpy(to + size - 4, key + size - 4, 4);
    } else if (size <= 16) {
      std::memcpy(to, key, 8);
      std::memcpy(to + size - 8, key + size - 8, 8);
    } else if (size <= 32) {
      std::memcpy(to, key, 16);
      std::memcpy(to + size - 16, key + size - 16, 16);
    } else {
      std::memcpy(to, key, size);
    }
    size_ += size;
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
