#include "base/random_name.h"

#include <sys/random.h>
#include <sys/types.h>

#include <cstddef>

namespace podium {
namespace {

// Of 63 characters that a name's label may have, upstream leaves these to the prefix.
constexpr size_t kMaxPrefix = 58;

std::string RandomText(size_t bytes) {
  std::string out(bytes, '\0');
  size_t got = 0;
  while (got < bytes) {
    const ssize_t more = getrandom(out.data() + got, bytes - got, 0);
    if (more > 0) got += static_cast<size_t>(more);
  }
  return out;
}

}  // namespace

uint64_t RandomNumber() {
  uint64_t number = 0;
  while (getrandom(&number, sizeof number, 0) != sizeof number) {
  }
  return number;
}

double RandomFraction() { return static_cast<double>(RandomNumber() >> 11) * 0x1.0p-53; }

std::string NewUid() {
  std::string raw = RandomText(16);
  raw[6] = static_cast<char>((raw[6] & 0x0F) | 0x40);
  raw[8] = static_cast<char>((raw[8] & 0x3F) | 0x80);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string uid;
  uid.reserve(36);
  for (size_t i = 0; i < raw.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) uid += '-';
    const auto byte = static_cast<unsigned char>(raw[i]);
    uid += kDigits[byte >> 4];
    uid += kDigits[byte & 15];
  }
  return uid;
}

std::string GeneratedName(std::string_view prefix) {
  constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz2456789";
  std::string out(prefix.substr(0, kMaxPrefix));
  for (const char c : RandomText(5)) {
    out += kLetters[static_cast<unsigned char>(c) % kLetters.size()];
  }
  return out;
}

}  // namespace podium
