#include "api/message_reader.h"

namespace podium::api {
namespace {

void AppendVarint(uint64_t value, std::string* out) {
  for (; value >= 0x80; value >>= 7) out->push_back(static_cast<char>(value | 0x80));
  out->push_back(static_cast<char>(value));
}

}  // namespace

bool MessageReader::ReadVarint(uint64_t* value) {
  *value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (rest_.empty()) return false;
    auto byte = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    *value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return shift < 63 || byte < 2;
  }
  return false;
}

bool MessageReader::Take(uint64_t size) {
  if (size > rest_.size()) return false;
  bytes_ = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return true;
}

bool MessageReader::Next() {
  if (rest_.empty() || !ok_) return false;
  uint64_t tag;
  ok_ = ReadVarint(&tag) && tag >> 3 != 0 && tag >> 3 < 1u << 29;
  if (!ok_) return false;
  number_ = static_cast<uint32_t>(tag >> 3);
  wire_type_ = tag & 7;
  switch (wire_type_) {
    case 0:
      ok_ = ReadVarint(&varint_);
      break;
    case 1:
      ok_ = Take(8);
      break;
    case 2: {
      uint64_t size;
      ok_ = ReadVarint(&size) && Take(size);
      break;
    }
    case 5:
      ok_ = Take(4);
      break;
    default:  // groups; nobody writes them
      ok_ = false;
  }
  return ok_;
}

void AppendVarintField(uint32_t number, uint64_t value, std::string* out) {
  AppendVarint(static_cast<uint64_t>(number) << 3, out);
  AppendVarint(value, out);
}

void AppendFixed64Field(uint32_t number, uint64_t value, std::string* out) {
  AppendVarint(static_cast<uint64_t>(number) << 3 | 1, out);
  for (int shift = 0; shift < 64; shift += 8) out->push_back(static_cast<char>(value >> shift));
}

void AppendBytesField(uint32_t number, std::string_view bytes, std::string* out) {
  AppendVarint(static_cast<uint64_t>(number) << 3 | 2, out);
  AppendVarint(bytes.size(), out);
  out->append(bytes);
}

}  // namespace podium::api
