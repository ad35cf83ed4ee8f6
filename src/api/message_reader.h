// Protobuf messages that no type describes, such as leaf types are: fields read one by one, and the
// bytes of a field written. Messages of described types go through reflect/protobuf.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace podium::api {

// Goes over the fields of a message:
//   for (MessageReader reader(bytes); reader.Next();) { if (reader.number() == 1) ... }
// After the last field ok() tells whether the bytes were a message.
class MessageReader {
 public:
  explicit MessageReader(std::string_view bytes) : rest_(bytes) {}

  // Moves to the next field; false at the end and at malformed bytes.
  bool Next();
  bool ok() const { return ok_; }

  uint32_t number() const { return number_; }
  // The field is a varint; else a run of bytes, or of a fixed size (which no leaf has).
  bool is_varint() const { return wire_type_ == 0; }
  bool is_bytes() const { return wire_type_ == 2; }
  uint64_t varint() const { return varint_; }
  std::string_view bytes() const { return bytes_; }

 private:
  bool ReadVarint(uint64_t* value);
  bool Take(uint64_t size);

  std::string_view rest_;
  std::string_view bytes_;
  uint64_t varint_ = 0;
  uint32_t number_ = 0;
  uint8_t wire_type_ = 0;
  bool ok_ = true;
};

inline constexpr std::string_view kMalformedMessage = "malformed protobuf message";

void AppendVarintField(uint32_t number, uint64_t value, std::string* out);
void AppendFixed64Field(uint32_t number, uint64_t value, std::string* out);
void AppendBytesField(uint32_t number, std::string_view bytes, std::string* out);

}  // namespace podium::api
