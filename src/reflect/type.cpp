#include "reflect/type.h"

namespace podium::reflect {
namespace {

// At most seven bytes, the first lowest.
uint64_t LoadShort(std::string_view text) {
  using detail::LoadWord;
  if (text.size() >= 4) {
    const uint64_t last = LoadWord<uint32_t>(text.data() + text.size() - 4);
    return LoadWord<uint32_t>(text.data()) | last << (text.size() - 4) * 8;
  }
  uint64_t word = 0;
  for (size_t i = text.size(); i-- > 0;) word = word << 8 | static_cast<unsigned char>(text[i]);
  return word;
}

// What the index has of a name: KeyBits of it in quotes, with a colon.
uint64_t BitsOf(std::string_view name) {
  using detail::LoadWord;
  constexpr uint64_t kQuote = '"';
  constexpr uint64_t kEnd = kQuote | uint64_t{':'} << 8;
  const size_t size = name.size() + 3;
  uint64_t first;
  uint64_t last;
  if (name.size() >= 8) {
    first = LoadWord<uint64_t>(name.data()) << 8 | kQuote;
    last = LoadWord<uint64_t>(name.data() + name.size() - 8) >> 16 | kEnd << 48;
  } else if (name.size() >= 6) {
    const uint64_t word = LoadShort(name);
    first = word << 8 | kQuote;
    if (name.size() == 6) first |= kQuote << 56;
    last = word >> (name.size() - 6) * 8 | kEnd << 48;
  } else {
    const uint64_t key = LoadShort(name) << 8 | kQuote | kEnd << (size - 2) * 8;
    first = size == 8 ? key : static_cast<uint32_t>(key);
    last = size == 8 ? key : static_cast<uint32_t>(key >> (size - 4) * 8);
  }
  return first ^ std::rotl(last, 29) ^ size;
}

bool Equal(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  return a.size() >= 4 ? EqualKeys(a.data(), b.data(), a.size()) : a == b;
}

}  // namespace

const Field* Type::Find(std::string_view field_name) const {
  // The empty name is in no index.
  if (index.slots && !field_name.empty()) {
    const uint8_t slot = index.At(BitsOf(field_name));
    if (slot == NameIndex::kNoField) return nullptr;
    return Equal(fields[slot].name(), field_name) ? &fields[slot] : nullptr;
  }
  for (const Field& field : fields) {
    if (field.name() == field_name) return &field;
  }
  return nullptr;
}

std::string Type::ApiVersion() const {
  std::string out = package->group;
  if (!out.empty()) out += '/';
  return out + package->version;
}

}  // namespace podium::reflect
